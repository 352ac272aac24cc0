//! What goes wrong with GameLift Streams costs what it concerns, and nothing else.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::faults::Fault;
use crash_capture_local::iam::Grant;
use crash_capture_local::lambda::LogLine;
use crash_capture_local::s3::Refusal;
use crash_capture_local::streams::{
    Arrival, Operation, ServiceError, SessionId, Status, StatusReason, StreamGroup,
};
use serde_json::{Value, json};

use support::{Cloud, START_EXPORT, event, session_on_paper};

const OTHER_GROUP: &str = "sg-0ther";

fn throttled() -> Fault<ServiceError> {
    Fault::Refused(ServiceError::Throttling("Rate exceeded".into()))
}

/// A cloud with so many live sessions in each of two groups.
async fn cloud_with(sessions: usize, calls_per_second: &str) -> (Cloud, Vec<SessionId>) {
    let cloud = Cloud::start_with(|options| {
        let groups = format!("{STREAM_GROUP},{OTHER_GROUP}");
        for (name, value) in [("StreamGroups", groups.as_str()), ("ApiCallsPerSecond", calls_per_second)] {
            options.parameters.insert(name.to_owned(), value.to_owned());
        }
    })
    .await;
    cloud.streams.add_stream_group(StreamGroup::new(OTHER_GROUP, "us-west-2"));
    let sessions = [STREAM_GROUP, OTHER_GROUP]
        .into_iter()
        .flat_map(|group| (0..sessions).map(move |number| session_on_paper(group, &format!("s{number}"))));
    let sessions = cloud.write_down(sessions);
    (cloud, sessions)
}

impl Cloud {
    fn armed(&self) -> usize {
        self.streams.sessions().iter().filter(|session| session.export.is_some()).count()
    }
}

/// The metrics in the function's log, as CloudWatch Logs would find them: lines that are one JSON object with `_aws`.
fn metrics(cloud: &Cloud) -> Vec<Value> {
    let lines = cloud.lambda.logs(START_EXPORT).into_iter().map(|LogLine { text, .. }| text);
    let documents = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    documents.filter(|document| document.get("_aws").is_some()).collect()
}

#[tokio::test]
async fn what_a_burst_of_throttling_refuses_is_asked_for_again_more_slowly() {
    let (cloud, _) = cloud_with(20, "50").await;
    let calls = AtomicUsize::new(0);
    cloud.streams.inject(move |arrival| {
        let is_export = arrival.operation == Operation::ExportStreamSessionFiles;
        let number = if is_export { calls.fetch_add(1, Ordering::Relaxed) } else { 0 };
        (10..20).contains(&number).then(throttled)
    });
    let answer = cloud.sweep_answer().await;
    assert_eq!((cloud.armed(), &answer["counts"]), (40, &json!({"armed": 40})));
    assert_eq!(cloud.calls(Operation::ExportStreamSessionFiles), 50);
    let total: u64 = metrics(&cloud)
        .iter()
        .filter(|metric| metric.get("StreamGroup").is_none())
        .map(|metric| metric["throttled"].as_u64().unwrap())
        .sum();
    assert_eq!(total, 10);
}

#[tokio::test]
async fn throttling_without_end_is_told_and_fails_no_sweep() {
    let (cloud, _) = cloud_with(2, "50").await;
    cloud
        .streams
        .inject(|arrival| (arrival.operation == Operation::ExportStreamSessionFiles).then(throttled));
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"throttled": 4}));
    assert_eq!(answer["sessions"].as_array().unwrap().len(), 4);
    cloud.streams.inject(|_| None);
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"armed": 4}));
}

#[tokio::test]
async fn a_session_whose_calls_fail_does_not_keep_the_others_from_being_armed() {
    let (cloud, _) = cloud_with(5, "200").await;
    cloud.streams.inject(|Arrival { operation, identifiers: [_, session] }| {
        let error = Fault::Refused(ServiceError::InternalServer("oops".into()));
        (*operation == Operation::ExportStreamSessionFiles && session == "s3").then_some(error)
    });
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"armed": 8, "not-reached": 2}));
    for told in answer["sessions"].as_array().unwrap() {
        assert_eq!((&told["streamSessionId"], &told["outcome"]), (&json!("s3"), &json!("not-reached")));
        assert!(told["detail"].as_str().unwrap().contains("InternalServerException: oops"), "{told}");
    }
}

