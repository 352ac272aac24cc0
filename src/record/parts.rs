//! What a record tells of an export: the object, the crash, the build, the files.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::redacted::Redacted;

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

/// The page for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportObject {
    /// Its key, in the bucket of the captures.
    pub key: String,
}

/// What makes two crashes the same. It is scoped by the application: equal ids of two applications mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// The version of the rules: 1.
    pub version: u32,
    /// The same for a crash across builds: 16 hexadecimal digits.
    pub id: String,
    /// What the id stands for, for people: at most 255 characters.
    pub title: Redacted,
    /// The same for a crash at the same place of the same build: 16 hexadecimal digits.
    pub fingerprint: String,
    /// `high`, `medium`, `low`: how surely equal ids mean equal crashes.
    pub confidence: String,
    /// Whether this is the session in which it was seen first: true for exactly one. Nothing where nobody could ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<bool>,
    /// Whether it had been resolved, and came back in another build; nothing where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regressed: Option<bool>,
    /// Whether this is the session in which it was seen to have come back first: true for exactly one each time that it is
    /// resolved. Nothing where it did not come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_regressed: Option<bool>,
    /// Whether nobody wants to hear of it; nothing where nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
}

/// Where and how it crashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// The text of the crate `minidump`'s `CrashReason`, or the engine's own word.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Redacted>,
    /// What was said about it: an assertion's condition, an exception's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Redacted>,
    /// `null` (below 64 KiB), `non-canonical` or `other`: which kind of address could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The module that the instruction pointer lies in: its file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<Redacted>,
    /// The instruction pointer's offset in this module, as `0x…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// The thread's name, or its id where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Redacted>,
}

/// Which build it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The build id of the main module: a PE's debug id, an ELF file's build id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the game calls its build: Unreal's `BuildVersion`, the file version that Unity's log tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Redacted>,
    /// `unreal`, `unity`, `godot`; open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The engine's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_version: Option<Redacted>,
    /// Unreal's: `Shipping`, `Development`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Redacted>,
}

/// A file that bears on the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `ue-crash-context`, `minidump`, `log`, …; `docs/triage.md` has them all; open.
    pub kind: String,
    /// Its path in the zip, made harmless for display, without a user's name.
    pub path: Redacted,
    /// Its size in bytes, as the zip declares it.
    pub size: u64,
    /// What it tells, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells: Option<Redacted>,
}

/// How the session fared, by the service's performance stats. Shares are of what the session is entitled to: above 1 it takes more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Performance {
    /// From the first row to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// The most memory that it took, in MiB.
    #[serde(rename = "peakMemoryMiB", default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_mib: Option<u64>,
    /// The largest share of its memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_share: Option<f64>,
    /// The largest share of its processor time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_cpu_share: Option<f64>,
    /// The most of the machine's graphics memory that was in use, in percent, other sessions included: a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_vram_percent: Option<u64>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_minute: Option<LastMinute>,
    /// `memory`, `vram`, `cpu`: what ran short in the last minute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pressure: Vec<String>,
}

// Figures are finite: what is not a number is not read.
impl Eq for Performance {}
impl Eq for LastMinute {}

/// How the session fared in its last minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastMinute {
    /// The largest share of its memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_share: Option<f64>,
    /// The share of its processor time, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_share: Option<f64>,
    /// The most of the machine's graphics memory that was in use, in percent: a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vram_percent: Option<u64>,
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
