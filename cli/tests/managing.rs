//! `arm`, `reindex`, `delete`, `resolve`, `mute`: the built command, the built functions, the local cloud.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/cloud.rs"]
mod cloud;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::streams::SessionId;
use serde_json::{Value, json};

use cloud::Cloud;

const OLD: &str = "++Game+Main-CL-1";
const NEW: &str = "++Game+Main-CL-2";

fn named(session: &SessionId) -> String {
    format!("{}/{}", session.stream_group_id, session.id)
}

/// The sessions whose exports index-export has been asked to index again.
fn indexed_again(cloud: &Cloud) -> Vec<String> {
    let events = cloud.lambda.invocations().into_iter().map(|invocation| invocation.payload);
    let keys = events.filter_map(|event| Some(event.pointer("/detail/object/key")?.as_str()?.to_owned()));
    let sessions = keys.filter_map(|key| {
        let export = key.strip_prefix("reindex/")?.strip_suffix(".zip.json")?;
        Some(export.rsplit('/').next()?.to_owned())
    });
    sessions.collect()
}

#[tokio::test]
async fn a_session_is_armed_by_the_function_and_what_became_of_it_is_told() {
    let cloud = Cloud::start(&[]).await;
    let session = named(&cloud.play().await);
    let told = cloud.printed(&["arm", &session]).await;
    assert!(told.starts_with(&format!("{session} is armed: when it ends, its files go to s3://")), "{told}");
    assert_eq!(cloud.keys("open/").await, [format!("open/{session}.json")]);
    // Known now, so that its id will do.
    let id = session.split_once('/').unwrap().1;
    assert_eq!(cloud.printed(&["arm", id]).await, format!("{session} had been armed before\n"));
    let (code, answers) = cloud.json(&["arm", &session]).await;
    assert_eq!((code, &answers[0]["sessions"][0]["outcome"]), (Some(0), &json!("already-armed")));
    let (code, _, stderr) = cloud.run(&["arm", "sg-1AB2C3De4/nosuchsession"]).await;
    assert_eq!(code, Some(3));
    assert!(stderr.contains("GameLift Streams knows no session sg-1AB2C3De4/nosuchsession"), "{stderr}");
    let (code, _, stderr) = cloud.run(&["arm", "nosuchsession"]).await;
    assert_eq!(code, Some(3));
    assert!(stderr.contains("name it in full"), "{stderr}");
}

#[tokio::test]
async fn exports_are_indexed_again_one_by_one_by_time_or_by_version_of_triage() {
    let cloud = Cloud::start(&[]).await;
    for session in ["one", "two", "three"] {
        cloud.crash(session, OLD).await;
    }
    assert!(
        cloud
            .printed(&["reindex", "--since", "1h", "--dry-run"])
            .await
            .ends_with("3 exports would be indexed again.\n")
    );
    assert_eq!(cloud.printed(&["reindex", "two"]).await, "1 export is being indexed again.\n");
    cloud.bus.settled().await;
    assert_eq!(indexed_again(&cloud), ["two"]);
    // Whoever goes on leaves out what an earlier run has asked for.
    let told = cloud.printed(&["reindex", "--since", "1h", "--resume", "--per-second", "1000"]).await;
    assert_eq!(told, "2 exports are being indexed again.\n1 had been asked for within the last day.\n");
    cloud.bus.settled().await;
    let mut again = indexed_again(&cloud);
    again[1..].sort_unstable();
    assert_eq!(again, ["two", "one", "three"]);
    assert_eq!(
        cloud.printed(&["reindex", "--until", "2026-01-01", "--since", "2025-01-01"]).await,
        "0 exports are being indexed again.\n"
    );
    // An older triage has judged one of them.
    let key = cloud.keys("index/").await.into_iter().find(|key| key.ends_with("/three.json")).unwrap();
    let mut record: Value =
        serde_json::from_slice(&cloud.s3.read(&cloud.bucket, &key).await.unwrap()).unwrap();
    record["triageVersion"] = 0.into();
    cloud.put_json(&key, &record).await;
    assert_eq!(
        cloud.printed(&["reindex", "--older-than-triage"]).await,
        "1 export is being indexed again.\n"
    );
    cloud.bus.settled().await;
    let record: Value = serde_json::from_slice(&cloud.s3.read(&cloud.bucket, &key).await.unwrap()).unwrap();
    assert_eq!(
        (&record["triageVersion"], indexed_again(&cloud).last().unwrap().as_str()),
        (&json!(1), "three")
    );
    let (code, _, stderr) = cloud.run(&["reindex"]).await;
    assert_eq!(code, Some(2), "{stderr}");
}

