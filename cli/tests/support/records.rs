//! Captures of a small studio: two applications, two stream groups, three days.

use serde_json::{Value, json};

use super::Deployment;

pub(crate) const GAME: &str = "a-9ZY8X7Wv6";
pub(crate) const OTHER_GAME: &str = "a-OtherGame1";
pub(crate) const GROUP: &str = "sg-1AB2C3De4";
pub(crate) const OTHER_GROUP: &str = "sg-9OtherOne";

/// The signature of the crash that happened three times.
pub(crate) const FREQUENT: &str = "9f86d081884c7d65";
/// The signature of the crash that happened once.
pub(crate) const RARE: &str = "0badc0de0badc0de";

/// The session that crashed last, whose export is there.
pub(crate) const LATEST: &str = "ABC123def4567";

/// Who played two of the sessions, and what `docs/record.md` says that the hash is.
pub(crate) const USER: &str = "player-4711";
pub(crate) const HASHED_USER: &str = "41985fe8b3594bbd";

/// How many captures there are where there are many, and of how many days.
pub(crate) const CAPTURES: usize = 10_000;
pub(crate) const DAYS: usize = 20;

/// A deployment with ten thousand captures, of which each hundredth is a crash.
pub(crate) async fn many() -> Deployment {
    let deployment = Deployment::start().await;
    for number in 0..CAPTURES {
        let (day, second) = (number % DAYS + 1, number / DAYS);
        let created = format!("2026-10-{day:02}T10:{:02}:{:02}Z", second / 60, second % 60);
        let verdict = if number % 100 == 0 { "crash" } else { "clean" };
        let record = indexed(GAME, GROUP, &format!("S{number:012}"), &created, verdict);
        deployment.put(&record_key(&record), record.to_string()).await;
    }
    deployment
}

/// Every object of the index, and every marker: keys and contents.
pub(crate) fn all() -> Vec<(String, Value)> {
    let crash = |id: &str, at: &str, build: &str, signature: &str| {
        let mut record = indexed(GAME, GROUP, id, at, "crash");
        record["signature"] = self::signature(signature);
        record["exception"] =
            json!({"type": "EXCEPTION_ACCESS_VIOLATION_READ", "module": "game.exe", "offset": "0x8d8b1a"});
        record["build"] =
            json!({"id": "5F3C2A1B", "version": build, "engine": "unreal", "engineVersion": "5.3.2"});
        record
    };
    let mut first = crash("AAA111aaa1111", "2026-11-21T08:00:00Z", "1.0.4711", FREQUENT);
    first["signature"]["firstSeen"] = true.into();
    let (mut second, mut latest) = (
        crash("AAA222aaa2222", "2026-11-22T09:30:00Z", "1.0.4711", FREQUENT),
        crash(LATEST, "2026-11-23T10:15:02Z", "1.1.4800", FREQUENT),
    );
    second["session"]["userId"] = USER.into();
    latest["session"]["userId"] = HASHED_USER.into();
    let records = [
        first,
        second,
        crash("ABB333bbb3333", "2026-11-23T07:00:00Z", "1.1.4800", RARE),
        latest,
        indexed(GAME, OTHER_GROUP, "CCC444ccc4444", "2026-11-23T08:00:00Z", "suspect"),
        indexed(OTHER_GAME, GROUP, "DDD555ddd5555", "2026-11-22T23:59:59Z", "clean"),
        lost(
            "missed",
            "EEE666eee6666",
            "2026-11-23T09:00:00Z",
            "never-seen",
            "it began and ended between two looks",
        ),
        lost(
            "missed",
            "FFF777fff7777",
            "2026-11-22T09:00:00Z",
            "never-seen",
            "it began and ended between two looks",
        ),
        lost(
            "failed",
            "GGG888ggg8888",
            "2026-11-21T09:00:00Z",
            "export-failed",
            "AccessDenied: the bucket's policy",
        ),
    ];
    let open = [
        marker("HHH999hhh9999", "2026-11-23T10:20:00Z", &json!({"armedAt": "2026-11-23T10:20:10Z"})),
        marker("III000iii0000", "2026-11-23T10:21:00Z", &json!({"denied": "AccessDenied: not yours"})),
    ];
    records.into_iter().map(|record| (record_key(&record), record)).chain(open).collect()
}

/// An indexed session.
pub(crate) fn indexed(application: &str, group: &str, id: &str, created: &str, verdict: &str) -> Value {
    let day = &created[..10];
    json!({
        "schema": 1, "state": "indexed", "verdict": verdict,
        "reason": {"code": verdict, "detail": format!("the files tell {verdict}")}, "triageVersion": 1,
        "session": session(application, group, id, created),
        "indexedAt": "2026-11-23T10:46:10.25Z",
        "export": {
            "bucket": super::BUCKET, "key": format!("exports/{application}/{group}/{day}/{id}.zip"), "size": 1_048_576,
            "expiresOn": "2027-05-23"
        },
        "report": {"key": format!("reports/{application}/{group}/{day}/{id}.html")},
    })
}

fn lost(state: &str, id: &str, created: &str, code: &str, detail: &str) -> Value {
    json!({
        "schema": 1, "state": state, "reason": {"code": code, "detail": detail},
        "session": session(GAME, GROUP, id, created),
    })
}

/// The marker of a session: key and content.
pub(crate) fn marker(id: &str, created: &str, more: &Value) -> (String, Value) {
    let mut marker = json!({
        "schema": 1, "session": session(GAME, GROUP, id, created), "trigger": {"kind": "sweep", "at": created},
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        marker[name] = value.clone();
    }
    (format!("open/{GROUP}/{id}.json"), marker)
}

fn session(application: &str, group: &str, id: &str, created: &str) -> Value {
    json!({
        "arn": format!("arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/{group}/{id}"),
        "id": id, "streamGroupId": group, "applicationId": application, "location": "us-west-2", "createdAt": created,
        "status": "TERMINATED", "endReason": "applicationExit"
    })
}

fn signature(id: &str) -> Value {
    let title = if id == FREQUENT {
        "EXCEPTION_ACCESS_VIOLATION_READ/null | game-win64-shipping"
    } else {
        "Assertion failed: IsValid(World) | UWorld::Tick"
    };
    json!({"version": 1, "id": id, "title": title, "fingerprint": "c0ffee254729296a", "confidence": "high", "firstSeen": false})
}

/// Where a record lies.
pub(crate) fn record_key(record: &Value) -> String {
    let session = |field: &str| record["session"][field].as_str().unwrap_or_default().to_owned();
    let (created, application) = (session("createdAt"), session("applicationId"));
    format!(
        "index/v1/dt={}/{application}/{}/{}.json",
        &created[..10],
        session("streamGroupId"),
        session("id")
    )
}
