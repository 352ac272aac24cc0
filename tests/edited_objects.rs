//! Objects of ours that somebody has edited by hand, so that they are not what we write: no session is lost by it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::streams::{SessionId, Status, StatusReason, StreamSession};
use serde_json::{Value, json};

use support::exports::crashed;
use support::{Cloud, START_EXPORT, marker_key, session_on_paper};

/// What may be found where one of our objects was.
fn edited() -> Vec<Vec<u8>> {
    let nested = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let texts = [
        "",
        "no JSON",
        "null",
        "[]",
        "{}",
        r#"{"schema":1}"#,
        r#"{"schema":"one","session":7}"#,
        "\u{feff}{}",
    ];
    let mut edited: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    edited.extend([nested, vec![0xff, 0xfe, b'{'], vec![b' '; 5 << 20]]);
    edited
}

async fn put(cloud: &Cloud, key: &str, content: Vec<u8>) {
    cloud.s3.put(&cloud.bucket, key, content, "111122223333").await.unwrap();
}

fn export_key(session: &SessionId) -> String {
    format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{}.zip", session.id)
}

fn session(number: usize, change: impl FnOnce(&mut StreamSession)) -> StreamSession {
    let mut session = session_on_paper(STREAM_GROUP, &format!("s{number}"));
    session.created_at = "2026-11-23T10:00:00Z".parse().unwrap();
    change(&mut session);
    session
}

fn exited(session: &mut StreamSession) {
    (session.status, session.status_reason) = (Status::Terminated, Some(StatusReason::ApplicationExit));
}

#[tokio::test]
async fn a_live_session_is_armed_and_an_ended_one_settled_whatever_became_of_their_markers() {
    let cloud = Cloud::start().await;
    let numbers = || edited().into_iter().enumerate();
    let live = cloud.write_down(numbers().map(|(number, _)| session(number, |_| {})));
    let ended = cloud.write_down(numbers().map(|(number, _)| session(100 + number, exited)));
    for (number, content) in numbers() {
        put(&cloud, &marker_key(&live[number]), content.clone()).await;
        put(&cloud, &marker_key(&ended[number]), content).await;
    }
    // One mends the markers, the next settles.
    cloud.sweep().await;
    cloud.sweep().await;
    for id in &live {
        assert!(cloud.streams.session(id).unwrap().export.is_some(), "{id}");
        assert!(cloud.marker(id).await.unwrap()["armedAt"].is_string(), "{id}");
    }
    for id in &ended {
        let record = cloud.record(id).await.unwrap();
        assert_eq!((&record["state"], &record["reason"]["code"]), (&json!("missed"), &json!("never-armed")));
    }
}

#[tokio::test]
async fn an_export_is_indexed_whatever_became_of_its_marker_record_signature_and_resolution() {
    let cloud = Cloud::start().await;
    let ids = cloud.write_down(edited().into_iter().enumerate().map(|(number, _)| session(number, exited)));
    let index = async |id: &SessionId| {
        cloud.index_export(&json!({"bucket": cloud.bucket, "key": export_key(id)})).await
    };
    put(&cloud, &export_key(&ids[0]), crashed(0)).await;
    cloud.bus.settled().await;
    let record_key = cloud.s3.list(&cloud.bucket, "index/").await.unwrap().remove(0);
    let signature_key = cloud.s3.list(&cloud.bucket, "signatures/").await.unwrap().remove(0);
    let whole: Value = cloud.read_json(&record_key).await;
    assert_eq!((&whole["verdict"], &whole["signature"]["firstSeen"]), (&json!("crash"), &json!(true)));
    for content in edited() {
        put(&cloud, &marker_key(&ids[0]), content.clone()).await;
        put(&cloud, &record_key, content.clone()).await;
        put(&cloud, &signature_key.replacen("signatures/", "resolutions/", 1), content.clone()).await;
        let answer = index(&ids[0]).await;
        assert_eq!((&answer["verdict"], &answer["signature"]), (&whole["verdict"], &whole["signature"]));
        assert_eq!(cloud.read_json(&record_key).await["verdict"], "crash");
        // Who was first, nobody can tell then: the next one is.
        put(&cloud, &signature_key, content).await;
        cloud.s3.delete(&cloud.bucket, &record_key).unwrap();
        let answer = index(&ids[0]).await;
        assert_eq!((&answer["verdict"], &answer["signature"]["firstSeen"]), (&json!("crash"), &json!(true)));
        assert_eq!(cloud.read_json(&signature_key).await["streamSessionId"], ids[0].id);
        cloud.s3.delete(&cloud.bucket, &record_key).unwrap();
    }
    let memory = cloud.lambda.invocations().into_iter().filter_map(|it| it.outcome.max_memory).max();
    assert!(memory.unwrap() <= 64 << 20, "{memory:?}");
}

#[tokio::test]
async fn the_hourly_look_goes_on_whatever_became_of_its_notes() {
    for content in edited() {
        let cloud = Cloud::start().await;
        cloud.let_an_hour_pass().await;
        put(&cloud, "state/hourly-look.json", content).await;
        let unseen = cloud.write_down([session(0, |session| {
            exited(session);
            session.created_at = jiff::Timestamp::now();
        })]);
        cloud.sweep().await;
        assert_eq!(cloud.record(&unseen[0]).await.unwrap()["reason"]["code"], "never-seen");
        let look = cloud.read_json("state/hourly-look.json").await;
        assert!(look["complete"].is_string(), "{look}");
        let invocations = cloud.lambda.invocations();
        assert!(invocations.iter().all(|it| it.function == START_EXPORT && it.outcome.result.is_ok()));
    }
}