#[tokio::test]
async fn everything_that_is_kept_of_a_session_is_deleted_and_nothing_else() {
    let cloud = Cloud::start(&[]).await;
    cloud.crash("session", OLD).await;
    // Its key begins like the other's.
    cloud.crash("session2", OLD).await;
    cloud.printed(&["reindex", "session"]).await;
    cloud.bus.settled().await;
    cloud.put_marker("session").await;
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    cloud.put_json(&format!("reports/{APPLICATION}/{STREAM_GROUP}/{day}/session.html"), &json!({})).await;
    let is_its = |key: &String| {
        key.ends_with("/session.json") || key.contains("/session.zip") || key.ends_with("/session.html")
    };
    let before = cloud.keys("").await;
    let (its, others): (Vec<_>, Vec<_>) = before.into_iter().partition(is_its);
    assert_eq!(its.len(), 5, "{its:?}");

    let (code, _, stderr) = cloud.run(&["delete", "sg-1AB2C3De4/session", "--yes"]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("is still watched"), "{stderr}");
    let (code, _, stderr) = cloud.run(&["delete", "sg-1AB2C3De4/session", "--force"]).await;
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--yes deletes without asking"), "{stderr}");
    assert_eq!(cloud.keys("").await.len(), its.len() + others.len());

    let (code, deleted) = cloud.json(&["delete", "sg-1AB2C3De4/session", "--yes", "--force"]).await;
    assert_eq!(code, Some(0));
    let mut deleted: Vec<_> =
        deleted.iter().map(|object| object["key"].as_str().unwrap().to_owned()).collect();
    // Without its record nobody finds the rest.
    assert!(deleted.last().unwrap().starts_with("index/"), "{deleted:?}");
    deleted.sort_unstable();
    assert_eq!(deleted, its);
    assert_eq!(cloud.keys("").await, others);
    // The beginning of an id will not do.
    for session in ["sg-1AB2C3De4/session", "sess"] {
        let (code, _, stderr) = cloud.run(&["delete", session, "--yes", "--force"]).await;
        assert_eq!(code, Some(3));
        assert!(stderr.contains("session2 begins like it"), "{stderr}");
    }
    // Its end is so recent that the sweep may still write it down.
    let (code, _, stderr) = cloud.run(&["delete", "session2", "--yes"]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("less than two hours ago"), "{stderr}");
}

#[tokio::test]
async fn a_signature_is_resolved_for_the_builds_that_have_it_and_comes_back_in_another() {
    let cloud = Cloud::start(&[]).await;
    let signature = async |id: &str, build: &str| {
        let session = cloud.crash(id, build).await;
        cloud.record(&session).await.unwrap()["signature"].clone()
    };
    let first = signature("first", OLD).await;
    let id = first["id"].as_str().unwrap();
    let told = cloud.printed(&["resolve", &id[..6]]).await;
    assert!(
        told.contains(first["title"].as_str().unwrap())
            && told.ends_with(&format!("in any build but:\n  {OLD}\n")),
        "{told}"
    );
    assert_eq!(cloud.keys("resolutions/").await, [format!("resolutions/{APPLICATION}/v1-{id}.json")]);
    assert_eq!(signature("known", OLD).await.get("regressed"), None);
    assert_eq!(signature("back", NEW).await["regressed"], true);
    // Known in this build, too: as it was seen in it, or because somebody says so.
    for arguments in [&["resolve", id][..], &["resolve", id, "--build", NEW, "--build", OLD]] {
        let (code, decided) = cloud.json(arguments).await;
        assert_eq!((code, decided[0]["signature"].as_str()), (Some(0), Some(id)), "{decided:?}");
        assert_eq!(signature("still", NEW).await.get("regressed"), None);
    }
    cloud.printed(&["resolve", id, "--build", OLD]).await;
    assert_eq!(signature("again", NEW).await["regressed"], true);
    assert!(cloud.printed(&["resolve", id, "--undo"]).await.ends_with("It is open again.\n"));
    assert_eq!(signature("open", NEW).await.get("regressed"), None);

    cloud.printed(&["mute", id]).await;
    assert_eq!(signature("muted", NEW).await["muted"], true);
    cloud.printed(&["mute", &format!("v1-{id}"), "--undo", "--application", APPLICATION]).await;
    assert_eq!(signature("heard", NEW).await.get("muted"), None);

    for (wrong, code) in [("0000000000000000", 3), ("xyz", 2), ("9f", 2)] {
        assert_eq!(cloud.run(&["resolve", wrong]).await.0, Some(code), "{wrong}");
    }
}
