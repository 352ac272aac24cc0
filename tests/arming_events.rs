//! Events that name a session: which of them are armed, of which groups, sampled or not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::cloud::{PRIMARY_LOCATION, STREAM_GROUP};
use crash_capture_local::streams::{Operation, SessionId, Status, StatusReason, StreamGroup};
use serde_json::{Value, json};

use support::{Cloud, event, session_event, session_on_paper};

const FOREIGN_GROUP: &str = "sg-f0reign";

/// One group is configured and another is not, with a live session in each, of the id that the events of the collection name.
async fn cloud(arm_percent: &str) -> (Cloud, [SessionId; 2]) {
    let cloud = Cloud::start_with(|options| {
        options.parameters.insert("ArmPercent".to_owned(), arm_percent.to_owned());
    })
    .await;
    let sessions = two_sessions(&cloud);
    (cloud, sessions)
}

fn two_sessions(cloud: &Cloud) -> [SessionId; 2] {
    cloud.streams.add_stream_group(StreamGroup::new(FOREIGN_GROUP, PRIMARY_LOCATION));
    let sessions =
        cloud.write_down([STREAM_GROUP, FOREIGN_GROUP].map(|group| session_on_paper(group, "ABC123def4567")));
    sessions.try_into().unwrap()
}

fn is_armed(cloud: &Cloud, session: &SessionId) -> bool {
    cloud.streams.session(session).unwrap().export.is_some()
}

/// CloudTrail's events about a session: of its start, and of a connection to it.
fn cloudtrail(cloud: &Cloud, session: &SessionId) -> [Value; 2] {
    let group = json!(session.stream_group_id);
    [
        event(
            "start-export/cloudtrail-start-stream-session.json",
            &[
                ("/detail/responseElements/Arn", json!(cloud.arn(session))),
                ("/detail/requestParameters/Identifier", group.clone()),
            ],
        ),
        event(
            "start-export/cloudtrail-create-stream-session-connection.json",
            &[("/detail/requestParameters/Identifier", group)],
        ),
    ]
}

#[tokio::test]
async fn cloudtrail_arms_the_sessions_of_configured_groups_that_sampling_takes() {
    let (cloud, [session, foreign]) = cloud("100").await;
    for event in cloudtrail(&cloud, &foreign) {
        let answer = cloud.start_export(&event).await;
        assert!(answer["ignored"].as_str().unwrap().contains(FOREIGN_GROUP), "{answer}");
    }
    assert!(cloud.streams.call_log().is_empty() && cloud.contents().await.is_empty());
    let outcomes = ["armed", "already-armed"];
    for (event, outcome) in cloudtrail(&cloud, &session).iter().zip(outcomes) {
        assert_eq!(cloud.start_export(event).await["counts"], json!({outcome: 1}));
    }
    assert!(is_armed(&cloud, &session));
}

#[tokio::test]
async fn what_sampling_leaves_out_cloudtrail_does_not_bring_in() {
    let (cloud, [session, _]) = cloud("0").await;
    for event in cloudtrail(&cloud, &session) {
        assert_eq!(cloud.start_export(&event).await["counts"], json!({"unsampled": 1}));
    }
    assert!(cloud.streams.call_log().is_empty() && cloud.contents().await.is_empty());
}

#[tokio::test]
async fn a_backends_event_arms_its_session_of_whatever_group_sampled_or_not() {
    let (cloud, sessions) = cloud("0").await;
    let [session, foreign] = &sessions;
    assert_eq!(cloud.start_export(&session_event(&cloud, foreign)).await["counts"], json!({"armed": 1}));
    let direct = json!({"streamGroupId": session.stream_group_id, "streamSessionId": session.id, "more": 1});
    assert_eq!(cloud.start_export(&direct).await["counts"], json!({"armed": 1}));
    for session in &sessions {
        assert!(is_armed(&cloud, session));
        assert_eq!(cloud.marker(session).await.unwrap()["trigger"]["kind"], "session-event");
    }
    // And from then on the sweep follows them, whatever it would have left out.
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"already-armed": 2}));
}

#[tokio::test]
async fn an_event_of_a_session_that_is_over_or_unknown_says_so() {
    let (cloud, [session, foreign]) = cloud("100").await;
    let over = |session: &mut crash_capture_local::streams::StreamSession| {
        (session.status, session.status_reason) = (Status::Terminated, Some(StatusReason::ApplicationExit));
    };
    cloud.streams.change(&session, over).unwrap();
    let answer = cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"missed": 1}));
    assert_eq!(cloud.record(&session).await.unwrap()["reason"]["code"], "never-armed");
    let unknown = SessionId { id: "nobody".into(), ..foreign };
    let answer = cloud.start_export(&session_event(&cloud, &unknown)).await;
    assert_eq!(answer["counts"], json!({"not-found": 1}));
    assert!(cloud.marker(&unknown).await.is_none());
}

#[tokio::test]
async fn above_ten_groups_the_account_is_listed_and_the_sessions_of_other_groups_are_left_alone() {
    for event in ["scheduled-event", "alarm-composite"] {
        let cloud = Cloud::start_with(|options| {
            let others = (0..10).map(|number| format!("sg-{number}"));
            let groups: Vec<_> = others.chain([STREAM_GROUP.to_owned()]).collect();
            options.parameters.insert("StreamGroups".to_owned(), groups.join(","));
        })
        .await;
        let [session, foreign] = two_sessions(&cloud);
        let answer = cloud.start_export(&support::event(&format!("start-export/{event}.json"), &[])).await;
        assert_eq!(answer["counts"], json!({"armed": 1}), "{event}");
        assert!(is_armed(&cloud, &session) && !is_armed(&cloud, &foreign), "{event}");
        assert_eq!(cloud.calls(Operation::ListStreamSessions), 0, "{event}");
    }
}
