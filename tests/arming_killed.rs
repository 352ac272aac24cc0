//! `start-export` is killed (SIGKILL) at each of its requests in turn, and then invoked again: in the end it is all the same,
//! whatever it was invoked with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::faults::Fault;
use crash_capture_local::streams::{ExportStatus, Status, StatusReason, StreamSession};
use serde_json::Value;

use support::{Cloud, START_EXPORT, event, export_on_paper, session_on_paper};

/// A session that was armed so long ago that its export is requested again.
const LONG: &str = "long";
const LONG_URI: &str =
    "s3://crash-capture-capturebucket-local/exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/long.zip";

/// How many of the sessions come before those that have a marker and have ended.
const WITHOUT_MARKER: usize = 4;

/// Sessions in every state that makes a sweep do something.
fn sessions() -> Vec<StreamSession> {
    let at = "2026-11-23T10:00:00Z".parse().unwrap();
    let session = |id: &str, change: fn(&mut StreamSession)| {
        let mut session = session_on_paper(STREAM_GROUP, id);
        (session.created_at, session.last_updated_at) = (at, at);
        change(&mut session);
        session
    };
    vec![
        session("live", |_| {}),
        session("live-by-hand", |session| {
            session.export = Some(export_on_paper(ExportStatus::Pending, "s3://elsewhere/x.zip"));
        }),
        session(LONG, |session| {
            session.export = Some(export_on_paper(ExportStatus::Pending, LONG_URI));
        }),
        session("unseen", |session| {
            session.status = Status::Terminated;
            session.status_reason = Some(StatusReason::ApplicationExit);
        }),
        session("failed", |_| {}),
        session("succeeded", |_| {}),
        session("missed", |_| {}),
    ]
}

/// The marker of a session that was live.
fn marker(session: &StreamSession) -> Value {
    serde_json::json!({
        "schema": 1,
        "session": {
            "id": session.id.id, "streamGroupId": STREAM_GROUP, "applicationId": session.application_id,
            "location": session.location, "createdAt": session.created_at, "status": "ACTIVE",
        },
        "trigger": {"kind": "sweep", "at": session.created_at},
    })
}

/// Makes the cloud one in which a sweep has something of everything to do: arm, arm again, mark, settle, ask for an index,
/// record what was missed.
async fn set_up(cloud: &Cloud) {
    cloud.bus.settled().await;
    cloud.lambda.kill(START_EXPORT).unwrap();
    for key in cloud.s3.list(&cloud.bucket, "").await.unwrap() {
        cloud.s3.delete(&cloud.bucket, &key).unwrap();
    }
    // What was armed before, and has ended since.
    let mut ended = sessions().split_off(WITHOUT_MARKER);
    for session in &mut ended {
        cloud.put_json(&support::marker_key(&session.id), &marker(session)).await;
        session.status = Status::Terminated;
        session.status_reason = Some(StatusReason::ApplicationExit);
        let key = format!(
            "s3://{}/exports/a-9ZY8X7Wv6/{STREAM_GROUP}/2026-11-23/{}.zip",
            cloud.bucket, session.id.id
        );
        session.export = match session.id.id.as_str() {
            "failed" => Some(export_on_paper(ExportStatus::Failed, &key)),
            "succeeded" => Some(export_on_paper(ExportStatus::Succeeded, &key)),
            _ => None,
        };
    }
    let alive = sessions().into_iter().take(WITHOUT_MARKER);
    cloud.write_down(alive.chain(ended));
    let mut long = marker(&sessions()[2]);
    long["outputUri"] = LONG_URI.into();
    long["armedAt"] = long["session"]["createdAt"].clone();
    cloud.put_json(&format!("open/{STREAM_GROUP}/{LONG}.json"), &long).await;
    let long_ago = "2026-11-01T00:00:00Z";
    cloud.put_json("state/first-sweep.json", &serde_json::json!({"at": long_ago})).await;
    cloud
        .put_json("state/hourly-look.json", &serde_json::json!({"at": long_ago, "complete": long_ago}))
        .await;
    cloud.bus.settled().await;
}

