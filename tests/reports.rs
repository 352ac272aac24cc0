//! Reports: each settled session has one, and it is that of the record in the index, whoever wrote last.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/local_s3.rs"]
mod local_s3;
mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crash_capture::record::{Judgement, Reason, Record, ReportObject, SessionFacts, State};
use crash_capture::session::{Id, SessionName};
use crash_capture::store::{RecordWrite, Store};
use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::streams::{ExportStatus, Status, StatusReason, StreamSession};
use serde_json::{Value, json};

use local_s3::{BUCKET, LocalS3};
use support::exports::crashed;
use support::{Cloud, INDEX_EXPORT, START_EXPORT, session_event, session_on_paper};

async fn put(cloud: &Cloud, session: &str) -> Value {
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{session}.zip");
    cloud.s3.put(&cloud.bucket, &key, crashed(0), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let record = format!("index/v1/dt=2026-11-23/{APPLICATION}/{STREAM_GROUP}/{session}.json");
    cloud.read_json(&record).await
}

async fn page(cloud: &Cloud, record: &Value) -> String {
    let key = record["report"]["key"].as_str().unwrap();
    String::from_utf8(cloud.s3.read(&cloud.bucket, key).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_crash_has_a_report_that_tells_of_it_and_of_where_it_was_seen_before() {
    let cloud = Cloud::start().await;
    let (first, second) = (put(&cloud, "first").await, put(&cloud, "second").await);
    let key = format!("reports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/first.html");
    assert_eq!(first["report"], json!({"key": key}));
    let (first, second) = (page(&cloud, &first).await, page(&cloud, &second).await);
    for text in [
        "<span class=\"badge crash\">Crash</span>",
        "<bdi>assert | is_zero | zero.cpp</bdi>",
        "<dt>First seen</dt><dd><bdi>in this session</bdi>",
        "<mark>[2026.11.23-10.16.02:000][  9]LogWindows: Error: appError called: Assertion failed: is_zero",
        "crash-capture get first",
        "UEMinidump.dmp",
        "S3 deletes the zip when ",
    ] {
        assert!(first.contains(text), "{text}: {first}");
    }
    assert!(second.contains("session first</bdi>") && !second.contains("in this session"), "{second}");

    let before = cloud.results().await;
    for session in ["first", "second"] {
        let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{session}.zip");
        cloud.index_export(&json!({"bucket": cloud.bucket, "key": key})).await;
    }
    assert_eq!(cloud.results().await, before, "indexed again, it is the same");
}

#[tokio::test]
async fn a_session_that_was_missed_has_a_report_that_says_what_to_change() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&[]).await;
    cloud.streams.terminate(&session).unwrap();
    cloud.ended(&session).await;
    cloud.tell(&session).await;
    let record = cloud.record(&session).await.unwrap();
    let page = page(&cloud, &record).await;
    for text in ["<span class=\"badge missed\">Missed</span>", "What to do", "SweepEverySeconds"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let before = cloud.results().await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(cloud.results().await, before, "told again, it is the same");
}

#[tokio::test]
async fn whoever_was_killed_after_the_report_or_the_record_leaves_the_same_in_the_end() {
    let whole = Cloud::start().await;
    put(&whole, "first").await;
    let written = ["signatures/", "reports/", "index/"];
    for last in 1..=written.len() {
        let cloud = Cloud::start().await;
        for (key, content) in whole.contents().await {
            if written[..last].iter().any(|prefix| key.starts_with(prefix)) {
                cloud.s3.put(&cloud.bucket, &key, content, "111122223333").await.unwrap();
            }
        }
        put(&cloud, "first").await;
        let report = format!("reports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/first.html");
        let read = async |cloud: &Cloud| cloud.s3.read(&cloud.bucket, &report).await.unwrap();
        assert_eq!(read(&cloud).await, read(&whole).await, "after {}", written[last - 1]);
    }
}

#[tokio::test]
async fn no_record_names_a_report_that_could_not_be_written() {
    let cloud = Cloud::start().await;
    let reports = format!("arn:aws:s3:::{}/reports/*", cloud.bucket);
    cloud.deny(INDEX_EXPORT, "s3:PutObject", &reports).unwrap();
    cloud.will_refuse("s3:PutObject");
    let key = format!("exports/by-hand/20261123-010203-{APPLICATION}-{STREAM_GROUP}-ABC123def4567.zip");
    cloud.s3.put(&cloud.bucket, &key, crashed(0), "111122223333").await.unwrap();
    let event = json!({"bucket": cloud.bucket, "key": key});
    let error = cloud.lambda.invoke(INDEX_EXPORT, &event).await.unwrap().result.unwrap_err();
    assert!(error.error_message().contains("PutObject: AccessDenied"), "{}", error.error_message());
    assert!(cloud.s3.list(&cloud.bucket, "index/").await.unwrap().is_empty());
    cloud.bus.settled().await;
}

/// Lets the sweep come when the records are old enough that their markers have done their work.
async fn sweep_later(cloud: &Cloud) {
    for key in cloud.s3.list(&cloud.bucket, "index/").await.unwrap() {
        cloud.s3.backdate(&cloud.bucket, &key, Duration::from_mins(11)).unwrap();
    }
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.sweep().await;
    cloud.bus.settled().await;
}

/// What records and reports say; when and by whom they were written aside.
async fn said(cloud: &Cloud) -> Vec<(String, String)> {
    let mut said = Vec::new();
    for (key, content) in cloud.results().await {
        if key.starts_with("index/") {
            let mut record: Value = serde_json::from_slice(&content).unwrap();
            record.as_object_mut().unwrap().retain(|key, _| !["indexedAt", "indexedBy"].contains(&&**key));
            said.push((key, record.to_string()));
        } else if key.starts_with("reports/") {
            said.push((key, String::from_utf8(content).unwrap()));
        }
    }
    said
}

/// A session that ends, and whose export has this status then.
fn ended(status: ExportStatus) -> impl FnOnce(&mut StreamSession) {
    move |session| {
        (session.status, session.status_reason) = (Status::Terminated, Some(StatusReason::ApplicationExit));
        session.export.as_mut().unwrap().status = status;
    }
}

#[tokio::test]
async fn the_sweep_mends_a_report_that_is_not_its_records_before_it_deletes_the_marker() {
    let cloud = Cloud::start().await;
    let sessions = ["indexed", "reported", "failed"].map(|id| session_on_paper(STREAM_GROUP, id));
    let sessions = cloud.write_down(sessions);
    cloud.sweep().await;
    for session in &sessions[..2] {
        cloud.streams.change(session, ended(ExportStatus::Succeeded)).unwrap();
        let uri = cloud.streams.session(session).unwrap().export.unwrap().output_uri;
        let key = uri.strip_prefix(&format!("s3://{}/", cloud.bucket)).unwrap();
        cloud.s3.put(&cloud.bucket, key, crashed(0), "111122223333").await.unwrap();
    }
    cloud.streams.change(&sessions[2], ended(ExportStatus::Failed)).unwrap();
    cloud.bus.settled().await;
    cloud.sweep().await;
    let before = said(&cloud).await;
    // Of one the report is lost, of one it is another's; and of one the record never came, after its report.
    let (mut records, mut reports) = (Vec::new(), Vec::new());
    for session in &sessions {
        let record = cloud.record(session).await.unwrap();
        reports.push(record["report"]["key"].as_str().unwrap().to_owned());
        records.push(record);
    }
    cloud.s3.delete(&cloud.bucket, &reports[0]).unwrap();
    let mut lost = records[2].clone();
    (lost["session"], lost["report"]) = (records[1]["session"].clone(), records[1]["report"].clone());
    let index = cloud.s3.list(&cloud.bucket, "index/").await.unwrap();
    cloud.put_json(index.iter().find(|key| key.contains("reported")).unwrap(), &lost).await;
    cloud.s3.put(&cloud.bucket, &reports[2], b"another's".to_vec(), "111122223333").await.unwrap();
    sweep_later(&cloud).await;
    for (session, report) in sessions.iter().zip(&reports) {
        assert!(cloud.marker(session).await.is_some(), "{report}: it is looked at once more");
        cloud.let_pause_pass(session).await;
    }
    assert_eq!(said(&cloud).await, before);
    sweep_later(&cloud).await;
    assert_eq!(cloud.s3.list(&cloud.bucket, "open/").await.unwrap(), [""; 0]);
    assert_eq!(said(&cloud).await, before);
}

const RECORD: &str = "index/v1/dt=2026-11-23/a-1/sg-1/abc.json";
const REPORT: &str = "reports/a-1/sg-1/2026-11-23/abc.html";

/// A record of this triage version, which says this.
fn record(version: u32, says: &str) -> Record {
    let id = |text: &str| Id::try_from(text.to_owned()).unwrap();
    let name = SessionName { stream_group: id("sg-1"), id: id("abc") };
    let mut record = Record::new(State::Indexed, SessionFacts::of_name(&name));
    record.judgement = Judgement {
        triage_version: Some(version),
        reason: Some(Reason::new("evidence", says)),
        ..Judgement::default()
    };
    record.report = Some(ReportObject { key: REPORT.to_owned() });
    record
}

/// The page of a record, by a function of this triage version.
fn by(version: u32) -> impl Fn(&Record) -> Option<String> + Copy {
    move |record| {
        let is_of_it = record.judgement.triage_version == Some(version);
        is_of_it.then(|| format!("version {version}: {}", record.judgement.reason.as_ref().unwrap().detail))
    }
}

async fn settle(store: &Store, version: u32, says: &str) -> Record {
    let record = record(version, says);
    let won = match store.settle(RECORD, &record, by(version)).await.unwrap() {
        RecordWrite::Written(_) => record,
        RecordWrite::Kept(won) => *won,
    };
    store.confirm_report(RECORD, &won, by(version)).await.unwrap();
    won
}

async fn report(s3: &LocalS3) -> String {
    String::from_utf8(s3.s3.read(BUCKET, REPORT).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_browser_is_told_what_a_report_is() {
    let s3 = LocalS3::start().await;
    settle(&s3.store, 1, "what happened").await;
    let got = s3.client.get_object().bucket(BUCKET).key(REPORT).send().await.unwrap();
    assert_eq!(got.content_type(), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn an_older_triages_report_does_not_replace_a_newer_ones() {
    let s3 = LocalS3::start().await;
    settle(&s3.store, 2, "new").await;
    let won = settle(&s3.store, 1, "old").await;
    assert_eq!((won, report(&s3).await.as_str()), (record(2, "new"), "version 2: new"));
}

#[tokio::test]
async fn a_report_that_somebody_wrote_whose_record_lost_is_mended() {
    let s3 = LocalS3::start().await;
    let mine = record(1, "mine");
    s3.store.settle(RECORD, &mine, by(1)).await.unwrap();
    // Another invocation had read nothing, and writes now; its record came before.
    let others = record(1, "other");
    s3.s3.delete(BUCKET, RECORD).unwrap();
    s3.store.settle(RECORD, &others, by(1)).await.unwrap();
    s3.put(RECORD, serde_json::to_vec(&mine).unwrap()).await;
    assert_eq!(report(&s3).await, "version 1: other");
    s3.store.confirm_report(RECORD, &mine, by(1)).await.unwrap();
    assert_eq!(report(&s3).await, "version 1: mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_write_at_once_report_and_record_are_the_same_ones() {
    static ROUND: AtomicU32 = AtomicU32::new(0);
    let s3 = LocalS3::start().await;
    for _ in 0..20 {
        let round = ROUND.fetch_add(1, Ordering::Relaxed);
        for key in [RECORD, REPORT] {
            s3.s3.delete(BUCKET, key).unwrap();
        }
        let writers = ["a", "b", "c", "d"].map(|name| {
            let (store, says) = (s3.store.clone(), format!("{name} of round {round}"));
            tokio::spawn(async move { settle(&store, 1, &says).await })
        });
        for writer in writers {
            writer.await.unwrap();
        }
        let kept: Record = serde_json::from_slice(&s3.s3.read(BUCKET, RECORD).await.unwrap()).unwrap();
        assert_eq!(by(1)(&kept), Some(report(&s3).await));
    }
}
