//! Sessions of many hours: `RearmAfterHours` has their exports requested again, in case that these do not outlive the
//! credentials of the request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use crash_capture_local::cloud::{Options, STREAM_GROUP};
use crash_capture_local::faults::Fault;
use crash_capture_local::streams::{
    ExportStatus, Operation, SecondExport, ServiceError, SessionId, Status, StatusReason, StreamSession,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use support::{Cloud, START_EXPORT, export_on_paper, marker_key, session_on_paper};

/// An hour and more ago, so many times.
fn hours_ago(hours: u64) -> Timestamp {
    Timestamp::now() - Duration::from_mins(61 * hours)
}

fn long_session(id: &str) -> StreamSession {
    let mut session = session_on_paper(STREAM_GROUP, id);
    session.created_at = hours_ago(9);
    session
}

async fn cloud_with(hours: &str, change: impl FnOnce(&mut Options)) -> Cloud {
    Cloud::start_with(|options| {
        options.parameters.insert("RearmAfterHours".to_owned(), hours.to_owned());
        change(options);
    })
    .await
}

impl Cloud {
    /// A live session that was armed this long ago, or seems to have been.
    async fn armed_before(&self, hours: u64) -> SessionId {
        let session = self.write_down([long_session("long")]).remove(0);
        assert_eq!(self.sweep_answer().await["counts"], json!({"armed": 1}));
        self.pretend(&session, "armedAt", hours_ago(hours)).await;
        session
    }

    /// Changes a time in a marker, which the function has forgotten.
    async fn pretend(&self, session: &SessionId, field: &str, at: Timestamp) {
        let mut marker = self.read_json(&marker_key(session)).await;
        marker[field] = json!(at);
        self.put_json(&marker_key(session), &marker).await;
        self.lambda.kill(START_EXPORT).unwrap();
    }

    /// How many exports were requested, whatever the answers.
    fn exports(&self) -> usize {
        self.calls(Operation::ExportStreamSessionFiles)
    }
}

fn end(session: &mut StreamSession, export: ExportStatus) {
    session.status = Status::Terminated;
    session.status_reason = Some(StatusReason::ApplicationExit);
    session.export.as_mut().unwrap().status = export;
}

#[tokio::test]
async fn a_session_that_was_armed_long_ago_is_asked_for_again_at_its_own_uri() {
    let cloud = cloud_with("2", |_| {}).await;
    let session = cloud.armed_before(3).await;
    let before = cloud.read_json(&marker_key(&session)).await;
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"already-armed": 1}));
    assert_eq!(cloud.exports(), 2);
    let uri = cloud.streams.session(&session).unwrap().export.unwrap().output_uri;
    assert_eq!(json!(uri), before["outputUri"]);
    let mut marker = cloud.read_json(&marker_key(&session)).await;
    let rearmed_at = marker.as_object_mut().unwrap().remove("rearmedAt").unwrap();
    assert!(rearmed_at.as_str().unwrap().parse::<Timestamp>().unwrap() > hours_ago(1));
    assert_eq!(marker, before, "nothing else has changed");
    // Not again before as many hours are over, by the same process or another.
    cloud.sweep_answer().await;
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.sweep_answer().await;
    assert_eq!(cloud.exports(), 2);
    cloud.pretend(&session, "rearmedAt", hours_ago(2)).await;
    cloud.sweep_answer().await;
    assert_eq!(cloud.exports(), 3);
}

#[tokio::test]
async fn a_long_session_that_was_armed_a_moment_ago_is_not_asked_for_again() {
    let cloud = cloud_with("2", |_| {}).await;
    cloud.armed_before(1).await;
    cloud.sweep_answer().await;
    assert_eq!(cloud.exports(), 1);
}

#[tokio::test]
async fn nothing_is_asked_for_again_unless_that_is_wanted() {
    let cloud = Cloud::start().await;
    cloud.armed_before(8).await;
    let reads = || cloud.s3.access_log().entries().iter().filter(|it| it.operation == "GetObject").count();
    cloud.sweep_answer().await;
    let before = reads();
    cloud.sweep_answer().await;
    assert_eq!(
        (cloud.exports(), reads()),
        (1, before + 1),
        "nothing is read but when the last hourly look was"
    );
}

