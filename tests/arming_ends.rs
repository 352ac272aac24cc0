//! How sessions end, and what is recorded of those that were not captured. No game plays them: they are in the books of
//! GameLift Streams as a test writes them, and time passes by what lies in the bucket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::faults::Fault;
use crash_capture_local::lambda::LogLine;
use crash_capture_local::streams::{
    Arrival, ExportStatus, Operation, ServiceError, SessionId, Status, StatusReason, StreamSession,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use support::exports::logged;
use support::{
    Cloud, START_EXPORT, crash_after, event, export_on_paper, marker_key, session_event, session_on_paper,
};

/// The pauses between looks, in seconds.
const PAUSES: [i64; 4] = [60, 5 * 60, 30 * 60, 6 * 3600];

fn exited(session: &mut StreamSession) {
    session.status = Status::Terminated;
    session.status_reason = Some(StatusReason::ApplicationExit);
}

fn in_error(reason: StatusReason) -> impl FnOnce(&mut StreamSession) {
    move |session| {
        session.status = Status::Error;
        session.status_reason = Some(reason);
    }
}

/// A session that ends with an export in this status.
fn exported(status: ExportStatus) -> impl FnOnce(&mut StreamSession) {
    move |session| {
        exited(session);
        session.export.as_mut().unwrap().status = status;
    }
}

/// A session that ends, and of whose export the service knows nothing.
fn without_export(session: &mut StreamSession) {
    exited(session);
    session.export = None;
}

/// A live session that is armed.
async fn armed(cloud: &Cloud) -> SessionId {
    let session = cloud.write_down([session_on_paper(STREAM_GROUP, "abc")]).remove(0);
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"armed": 1}));
    session
}

/// A session whose export is indexed, but of which GameLift Streams does not tell why it ended.
async fn indexed_without_end_reason(cloud: &Cloud) -> SessionId {
    let session = armed(cloud).await;
    cloud.streams.change(&session, exported(ExportStatus::Succeeded)).unwrap();
    let failing = |arrival: &Arrival| {
        let error = ServiceError::InternalServer("not now".to_owned());
        (arrival.operation == Operation::GetStreamSession).then_some(Fault::Refused(error))
    };
    cloud.streams.inject(failing);
    let uri = cloud.streams.session(&session).unwrap().export.unwrap().output_uri;
    let key = uri.split_once(&format!("{}/", cloud.bucket)).unwrap().1;
    cloud.s3.put(&cloud.bucket, key, logged("all is well\n"), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    session
}

/// State and reason of a session's record.
async fn verdict(cloud: &Cloud, session: &SessionId) -> (String, String) {
    let record = cloud.record(session).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&record["state"]), text(&record["reason"]["code"]))
}

fn pair(state: &str, code: &str) -> (String, String) {
    (state.to_owned(), code.to_owned())
}

/// How long the marker says to wait, in seconds.
fn pause(marker: &Value) -> i64 {
    let next: Timestamp = marker["settling"]["nextLook"].as_str().unwrap().parse().unwrap();
    next.duration_since(Timestamp::now()).as_secs() + 1
}

fn reindex_requests(cloud: &Cloud) -> usize {
    let is_put = |entry: &crash_capture_local::s3::AccessLogEntry| {
        entry.operation == "PutObject" && entry.key.as_deref().is_some_and(|key| key.starts_with("reindex/"))
    };
    cloud.s3.access_log().entries().iter().filter(|entry| is_put(entry)).count()
}

#[tokio::test]
async fn a_session_that_ends_between_listing_and_export_is_missed() {
    let cloud = Cloud::start().await;
    let session = cloud.write_down([session_on_paper(STREAM_GROUP, "abc")]).remove(0);
    let (streams, ended) = (cloud.streams.clone(), session.clone());
    cloud.streams.inject(move |arrival| {
        if arrival.operation == Operation::ExportStreamSessionFiles {
            streams.change(&ended, exited).unwrap();
        }
        None
    });
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"not-yet": 1}));
    // The call may have worked, and its answer been lost: its export is looked for first.
    for _ in 0..2 {
        assert_eq!(cloud.sweep_answer().await["counts"], json!({"not-yet": 1}));
        cloud.let_pause_pass(&session).await;
    }
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 1}));
    assert_eq!(verdict(&cloud, &session).await, pair("missed", "never-armed"));
    assert_eq!(cloud.record(&session).await.unwrap().get("armedAt"), None);
}

