//! The modules that the fuzz targets are about, alone: what they need builds in a minute, the AWS SDK does not.

#[path = "../../../src/archive/mod.rs"]
pub mod archive;
#[path = "../../../src/layout.rs"]
pub mod layout;
#[path = "../../../src/record/mod.rs"]
pub mod record;
#[path = "../../../src/redacted.rs"]
pub mod redacted;
#[path = "../../../src/session.rs"]
pub mod session;
#[path = "../../../src/triage/mod.rs"]
pub mod triage;
#[path = "../../../src/verdict.rs"]
pub mod verdict;