/// The marker, and how a sweep calls the session, after the export was refused.
async fn refused(cloud: &Cloud, session: &SessionId) {
    let before = cloud.read_json(&marker_key(session)).await;
    for _ in 0..2 {
        assert_eq!(cloud.sweep_answer().await["counts"], json!({"already-armed": 1}));
    }
    assert_eq!(cloud.exports(), 2, "it is not asked for each minute");
    assert_eq!(cloud.read_json(&marker_key(session)).await, before);
    assert_eq!(cloud.record(session).await, None);
    // And it ends like any other.
    cloud.streams.change(session, |session| end(session, ExportStatus::Failed)).unwrap();
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"failed": 1}));
}

#[tokio::test]
async fn a_refusal_changes_nothing() {
    let cloud = cloud_with("2", |options| options.switches.second_export = SecondExport::Refused).await;
    let session = cloud.armed_before(3).await;
    refused(&cloud, &session).await;
}

#[tokio::test]
async fn a_denial_changes_nothing_either() {
    let cloud = cloud_with("2", |_| {}).await;
    let session = cloud.armed_before(3).await;
    cloud.streams.inject(|arrival| {
        let error = ServiceError::AccessDenied("not now".into());
        (arrival.operation == Operation::ExportStreamSessionFiles).then_some(Fault::Refused(error))
    });
    refused(&cloud, &session).await;
}

#[tokio::test]
async fn what_somebody_else_has_asked_for_is_left_alone() {
    let cloud = cloud_with("2", |_| {}).await;
    let mut by_hand = long_session("byhand");
    by_hand.export = Some(export_on_paper(ExportStatus::Pending, "s3://my-own-bucket/x.zip"));
    cloud.write_down([by_hand]);
    cloud.sweep_answer().await;
    // Armed by us, and by somebody else after us.
    let session = cloud.write_down([long_session("long")]).remove(0);
    cloud.sweep_answer().await;
    cloud.streams.export(&session, "s3://my-own-bucket/y.zip", "AKIASOMEBODYELSE0000").unwrap();
    cloud.pretend(&session, "armedAt", hours_ago(3)).await;
    let exports = cloud.exports();
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"already-armed": 2}));
    assert_eq!(cloud.exports(), exports);
    let uri = cloud.streams.session(&session).unwrap().export.unwrap().output_uri;
    assert_eq!(uri, "s3://my-own-bucket/y.zip");
}

/// What the record says of an export that failed, requested so many hours before the session's end.
async fn reason_of_failure(armed: u64, rearmed: Option<u64>) -> Value {
    let cloud = Cloud::start().await;
    let session = cloud.armed_before(armed).await;
    if let Some(rearmed) = rearmed {
        cloud.pretend(&session, "rearmedAt", hours_ago(rearmed)).await;
    }
    let fail = |session: &mut StreamSession| {
        end(session, ExportStatus::Failed);
        session.export.as_mut().unwrap().status_reason = Some("The security token is expired".to_owned());
    };
    cloud.streams.change(&session, fail).unwrap();
    cloud.sweep_answer().await;
    cloud.record(&session).await.unwrap()["reason"].clone()
}

#[tokio::test]
async fn the_record_of_a_long_session_whose_export_failed_tells_how_old_the_request_was() {
    let service_says = "The security token is expired";
    for (armed, rearmed, expected) in [
        (0, None, None),
        (13, None, Some("last requested 13 h 13 min before the session ended")),
        (13, Some(4), Some("last requested 4 h 4 min before the session ended")),
        (13, Some(0), None),
    ] {
        let reason = reason_of_failure(armed, rearmed).await;
        let detail = reason["detail"].as_str().unwrap();
        assert!(reason["code"] == "export-failed" && detail.contains(service_says), "{reason}");
        assert_eq!(detail.contains("before the session ended"), expected.is_some(), "{detail}");
        assert!(detail.contains(expected.unwrap_or_default()), "{detail}");
    }
}