/// A script that kills the function at its nth request, which is then neither performed nor answered.
fn kill_at(cloud: &Cloud, nth: usize) -> Arc<AtomicUsize> {
    let requests = Arc::new(AtomicUsize::new(0));
    let strike = {
        let (lambda, requests) = (cloud.lambda.clone(), Arc::clone(&requests));
        move || {
            let is_it = requests.fetch_add(1, Ordering::Relaxed) == nth;
            if is_it {
                lambda.kill(START_EXPORT).unwrap();
            }
            is_it
        }
    };
    let of_s3 = strike.clone();
    cloud.s3.inject(move |_| of_s3().then_some(Fault::Never));
    cloud.streams.inject(move |_| strike().then_some(Fault::Never));
    requests
}

/// The bucket and the service's books, without times.
async fn state(cloud: &Cloud) -> (BTreeMap<String, Value>, BTreeMap<String, bool>) {
    let mut objects = BTreeMap::new();
    for (key, content) in cloud.contents().await {
        let mut value = serde_json::from_slice(&content).unwrap_or_default();
        without_times(&mut value);
        objects.insert(key, value);
    }
    let exports = cloud.streams.sessions().into_iter().map(|it| (it.id.id, it.export.is_some())).collect();
    (objects, exports)
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(without_times),
        Value::Array(items) => items.iter_mut().for_each(without_times),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "a time".clone_into(text),
        _ => {}
    }
}

/// Of whoever we had exported the sweep knows, whatever else was lost with the process.
async fn assert_all_watched(cloud: &Cloud, nth: usize) {
    let ours = format!("s3://{}/", cloud.bucket);
    for session in cloud.streams.sessions() {
        let is_ours = session.export.is_some_and(|export| export.output_uri.starts_with(&ours));
        let is_watched = !is_ours || cloud.marker(&session.id).await.is_some();
        assert!(is_watched, "{} is not watched, killed at request {nth}", session.id.id);
    }
}

/// Invokes the function with an event, kills it at each of its requests in turn, of which there are some, and invokes it with
/// the same event again.
async fn assert_the_same_in_the_end(event: &Value, least_requests: usize) {
    let cloud = Cloud::start_with(|options| {
        options.parameters.insert("RearmAfterHours".to_owned(), "2".to_owned());
    })
    .await;
    // Nobody hears of the requests to index: index-export's own requests would be counted here.
    cloud.bus.hold();
    set_up(&cloud).await;
    cloud.start_export(event).await;
    cloud.sweep_answer().await;
    let expected = state(&cloud).await;
    assert_eq!(expected.0.keys().filter(|key| key.starts_with("index/")).count(), 3, "{expected:#?}");
    assert_eq!(expected.0[&format!("open/{STREAM_GROUP}/{LONG}.json")]["rearmedAt"], "a time");
    for nth in 0.. {
        set_up(&cloud).await;
        drop(cloud.bus.take_held());
        let requests = kill_at(&cloud, nth);
        let was_killed = cloud.lambda.invoke(START_EXPORT, event).await.unwrap().result.is_err();
        if !was_killed {
            assert!(requests.load(Ordering::Relaxed) <= nth);
            assert!(nth > least_requests, "{nth} requests are too few: is the function killed at all?");
            break;
        }
        assert_all_watched(&cloud, nth).await;
        cloud.start_export(event).await;
        cloud.sweep_answer().await;
        assert_eq!(state(&cloud).await, expected, "killed at request {nth}");
    }
}

#[tokio::test]
async fn a_sweep_that_is_killed_anywhere_and_comes_again_leaves_the_same_state() {
    assert_the_same_in_the_end(&event("start-export/scheduled-event.json", &[]), 20).await;
}

#[tokio::test]
async fn an_alarm_that_is_killed_anywhere_and_comes_again_leaves_the_same_state() {
    // It arms what is live, and settles what has ended, once it has noted itself there.
    assert_the_same_in_the_end(&event("start-export/alarm-direct-action.json", &[]), 20).await;
}