#[tokio::test]
async fn slow_answers_slow_nothing_but_themselves() {
    let (cloud, _) = cloud_with(20, "200").await;
    cloud.streams.inject(|Arrival { identifiers: [_, session], .. }| match session.as_str() {
        "s7" => Some(Fault::Never),
        "s8" => Some(Fault::Late(Duration::from_secs(2))),
        _ => None,
    });
    let started = Instant::now();
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"armed": 38, "not-reached": 2}));
    // Three attempts of five seconds at the export, and three at looking it up.
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_group_that_is_denied_is_told_and_the_other_is_armed() {
    let (cloud, sessions) = cloud_with(30, "200").await;
    cloud.streams.inject(|Arrival { operation, identifiers: [group, _] }| {
        let is_denied = *operation == Operation::ExportStreamSessionFiles && group == OTHER_GROUP;
        is_denied.then(|| Fault::Refused(ServiceError::AccessDenied("not yours".into())))
    });
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"armed": 30, "denied": 30}));
    let calls = cloud.calls(Operation::ExportStreamSessionFiles);
    assert!(calls < 30 + 30, "after the first denials the group is left alone: {calls}");
    let denied = sessions.iter().find(|session| session.stream_group_id == OTHER_GROUP).unwrap();
    let marker = cloud.marker(denied).await.unwrap();
    assert_eq!((marker.get("armedAt"), marker.get("denied").is_some()), (None, true), "{marker}");
    // What it says is in the record, should the session be lost.
    let ended = |session: &mut crash_capture_local::streams::StreamSession| {
        session.status = Status::Terminated;
        session.status_reason = Some(StatusReason::ApplicationExit);
    };
    cloud.streams.change(denied, ended).unwrap();
    let answer = cloud.sweep_answer().await;
    assert_eq!((&answer["counts"]["missed"], &answer["counts"]["denied"]), (&json!(1), &json!(29)));
    let record = cloud.record(denied).await.unwrap();
    assert_eq!(record["reason"]["code"], "never-armed");
    assert!(record["reason"]["detail"].as_str().unwrap().contains("not yours"), "{record}");
}

#[tokio::test]
async fn a_group_that_cannot_be_listed_is_named_and_its_sessions_are_not_taken_for_ended() {
    let (cloud, _) = cloud_with(3, "200").await;
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"armed": 6}));
    cloud.streams.inject(|Arrival { operation, identifiers: [group, _] }| {
        let is_denied = *operation == Operation::ListStreamSessions && group == OTHER_GROUP;
        is_denied.then(|| Fault::Refused(ServiceError::AccessDenied("not yours".into())))
    });
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"already-armed": 3}));
    assert_eq!(
        (&answer["unlisted"][0]["what"], answer["unlisted"].as_array().unwrap().len()),
        (&json!(OTHER_GROUP), 1)
    );
    assert_eq!(cloud.calls(Operation::GetStreamSession), 0);
}

/// Of the stack's metrics that its sweeps wrote, one.
fn of_the_stack(cloud: &Cloud, name: &str) -> Vec<Option<u64>> {
    let of_stack = |metric: &Value| metric.get("StreamGroup").is_none();
    metrics(cloud).iter().filter(|it| of_stack(it)).map(|it| it.get(name).and_then(Value::as_u64)).collect()
}

#[tokio::test]
async fn a_sweep_that_could_not_list_all_live_sessions_does_not_count_as_one() {
    let (cloud, _) = cloud_with(1, "200").await;
    cloud.sweep_answer().await;
    cloud.streams.inject(|Arrival { operation, identifiers: [group, _] }| {
        let is_denied = *operation == Operation::ListStreamSessions && group == OTHER_GROUP;
        is_denied.then(|| Fault::Refused(ServiceError::AccessDenied("not yours".into())))
    });
    cloud.sweep_answer().await;
    // A group that does not exist is named in the answer, and hides no session.
    cloud.streams.inject(|Arrival { operation, identifiers: [group, _] }| {
        let is_unknown = *operation == Operation::ListStreamSessions && group == OTHER_GROUP;
        is_unknown.then(|| Fault::Refused(ServiceError::ResourceNotFound("no such group".into())))
    });
    assert_eq!(cloud.sweep_answer().await["unlisted"][0]["outcome"], "not-found");
    assert_eq!(of_the_stack(&cloud, "sweeps"), [Some(1), Some(0), Some(1)]);
}

#[tokio::test]
async fn without_the_list_of_markers_sessions_are_armed_all_the_same_and_the_alarm_goes_off() {
    let list_bucket = |grant: &Grant| {
        (grant.policy.as_str(), grant.action.as_str()) == ("StartExportRole", "s3:ListBucket")
    };
    let grant = Cloud::start().await.iam.ledger().grants.into_keys().find(list_bucket).unwrap();
    let cloud = Cloud::start_with(|options| options.without.extend([grant])).await;
    cloud.will_refuse("s3:ListBucket");
    let session = cloud.write_down([session_on_paper(STREAM_GROUP, "abc")]).remove(0);
    let answer = cloud.sweep_answer().await;
    assert_eq!((cloud.armed(), &answer["counts"]), (1, &json!({"armed": 1})));
    assert!(cloud.marker(&session).await.unwrap()["armedAt"].is_string());
    let unlisted = answer["unlisted"].as_array().unwrap();
    assert!(unlisted.iter().any(|it| it["what"] == "the markers"), "{answer}");
    // No sweep counts, and it is not said that none is open.
    assert_eq!((of_the_stack(&cloud, "sweeps"), of_the_stack(&cloud, "open")), (vec![Some(0)], vec![None]));
}

