//! The parts of the library that are fuzzed, without what they do not need: the AWS SDK takes long to build with a sanitizer.

#[path = "../../../src/archive/mod.rs"]
pub mod archive;