#[tokio::test]
async fn an_older_listing_never_calls_an_armed_session_missed() {
    let cloud = Cloud::start().await;
    let session = cloud.write_down([session_on_paper(STREAM_GROUP, "abc")]).remove(0);
    // The first sweep has its listing, but comes to arming only when the second has armed, and the session is over.
    let (streams, held) = (cloud.streams.clone(), Arc::new(AtomicBool::new(false)));
    let id = session.clone();
    cloud.streams.inject(move |arrival| {
        let is_first =
            arrival.operation == Operation::ExportStreamSessionFiles && !held.swap(true, Ordering::Relaxed);
        if is_first {
            let uri = format!(
                "s3://crash-capture-capturebucket-local/exports/x/{}/2026-01-01/abc.zip",
                id.stream_group_id
            );
            streams.export(&id, &uri, "AKIASOMEBODYELSE0000").unwrap();
            streams.change(&id, exited).unwrap();
        }
        None
    });
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"already-armed": 1}));
    assert!(cloud.record(&session).await.is_none());
}

#[tokio::test]
async fn an_armed_session_whose_export_is_told_late_is_not_called_missed() {
    let cloud = Cloud::start_with(|options| options.switches.metadata_after = Duration::from_hours(1)).await;
    let session = armed(&cloud).await;
    cloud.streams.change(&session, exited).unwrap();
    let answer = cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"not-yet": 1}));
    for expected in &PAUSES[..2] {
        assert_eq!(cloud.sweep_answer().await["counts"], json!({"not-yet": 1}));
        let waits = pause(&cloud.read_json(&marker_key(&session)).await);
        assert!((expected - 60..=expected + 1).contains(&waits), "{waits} instead of {expected}");
        assert!(cloud.record(&session).await.is_none());
        cloud.let_pause_pass(&session).await;
    }
    // As if the request had never been made: who is killed before it leaves the same.
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 1}));
    assert_eq!(verdict(&cloud, &session).await, pair("missed", "never-armed"));
}

#[tokio::test]
async fn two_sweeps_at_once_arm_each_session_and_miss_none() {
    let cloud = Cloud::start().await;
    let sessions = cloud.write_down((0..50).map(|n| session_on_paper(STREAM_GROUP, &format!("s{n}"))));
    cloud.streams.inject(|_| Some(Fault::Late(Duration::from_millis(some_milliseconds()))));
    let (one, two) = tokio::join!(cloud.sweep_answer(), cloud.sweep_answer());
    for answer in [one, two] {
        assert_eq!(answer["counts"].get("missed"), None, "{answer}");
    }
    for session in &sessions {
        assert!(cloud.streams.session(session).unwrap().export.is_some());
        assert!(cloud.marker(session).await.unwrap()["armedAt"].is_string());
    }
}

/// Some milliseconds, each time others.
fn some_milliseconds() -> u64 {
    u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs()) / 1000 % 60
}

#[tokio::test]
async fn a_session_that_never_ran_is_no_loss() {
    let cloud = Cloud::start().await;
    let mut starting = session_on_paper(STREAM_GROUP, "starting");
    starting.status = Status::Activating;
    let sessions = cloud.write_down([starting, session_on_paper(STREAM_GROUP, "running")]);
    cloud.start_export(&session_event(&cloud, &sessions[0])).await;
    assert_eq!(cloud.marker(&sessions[0]).await.unwrap()["session"]["status"], "ACTIVATING");
    cloud.streams.inject(|arrival| {
        let error = crash_capture_local::streams::ServiceError::AccessDenied("not yet".into());
        (arrival.operation == Operation::ExportStreamSessionFiles).then_some(Fault::Refused(error))
    });
    cloud.start_export_failing(&session_event(&cloud, &sessions[1])).await;
    for session in &sessions {
        cloud.streams.change(session, in_error(StatusReason::InternalError)).unwrap();
    }
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 2}));
    assert_eq!(verdict(&cloud, &sessions[0]).await, pair("missed", "never-started"));
    // This one ran: it was seen.
    assert_eq!(verdict(&cloud, &sessions[1]).await, pair("missed", "never-armed"));
    let lines = cloud.lambda.logs(START_EXPORT).into_iter().map(|LogLine { text, .. }| text);
    let missed: u64 = lines
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .filter(|line| line.get("_aws").is_some() && line.get("StreamGroup").is_none())
        .map(|line| line["missed"].as_u64().unwrap())
        .sum();
    assert_eq!(missed, 1, "never-started is out of the metric");
}

