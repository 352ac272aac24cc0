//! What the demo shows is checked: against the game's own symbols, S3's tags, and what was to happen.

use serde_json::{Value, json};

use super::story::ALARM;
use super::{Chapter, Played};
use crate::cloud::LocalCloud;
use crate::game::crash_site;

/// Something that is not as it should be, in words.
pub type Difference = String;

/// Where what became of the sessions differs from what should have.
pub(super) async fn compare(cloud: &LocalCloud, played: &[Played]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for played in played {
        differences.extend(session(cloud, played).await);
    }
    for queue in &cloud.stack.queues {
        let count = cloud.dead_letters(&queue.logical_id).len();
        if count > 0 {
            differences.push(format!("{count} events ended in {}", queue.name));
        }
    }
    differences.extend(cloud.iam.ledger().refusals.iter().map(ToString::to_string));
    differences
}

async fn session(cloud: &LocalCloud, played: &Played) -> Vec<Difference> {
    let record = &played.record;
    let expected: &[(&str, Value)] = match played.chapter {
        Chapter::Crash => &[
            ("/state", json!("indexed")),
            ("/verdict", json!("crash")),
            ("/session/endReason", json!("applicationExit")),
            ("/exception/module", json!("game")),
        ],
        Chapter::Clean => &[("/state", json!("indexed")), ("/verdict", json!("clean"))],
        Chapter::Early => &[
            ("/state", json!("missed")),
            ("/reason/code", json!("never-armed")),
            ("/session/endReason", json!("applicationExit")),
        ],
        Chapter::Hang => {
            &[("/state", json!("indexed")), ("/verdict", json!("suspect")), ("/alarms/0/name", json!(ALARM))]
        }
    };
    let mut differences: Vec<_> = expected
        .iter()
        .filter(|(pointer, value)| record.pointer(pointer) != Some(value))
        .map(|(pointer, value)| {
            let found = record.pointer(pointer).cloned().unwrap_or_default();
            format!("the game that {}: {pointer} is {found}, not {value}", played.chapter.title())
        })
        .collect();
    if played.chapter == Chapter::Crash {
        differences.extend(crash_place(cloud, record));
    }
    differences.extend(report(cloud, record).await);
    if record["state"] == "indexed" {
        differences.extend(tag(cloud, record).await);
    }
    differences
}

/// The dump's instruction pointer lies in the function in which the game crashes, says the game's symbol table.
fn crash_place(cloud: &LocalCloud, record: &Value) -> Option<Difference> {
    let offset = record["exception"]["offset"].as_str().and_then(|offset| offset.strip_prefix("0x"));
    let offset = offset.and_then(|offset| u64::from_str_radix(offset, 16).ok());
    match (offset, crash_site(&cloud.game)) {
        (Some(offset), Ok(site)) if site.contains(&offset) => None,
        (offset, site) => Some(format!("the crash is at {offset:#x?}, and the game's symbol at {site:#x?}")),
    }
}

/// The report is there, and is of this session.
async fn report(cloud: &LocalCloud, record: &Value) -> Option<Difference> {
    let key = record["report"]["key"].as_str().unwrap_or_default();
    let page = cloud.s3.read(&cloud.bucket, key).await.unwrap_or_default();
    let page = String::from_utf8_lossy(&page);
    let session = record["session"]["id"].as_str().unwrap_or_default();
    (!page.starts_with("<!DOCTYPE html>") || !page.contains(session))
        .then(|| format!("{key} is no report of the session {session}"))
}

async fn tag(cloud: &LocalCloud, record: &Value) -> Option<Difference> {
    let key = record["export"]["key"].as_str().unwrap_or_default();
    let tags = cloud.s3.tags(&cloud.bucket, key).await.ok();
    let tag = tags.and_then(|mut tags| tags.remove("Verdict"));
    (tag.as_deref() != record["verdict"].as_str()).then(|| format!("{key} has the tag Verdict={tag:?}"))
}
