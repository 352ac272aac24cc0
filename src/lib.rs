//! Crash Capture: automatic crash capture for games streamed with Amazon GameLift Streams.
//!
//! A session's files vanish with its machine unless their export was requested while the session was alive. Two Lambda
//! functions see to that, and S3 holds the whole state:
//!
//! ```text
//!  events, alarms, schedule ─► start-export ─► GameLift Streams ─► one zip per session in S3 ─► index-export ─► record
//! ```
//!
//! The house, from the doors inwards. Arrows point one way: binaries → handlers → domain.
//!
//! | handlers | |
//! | --- | --- |
//! | [`arming`] | `start-export`: requests the export of every session that needs it, records those that were missed |
//! | [`indexing`] | `index-export`: reads an export, decides what happened, writes the record, merges the tags |
//!
//! | domain | |
//! | --- | --- |
//! | [`trigger`] | what an event asks `start-export` to do |
//! | [`session`] | sessions and their identifiers |
//! | [`user`] | who played, as far as that is kept |
//! | [`layout`] | the bucket's keys |
//! | [`record`] | markers and records: what is kept of a session |
//! | [`verdict`] | from what is known to what happened |
//! | [`report`] | from a record and details to one page for people |
//! | [`retention`] | how long an export is kept |
//! | [`redacted`] | text of a session's files, made fit to leave them |
//! | [`archive`] | reads zips by ranges, from wherever ranges can be had; knows no AWS |
//! | [`triage`] | from the files of a session to findings; knows no AWS |
//!
//! | services | |
//! | --- | --- |
//! | [`config`] | the environment, read once |
//! | [`aws`] | the SDK's configuration: one HTTPS client for all |
//! | [`logging`] | the log, as Lambda wants it |
//! | [`service`] | what went wrong in a call to AWS, and whether a retry helps |
//! | [`streams`] | the GameLift Streams API, at a pace |
//! | [`store`] | the capture bucket |
//! | [`metrics`] | CloudWatch's embedded metric format |
//! | [`error`] | why an invocation fails |

pub mod archive;
pub mod arming;
pub mod aws;
pub mod config;
pub mod error;
pub mod indexing;
pub mod layout;
pub mod logging;
pub mod metrics;
pub mod record;
pub mod redacted;
pub mod report;
pub mod retention;
pub mod service;
pub mod session;
pub mod store;
pub mod streams;
pub mod triage;
pub mod trigger;
pub mod user;
pub mod verdict;