impl Cloud {
    /// Invokes `start-export`, which must fail.
    async fn start_export_failing(&self, event: &Value) {
        assert!(self.lambda.invoke(START_EXPORT, event).await.unwrap().result.is_err());
    }
}

#[tokio::test]
async fn an_export_that_failed_or_went_elsewhere_is_recorded_at_the_first_look() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud).await;
    cloud.streams.change(&session, exported(ExportStatus::Failed)).unwrap();
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"failed": 1}));
    assert_eq!(verdict(&cloud, &session).await, pair("failed", "export-failed"));
    let mut elsewhere = session_on_paper(STREAM_GROUP, "elsewhere");
    elsewhere.export = Some(export_on_paper(ExportStatus::Pending, "s3://my-own-bucket/x.zip"));
    let elsewhere = cloud.write_down([elsewhere]).remove(0);
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"already-armed": 1, "settled": 1}));
    cloud.streams.change(&elsewhere, exported(ExportStatus::Succeeded)).unwrap();
    cloud.sweep_answer().await;
    assert_eq!(verdict(&cloud, &elsewhere).await, pair("missed", "exported-elsewhere"));
    let record = cloud.record(&elsewhere).await.unwrap();
    assert!(record["reason"]["detail"].as_str().unwrap().contains("s3://my-own-bucket/x.zip"), "{record}");
}

#[tokio::test]
async fn an_export_that_stays_pending_is_looked_at_less_and_less_and_given_up_after_a_day() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud).await;
    cloud.streams.change(&session, exported(ExportStatus::Pending)).unwrap();
    for (looks, expected) in PAUSES.into_iter().chain([PAUSES[3]; 2]).enumerate() {
        let calls = cloud.calls(Operation::GetStreamSession);
        cloud.sweep().await;
        cloud.sweep().await;
        // Nor does a process look that remembers nothing.
        cloud.lambda.kill(START_EXPORT).unwrap();
        cloud.sweep().await;
        assert_eq!(cloud.calls(Operation::GetStreamSession), calls + 1, "one look, and then the pause");
        let marker = cloud.read_json(&marker_key(&session)).await;
        assert_eq!(
            (&marker["settling"]["found"], &marker["settling"]["looks"]),
            (&json!("PENDING"), &json!(looks + 1))
        );
        let waits = pause(&marker);
        assert!((expected - 60..=expected + 1).contains(&waits), "{waits} instead of {expected}");
        cloud.let_pause_pass(&session).await;
    }
    let mut marker = cloud.read_json(&marker_key(&session)).await;
    marker["settling"]["endedAt"] = json!(Timestamp::now() - Duration::from_hours(25));
    cloud.put_json(&marker_key(&session), &marker).await;
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"failed": 1}));
    assert_eq!(verdict(&cloud, &session).await, pair("failed", "export-stuck"));
}

#[tokio::test]
async fn an_export_that_is_said_to_be_there_is_asked_for_at_each_look_and_given_up_at_last() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud).await;
    cloud.streams.change(&session, exported(ExportStatus::Succeeded)).unwrap();
    for (looks, expected) in PAUSES.into_iter().enumerate() {
        cloud.sweep().await;
        cloud.sweep().await;
        assert_eq!(reindex_requests(&cloud), looks + 1);
        let marker = cloud.read_json(&marker_key(&session)).await;
        let waits = pause(&marker);
        assert!((expected - 60..=expected + 1).contains(&waits), "{waits} instead of {expected}");
        assert!(cloud.record(&session).await.is_none());
        cloud.let_pause_pass(&session).await;
    }
    cloud.sweep().await;
    assert_eq!(reindex_requests(&cloud), 4);
    assert_eq!(verdict(&cloud, &session).await, pair("failed", "not-indexed"));
}

