//! What AWS does not document must not matter: the whole path holds for each setting of the local cloud's switches.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use crash_capture_local::cloud::Options;
use crash_capture_local::streams::{GeneratedName, SecondExport, Status, WrongStatus};
use serde_json::json;

use support::{Cloud, crash_after, session_event};

/// A crash is captured although it is asked for twice, an export made by hand is indexed, and a session that was too
/// late is recorded as missed.
async fn the_whole_path_holds(change: impl FnOnce(&mut Options)) {
    let cloud = Cloud::start_with(change).await;
    let late = cloud.play(&crash_after("0.4")).await;
    let armed = cloud.play(&crash_after("2")).await;
    let by_hand = cloud.play(&crash_after("2")).await;
    let folder = format!("s3://{}/exports/by-hand/", cloud.bucket);
    cloud.streams.export(&by_hand, &folder, "AKIASOMEBODY00000000").unwrap();
    cloud.start_export(&session_event(&cloud, &armed)).await;
    cloud.start_export(&session_event(&cloud, &by_hand)).await;
    cloud.streams.wait_for(&late, |session| session.status.has_ended()).await.unwrap();
    cloud.start_export(&session_event(&cloud, &late)).await;
    cloud.sweep().await;
    for session in [&armed, &by_hand] {
        cloud.ended(session).await;
        let record = cloud.record(session).await.unwrap();
        assert_eq!((&record["state"], &record["verdict"]), (&json!("indexed"), &json!("crash")), "{record}");
        assert_eq!(record["session"]["endReason"], "applicationExit");
    }
    let before = cloud.contents().await;
    cloud.sweep().await;
    assert_eq!(cloud.contents().await, before);
    let record = cloud.record(&late).await.unwrap();
    assert_eq!((&record["state"], &record["reason"]["code"]), (&json!("missed"), &json!("never-armed")));
}

#[tokio::test]
async fn whether_a_second_export_request_is_refused_or_ignored() {
    the_whole_path_holds(|options| options.switches.second_export = SecondExport::Refused).await;
    the_whole_path_holds(|options| options.switches.second_export = SecondExport::Ignored).await;
}

#[tokio::test]
async fn whichever_error_a_session_gives_that_is_over() {
    the_whole_path_holds(|options| options.switches.wrong_status = WrongStatus::ResourceNotFound).await;
}

#[tokio::test]
async fn whether_the_export_is_still_pending_when_the_zip_arrives() {
    the_whole_path_holds(|options| options.switches.pending_after_delivery = Duration::from_secs(2)).await;
}

#[tokio::test]
async fn whichever_instant_a_generated_name_carries() {
    the_whole_path_holds(|options| options.switches.generated_name = GeneratedName::Ended).await;
}

#[tokio::test]
async fn however_long_a_session_is_terminating() {
    the_whole_path_holds(|options| options.switches.terminating = Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_session_that_is_met_while_it_is_terminating_is_followed_until_it_is_recorded_as_missed() {
    let cloud = Cloud::start_with(|options| options.switches.terminating = Duration::from_secs(2)).await;
    let session = cloud.play(&crash_after("0.5")).await;
    cloud.streams.wait_for(&session, |session| session.status == Status::Terminating).await.unwrap();
    let answer = cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"not-yet": 1}));
    cloud.ended(&session).await;
    cloud.sweep().await;
    assert_eq!(cloud.record(&session).await.unwrap()["state"], "missed");
}
