//! What a record tells of an export: the object, the crash, the build, the files.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The zip that a record was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its version, in a versioned bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Its `ETag`, without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The day at whose beginning, in UTC, S3 deletes it, by the bucket's lifecycle rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
}

/// Where and how it crashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The text of the crate `minidump`'s `CrashReason`, or the engine's own word.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The module that the instruction pointer lies in: its file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The instruction pointer's offset in this module, as `0x…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// The thread's name, or its id where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

/// Which build it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The build id of the main module: a PE's debug id, an ELF file's build id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A file that bears on the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `minidump`, `log`; open.
    pub kind: String,
    /// Its path in the zip, made harmless for display.
    pub path: String,
    /// Its size in bytes, as the zip declares it.
    pub size: u64,
}

/// What the zip holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Files, folders not counted.
    pub count: u64,
    /// Their sizes in bytes, as the zip declares them.
    pub bytes: u64,
    /// Files below each of the export's folders; whatever else there is counts as `other`.
    pub roots: Roots,
}

/// Files below each folder of an export (developer guide, "Export stream session files").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roots {
    /// The game's own folder.
    pub application: u64,
    /// The user's profile.
    pub profile: u64,
    /// The system's temporary folder.
    pub temp: u64,
    /// Performance statistics.
    pub stats: u64,
    /// Anything else.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub other: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