#[tokio::test]
async fn an_export_whose_event_was_lost_is_indexed_by_the_sweep() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&crash_after("2")).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    cloud.ended(&session).await;
    let record = cloud.s3.list(&cloud.bucket, "index/").await.unwrap().remove(0);
    cloud.s3.delete(&cloud.bucket, &record).unwrap();
    cloud.sweep().await;
    assert_eq!(cloud.record(&session).await.unwrap()["verdict"], "crash");
}

#[tokio::test]
async fn a_marker_goes_ten_minutes_after_its_record_was_written() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud).await;
    cloud.streams.change(&session, exported(ExportStatus::Failed)).unwrap();
    cloud.sweep().await;
    cloud.sweep().await;
    let record = cloud.s3.list(&cloud.bucket, "index/").await.unwrap().remove(0);
    for (minutes, is_there) in [(9, true), (2, false)] {
        cloud.s3.backdate(&cloud.bucket, &record, Duration::from_mins(minutes)).unwrap();
        cloud.lambda.kill(START_EXPORT).unwrap();
        cloud.sweep().await;
        assert_eq!(cloud.marker(&session).await.is_some(), is_there, "after {minutes} more minutes");
    }
}

#[tokio::test]
async fn a_session_that_is_settled_is_not_asked_about_any_more() {
    let cloud = Cloud::start().await;
    let [captured, lost] = ["captured", "lost"].map(|id| session_on_paper(STREAM_GROUP, id));
    let sessions = cloud.write_down([captured, lost]);
    cloud.sweep_answer().await;
    cloud.streams.change(&sessions[0], exported(ExportStatus::Failed)).unwrap();
    cloud.streams.change(&sessions[1], without_export).unwrap();
    for _ in 0..2 {
        cloud.sweep_answer().await;
        cloud.let_pause_pass(&sessions[1]).await;
    }
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 1, "settled": 1}));
    let calls = cloud.calls(Operation::GetStreamSession);
    let reads = || cloud.s3.access_log().entries().iter().filter(|it| it.operation == "GetObject").count();
    // One look finds the record; then the marker waits for ten minutes, and costs nothing.
    cloud.sweep_answer().await;
    let before = reads();
    for _ in 0..3 {
        cloud.sweep_answer().await;
    }
    assert_eq!(cloud.calls(Operation::GetStreamSession), calls);
    assert_eq!(reads() - before, 3, "when the last hourly look was");
}

#[tokio::test]
async fn a_marker_that_knows_too_little_to_find_its_record_goes_too() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud).await;
    let mut marker = cloud.read_json(&marker_key(&session)).await;
    let facts = marker["session"].as_object_mut().unwrap();
    facts.remove("createdAt").and(facts.remove("applicationId")).unwrap();
    cloud.put_json(&marker_key(&session), &marker).await;
    cloud.streams.change(&session, exported(ExportStatus::Failed)).unwrap();
    cloud.sweep().await;
    let record = cloud.s3.list(&cloud.bucket, "index/").await.unwrap().remove(0);
    cloud.sweep().await;
    assert!(cloud.marker(&session).await.is_some());
    cloud.s3.backdate(&cloud.bucket, &record, Duration::from_mins(11)).unwrap();
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.sweep().await;
    assert!(cloud.marker(&session).await.is_none());
}

#[tokio::test]
async fn a_session_that_the_service_has_forgotten_is_given_up_at_last() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud).await;
    let mut marker = cloud.read_json(&marker_key(&session)).await;
    marker["session"]["id"] = json!("gone");
    let gone = SessionId { id: "gone".into(), ..session };
    cloud.put_json(&marker_key(&gone), &marker).await;
    for _ in PAUSES {
        assert_eq!(cloud.sweep_answer().await["counts"]["not-found"], 1);
        cloud.let_pause_pass(&gone).await;
    }
    assert_eq!(cloud.sweep_answer().await["counts"]["failed"], 1);
    assert_eq!(verdict(&cloud, &gone).await, pair("failed", "export-stuck"));
}

