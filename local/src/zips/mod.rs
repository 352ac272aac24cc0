//! Zips for tests and measurements, the same in every run: what games export, and what somebody may make to break a reader.
//!
//! The writer writes whatever it is told to, right or wrong: data that overlaps, offsets that lead nowhere, several end records,
//! zip64 where it belongs and where it does not, a million entries.
//!
//! - [`image`]: archives with holes, so that gigabytes cost nothing
//! - [`writer`]: writes zips, lies included
//! - [`content`]: logs, dumps, noise
//! - [`sessions`]: exports of six sizes, from 15 KB to 5.6 GB
//! - [`odd`]: zips that are odd, broken or hostile

pub mod content;
pub mod image;
pub mod odd;
pub mod sessions;
pub mod writer;

pub use image::Image;
