//! From a crash to its signature: the built functions, against the local cloud, and a game that really crashes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};

use support::{Cloud, INDEX_EXPORT, crash_after, long_since, session_event};

async fn crash(cloud: &Cloud) -> Value {
    let session = cloud.play(&crash_after("60")).await;
    cloud.start_export(&session_event(cloud, &session)).await;
    cloud.now(&session);
    cloud.ended(&session).await;
    cloud.record(&session).await.unwrap()
}

#[tokio::test]
async fn two_crashes_of_one_game_are_one_crash() {
    let cloud = Cloud::start().await;
    let (one, two) = (crash(&cloud).await, crash(&cloud).await);
    let signature = &one["signature"];
    assert_eq!(signature["title"], "SIGSEGV | game");
    assert_eq!((&signature["version"], &signature["confidence"]), (&json!(1), &json!("high")));
    for same in ["id", "fingerprint", "title", "confidence"] {
        assert_eq!(signature[same], two["signature"][same], "{same}");
    }
    assert_eq!((&signature["firstSeen"], &two["signature"]["firstSeen"]), (&json!(true), &json!(false)));
    assert_ne!(one["session"]["id"], two["session"]["id"]);
    assert_eq!(one["exception"]["address"], "null");
    assert_eq!(one["build"]["engine"], "unreal");
    assert_eq!(one["build"]["engineVersion"], "5.3.2-29314046+++UE5+Release-5.3");
    assert!(one["build"]["id"].is_string());
    assert!(one["performance"]["peakMemoryMiB"].is_number(), "{}", one["performance"]);
    let kinds: Vec<_> =
        one["evidence"].as_array().unwrap().iter().map(|evidence| &evidence["kind"]).collect();
    assert_eq!(kinds, ["minidump", "log"]);
    let tag = format!("v1-{}", signature["id"].as_str().unwrap());
    let tags = cloud.tags(one["export"]["key"].as_str().unwrap()).await;
    assert!(tags.contains(&("Signature".to_owned(), tag)));
}

#[tokio::test]
async fn a_quit_has_no_signature() {
    let cloud = Cloud::start().await;
    let session = cloud.play_as(long_since(&["--quit-after", "60"])).await;
    cloud.sweep().await;
    cloud.now(&session);
    cloud.ended(&session).await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["verdict"], record.get("signature")), (&json!("exited"), None));
    let most = cloud
        .lambda
        .invocations()
        .into_iter()
        .filter_map(|invocation| invocation.outcome.max_memory)
        .max()
        .unwrap();
    assert!(most < 64 * 1024 * 1024, "{most} bytes");
    assert!(cloud.lambda.logs(INDEX_EXPORT).iter().all(|line| !line.text.contains("panicked")));
}