#[tokio::test]
async fn a_session_is_judged_again_once_the_service_tells_why_it_ended() {
    let cloud = Cloud::start().await;
    let session = indexed_without_end_reason(&cloud).await;
    assert_eq!(verdict(&cloud, &session).await, pair("indexed", "end-reason-unknown"));
    // As long as it does not tell, it is asked less and less.
    cloud.sweep().await;
    assert_eq!((pause(&cloud.marker(&session).await.unwrap()), reindex_requests(&cloud)), (PAUSES[0], 0));
    cloud.streams.inject(|_| None);
    cloud.let_pause_pass(&session).await;
    cloud.sweep().await;
    assert_eq!(verdict(&cloud, &session).await, pair("indexed", "application-exit"));
    assert_eq!(reindex_requests(&cloud), 1);
    cloud.let_pause_pass(&session).await;
    cloud.sweep().await;
    assert_eq!(reindex_requests(&cloud), 1, "it is known now");
}

#[tokio::test]
async fn a_late_alarm_makes_a_session_suspect_that_was_judged_already() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&["--exit-after", "2"]).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    cloud.ended(&session).await;
    assert_eq!(cloud.record(&session).await.unwrap()["verdict"], "clean");
    cloud.events.put_raw(event("start-export/alarm-metric.json", &[]));
    cloud.bus.settled().await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["verdict"], &record["reason"]["code"]), (&json!("suspect"), &json!("alarm")));
    // And once more changes nothing.
    let requests = reindex_requests(&cloud);
    cloud.events.put_raw(event("start-export/alarm-metric.json", &[]));
    cloud.bus.settled().await;
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.sweep().await;
    assert_eq!(reindex_requests(&cloud), requests);
}

#[tokio::test]
async fn a_late_alarm_is_judged_at_once_also_while_the_next_look_for_an_end_reason_is_hours_away() {
    let cloud = Cloud::start().await;
    let session = indexed_without_end_reason(&cloud).await;
    for pause_in_seconds in PAUSES {
        cloud.sweep().await;
        let marker = cloud.marker(&session).await.unwrap();
        assert_eq!(pause(&marker), pause_in_seconds);
        if pause_in_seconds != PAUSES[3] {
            cloud.let_pause_pass(&session).await;
        }
    }
    let alarm = event("start-export/alarm-direct-action.json", &[]);
    assert_eq!(cloud.start_export(&alarm).await["counts"], json!({"settled": 1}));
    cloud.bus.settled().await;
    assert_eq!(verdict(&cloud, &session).await, pair("indexed", "alarm"));
}

#[tokio::test]
async fn a_late_alarm_is_noted_in_the_record_of_a_session_that_was_not_captured() {
    let cloud = Cloud::start().await;
    let sessions = ["failed", "missed"].map(|id| session_on_paper(STREAM_GROUP, id));
    let sessions = cloud.write_down(sessions);
    cloud.sweep_answer().await;
    cloud.streams.change(&sessions[0], exported(ExportStatus::Failed)).unwrap();
    cloud.streams.change(&sessions[1], without_export).unwrap();
    for pauses in 0..3 {
        cloud.sweep_answer().await;
        if pauses < 2 {
            cloud.let_pause_pass(&sessions[1]).await;
        }
    }
    let before = [cloud.record(&sessions[0]).await.unwrap(), cloud.record(&sessions[1]).await.unwrap()];
    cloud.lambda.kill(START_EXPORT).unwrap();
    let alarm = event("start-export/alarm-direct-action.json", &[]);
    assert_eq!(cloud.start_export(&alarm).await["counts"], json!({"settled": 2}));
    cloud.bus.settled().await;
    for (session, mut expected) in sessions.iter().zip(before) {
        assert_eq!(expected.get("alarms"), None);
        let record = cloud.record(session).await.unwrap();
        assert_eq!(record["alarms"][0]["name"], alarm["alarmData"]["alarmName"]);
        expected["alarms"] = record["alarms"].clone();
        assert_eq!(record, expected, "nothing else is changed");
    }
    assert_eq!(reindex_requests(&cloud), 1, "the export that failed may have come after all");
    // Once is enough, also for a process that remembers nothing; and then the marker goes as ever.
    let contents = cloud.contents().await;
    cloud.start_export(&alarm).await;
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.sweep().await;
    assert_eq!((cloud.contents().await, reindex_requests(&cloud)), (contents, 1));
    for key in cloud.s3.list(&cloud.bucket, "index/").await.unwrap() {
        cloud.s3.backdate(&cloud.bucket, &key, Duration::from_mins(11)).unwrap();
    }
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.sweep().await;
    assert_eq!(cloud.s3.list(&cloud.bucket, "open/").await.unwrap(), [""; 0]);
}