#[tokio::test]
async fn the_pace_is_kept() {
    let (cloud, _) = cloud_with(20, "10").await;
    cloud.sweep_answer().await;
    assert_eq!(cloud.armed(), 40);
    let exports: Vec<_> = cloud
        .streams
        .call_log()
        .into_iter()
        .filter(|call| call.operation == Operation::ExportStreamSessionFiles)
        .map(|call| call.time)
        .collect();
    let took = exports.last().unwrap().duration_since(*exports.first().unwrap()).as_secs_f64();
    // Ten at once, the other thirty at ten a second.
    assert!(took >= 2.8, "{took}");
    for window in exports.windows(22) {
        let took = window.last().unwrap().duration_since(*window.first().unwrap()).as_secs_f64();
        assert!(took >= 0.9, "{took} s for {} calls", window.len());
    }
}

#[tokio::test]
async fn no_more_than_sixteen_sessions_are_seen_to_at_the_same_time() {
    let (cloud, _) = cloud_with(25, "200").await;
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let (noted, takes) = (Arc::clone(&arrivals), Duration::from_millis(500));
    cloud.streams.inject(move |arrival| {
        (arrival.operation == Operation::ExportStreamSessionFiles).then(|| {
            noted.lock().unwrap().push(Instant::now());
            Fault::Late(takes)
        })
    });
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"armed": 50}));
    let arrivals = arrivals.lock().unwrap();
    assert_eq!(arrivals.len(), 50);
    for (first, seventeenth) in arrivals.iter().zip(&arrivals[16..]) {
        assert!(*seventeenth - *first >= takes, "it has not waited for the first to be answered");
    }
}

#[tokio::test]
async fn each_invocation_logs_one_line_with_its_counts_and_its_answer() {
    let (cloud, _) = cloud_with(2, "50").await;
    cloud.streams.inject(|Arrival { operation, identifiers: [group, _] }| {
        let is_denied = *operation == Operation::ExportStreamSessionFiles && group == OTHER_GROUP;
        is_denied.then(|| Fault::Refused(ServiceError::AccessDenied("not yours".into())))
    });
    let answers = [
        cloud.start_export(&event("start-export/scheduled-event.json", &[])).await,
        cloud.start_export(&event("start-export/alarm-metric-ok.json", &[])).await,
    ];
    let lines = cloud.lambda.logs(START_EXPORT).into_iter().map(|LogLine { text, .. }| text);
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let done: Vec<_> =
        lines.map(|line| line["fields"].clone()).filter(|fields| fields["message"] == "done").collect();
    assert_eq!(done.len(), answers.len());
    for (line, answer) in done.iter().zip(&answers) {
        let logged: Value = serde_json::from_str(line["answer"].as_str().unwrap()).unwrap();
        assert_eq!(logged, *answer);
        for name in ["armed", "denied", "missed"] {
            let count = answer["counts"].get(name).unwrap_or(&json!(0)).clone();
            assert_eq!(line[name], count, "{name}");
        }
    }
    assert_eq!((&done[0]["armed"], &done[0]["denied"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn an_event_that_cannot_be_served_wholly_fails_and_says_what_was_not_reached() {
    let (cloud, _) = cloud_with(1, "200").await;
    cloud
        .streams
        .inject(|arrival| (arrival.operation == Operation::ExportStreamSessionFiles).then(throttled));
    let alarm = event("start-export/alarm-direct-action.json", &[]);
    let error = cloud.lambda.invoke(START_EXPORT, &alarm).await.unwrap().result.unwrap_err();
    assert_eq!(error.error_type(), "incomplete");
    assert!(
        error.error_message().contains(&format!("{STREAM_GROUP}/s0: throttled")),
        "{}",
        error.error_message()
    );
}

#[tokio::test]
async fn a_marker_that_s3_does_not_create_at_first_is_there_before_the_export_is_requested() {
    for refusal in [Refusal::ConditionalRequestConflict, Refusal::PreconditionFailed] {
        let (cloud, sessions) = cloud_with(1, "50").await;
        let refused = Mutex::new(BTreeSet::new());
        let name = format!("{refusal:?}");
        cloud.s3.inject(move |request| {
            let key = request.key.clone().filter(|key| key.starts_with("open/"))?;
            let is_first_put = request.operation == "REST.PUT.OBJECT" && refused.lock().unwrap().insert(key);
            is_first_put.then_some(Fault::Refused(refusal))
        });
        assert_eq!(cloud.sweep_answer().await["counts"], json!({"armed": 2}), "{name}");
        for session in &sessions {
            assert!(cloud.marker(session).await.unwrap()["armedAt"].is_string(), "{name}");
        }
    }
}
