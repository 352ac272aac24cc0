//! What holds under one setting of what AWS does not document. `whole_path.rs` has what holds under all of them.

mod support;

use std::time::Duration;

use crash_capture_local::streams::Status;
use serde_json::json;

use support::{CRASH, Cloud, session_event};

#[tokio::test]
async fn a_session_that_is_met_while_it_is_terminating_is_followed_until_it_is_recorded_as_missed() {
    let cloud = Cloud::start_with(|options| options.switches.terminating = Duration::from_secs(2)).await;
    let session = cloud.play(&CRASH).await;
    cloud.now(&session);
    cloud.streams.wait_for(&session, |session| session.status == Status::Terminating).await.unwrap();
    let answer = cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"not-yet": 1}));
    cloud.ended(&session).await;
    cloud.sweep_until_recorded(&session, "missed").await;
}
