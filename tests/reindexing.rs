//! An export is indexed again, by hand or after an upgrade: nothing that was known is forgotten.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::faults::Fault;
use crash_capture_local::streams::{ServiceError, SessionId, Status, StatusReason};
use serde_json::{Value, json};

use support::exports::crashed;
use support::{CRASH, Cloud, QUIT, event, long_since, marker_key, session_event, session_on_paper};

/// A session that quit, long after an alarm selected it.
async fn alarmed(cloud: &Cloud) -> SessionId {
    let session = cloud.play_as(long_since(&QUIT)).await;
    cloud.start_export(&session_event(cloud, &session)).await;
    cloud.start_export(&event("start-export/alarm-metric.json", &[])).await;
    cloud.now(&session);
    cloud.ended(&session).await;
    session
}

async fn index_again(cloud: &Cloud, record: &Value) -> Value {
    cloud.index_export(&json!({"bucket": cloud.bucket, "key": record["export"]["key"]})).await
}

/// The record, as if it were the work of an earlier version of triage, which judges anew.
async fn make_old(cloud: &Cloud, session: &SessionId, mut record: Value) {
    record["triageVersion"] = json!(0);
    let keys = cloud.s3.list(&cloud.bucket, "index/v1/").await.unwrap();
    let key = keys.into_iter().find(|key| key.ends_with(&format!("/{}.json", session.id))).unwrap();
    cloud.put_json(&key, &record).await;
}

fn without_times(mut record: Value) -> Value {
    for field in ["indexedAt", "indexedBy"] {
        record.as_object_mut().unwrap().remove(field);
    }
    record
}

#[tokio::test]
async fn without_its_marker_a_record_keeps_trigger_alarms_and_when_it_was_armed() {
    let cloud = Cloud::start().await;
    let session = alarmed(&cloud).await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["verdict"], &record["reason"]["code"]), (&json!("suspect"), &json!("alarm")));
    cloud.s3.delete(&cloud.bucket, &marker_key(&session)).unwrap();
    let answer = index_again(&cloud, &record).await;
    assert_eq!(answer["announce"], false, "it says the same");
    assert_eq!(cloud.record(&session).await.unwrap(), record);
    make_old(&cloud, &session, record.clone()).await;
    let answer = index_again(&cloud, &record).await;
    assert_eq!((&answer["announce"], &answer["triageVersion"]), (&json!(false), &json!(1)), "it is no news");
    assert_eq!(without_times(cloud.record(&session).await.unwrap()), without_times(record));
}

#[tokio::test]
async fn what_gamelift_streams_has_forgotten_the_record_remembers() {
    let cloud = Cloud::start().await;
    let session = cloud.play_as(long_since(&QUIT)).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    cloud.now(&session);
    cloud.ended(&session).await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!(
        (&record["verdict"], &record["reason"]["code"]),
        (&json!("exited"), &json!("application-exit"))
    );
    cloud.s3.delete(&cloud.bucket, &marker_key(&session)).unwrap();
    cloud.streams.inject(|_| Some(Fault::Refused(ServiceError::ResourceNotFound("No such session".into()))));
    make_old(&cloud, &session, record.clone()).await;
    let answer = index_again(&cloud, &record).await;
    assert_eq!((&answer["announce"], &answer["triageVersion"]), (&json!(false), &json!(1)), "it is no news");
    assert_eq!(without_times(cloud.record(&session).await.unwrap()), without_times(record));
}

#[tokio::test]
async fn an_export_that_is_named_by_the_sessions_end_has_one_record_also_when_all_else_is_forgotten() {
    let cloud = Cloud::start().await;
    let mut session = session_on_paper(STREAM_GROUP, "overnight");
    session.created_at = "2026-11-22T23:50:00Z".parse().unwrap();
    (session.status, session.status_reason) = (Status::Terminated, Some(StatusReason::ApplicationExit));
    let id = cloud.write_down([session]).remove(0);
    let key = format!("exports/by hand/20261123-000500-{APPLICATION}-{STREAM_GROUP}-overnight.zip");
    cloud.s3.put(&cloud.bucket, &key, crashed(0), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let record = cloud.record(&id).await.unwrap();
    cloud.streams.inject(|_| Some(Fault::Refused(ServiceError::ResourceNotFound("No such session".into()))));
    assert_eq!(index_again(&cloud, &record).await["announce"], false, "it says the same");
    let records = cloud.s3.list(&cloud.bucket, "index/v1/").await.unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(cloud.record(&id).await.unwrap(), record);
}

#[tokio::test]
async fn what_is_judged_otherwise_is_news_and_what_only_says_more_is_none() {
    let cloud = Cloud::start().await;
    let session = cloud.play_as(long_since(&CRASH)).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    cloud.now(&session);
    cloud.ended(&session).await;
    let mails = || cloud.published("NewsTopic").len();
    assert_eq!(mails(), 1);
    // A late alarm.
    let mut marker = cloud.marker(&session).await.unwrap();
    marker["alarms"] = json!([{"name": "gamelift-streams-frames", "at": "2026-11-23T10:00:00Z"}]);
    cloud.put_json(&marker_key(&session), &marker).await;
    let export = cloud.record(&session).await.unwrap()["export"]["key"].as_str().unwrap().to_owned();
    cloud.put_json(&format!("reindex/{export}.json"), &json!({})).await;
    cloud.bus.settled().await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!(record["alarms"].as_array().unwrap().len(), 1);
    assert_eq!(mails(), 1, "nobody is told of the same crash again");
    // An earlier version had found no crash.
    let mut before = record.clone();
    before["verdict"] = json!("exited");
    before.as_object_mut().unwrap().remove("signature");
    make_old(&cloud, &session, before).await;
    cloud.put_json(&format!("reindex/{export}.json"), &json!({})).await;
    cloud.bus.settled().await;
    assert_eq!(cloud.record(&session).await.unwrap()["verdict"], "crash");
    assert_eq!(mails(), 2);
}

#[tokio::test]
async fn an_end_that_could_not_be_learned_at_once_is_asked_for_by_the_sweep() {
    let cloud = Cloud::start().await;
    let session = cloud.play_as(long_since(&QUIT)).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    let is_down = Arc::new(AtomicBool::new(true));
    let script = Arc::clone(&is_down);
    cloud.streams.inject(move |_| {
        let refused = || Fault::Refused(ServiceError::InternalServer("oops".into()));
        script.load(Ordering::Relaxed).then(refused)
    });
    cloud.now(&session);
    cloud.ended(&session).await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!(
        (&record["verdict"], &record["reason"]["code"]),
        (&json!("suspect"), &json!("end-reason-unknown"))
    );
    is_down.store(false, Ordering::Relaxed);
    cloud.sweep().await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!(
        (&record["verdict"], &record["reason"]["code"]),
        (&json!("exited"), &json!("application-exit"))
    );
    assert!(
        cloud
            .tags(record["export"]["key"].as_str().unwrap())
            .await
            .contains(&("Verdict".into(), "exited".into()))
    );
}
