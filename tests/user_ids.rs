//! `UserIds`: what is kept of who played, in markers and in records.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture::user::hashed;
use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::streams::{Operation, StartOptions, Status, StatusReason};
use serde_json::{Value, json};

use support::{Cloud, crash_after, session_event, session_on_paper};

const PLAYER: &str = "player-4711";

/// Markers and records of sessions that a listing told of, that an event told of, that nobody saw, and that was indexed: each
/// `session.userId`.
async fn kept(user_ids: Option<&str>, stream_groups: &str) -> Vec<Value> {
    let cloud = Cloud::start_with(|options| {
        let user_ids = user_ids.map(|word| ("UserIds", word));
        for (name, value) in [("StreamGroups", stream_groups)].into_iter().chain(user_ids) {
            options.parameters.insert(name.to_owned(), value.to_owned());
        }
    })
    .await;
    cloud.sweep().await;
    let player = || Some(PLAYER.to_owned());
    let [mut listed, mut told, mut unseen] =
        ["listed", "told", "unseen"].map(|id| session_on_paper(STREAM_GROUP, id));
    for session in [&mut listed, &mut told, &mut unseen] {
        session.request.user_id = player();
    }
    (unseen.status, unseen.status_reason) = (Status::Terminated, Some(StatusReason::ApplicationExit));
    let sessions = cloud.write_down([told, listed, unseen]);
    cloud.start_export(&session_event(&cloud, &sessions[0])).await;
    let before = cloud.calls(Operation::GetStreamSession);
    cloud.let_an_hour_pass().await;
    cloud.sweep().await;
    assert_eq!(cloud.calls(Operation::GetStreamSession), before, "the listings tell enough");

    let mut options = StartOptions::new(STREAM_GROUP, APPLICATION).arguments(crash_after("2"));
    options.request.user_id = player();
    let crashed = cloud.play_as(options).await;
    cloud.tell(&crashed).await;
    cloud.ended(&crashed).await;

    for (key, content) in cloud.contents().await {
        let text = String::from_utf8_lossy(&content);
        let is_told = ["open/", "index/", "reports/"].iter().any(|prefix| key.starts_with(prefix));
        let may_tell = user_ids == Some("plain") && is_told;
        assert!(may_tell || !text.contains(PLAYER), "{key}: {text}");
    }
    let mut kept = Vec::new();
    for session in [&sessions[0], &sessions[1], &crashed] {
        kept.push(cloud.marker(session).await.unwrap()["session"]["userId"].clone());
    }
    for session in [&sessions[2], &crashed] {
        kept.push(cloud.record(session).await.unwrap()["session"]["userId"].clone());
    }
    kept
}

#[tokio::test]
async fn nothing_is_kept_of_who_played_unless_that_is_wanted() {
    for word in [None, Some("off")] {
        assert_eq!(kept(word, STREAM_GROUP).await, vec![Value::Null; 5]);
    }
}

#[tokio::test]
async fn a_users_hash_is_in_every_marker_and_record() {
    for groups in [STREAM_GROUP, "*"] {
        assert_eq!(kept(Some("hashed"), groups).await, vec![json!(hashed(PLAYER)); 5]);
    }
}

#[tokio::test]
async fn a_users_id_is_in_every_marker_and_record_if_that_is_wanted() {
    assert_eq!(kept(Some("plain"), STREAM_GROUP).await, vec![json!(PLAYER); 5]);
}
