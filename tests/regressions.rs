//! Resolved signatures that come back, and muted ones: what `resolutions/` holds is in the record and decides who is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::streams::{Status, StatusReason};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use support::exports::crashed_in;
use support::{Cloud, session_on_paper};

/// The build in which the crash was known, as the games' logs tell it.
const OLD: &str = "++Game+Main-CL-1";
/// The build that was to mend it.
const NEW: &str = "++Game+Main-CL-2";

async fn cloud() -> Cloud {
    let every_crash = ("EveryCrash".to_owned(), "ENABLED".to_owned());
    Cloud::start_with(|options| options.parameters.extend([every_crash])).await
}

/// A session of this build crashes, and its export is indexed. Gives the signature in its record.
async fn crash(cloud: &Cloud, id: &str, build: &str) -> Value {
    let mut session = session_on_paper(STREAM_GROUP, id);
    session.created_at = Timestamp::now();
    session.status = Status::Terminated;
    session.status_reason = Some(StatusReason::ApplicationExit);
    let (name, date) = (session.id.clone(), session.created_at.strftime("%Y-%m-%d"));
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/{date}/{id}.zip");
    cloud.write_down([session]);
    cloud.s3.put(&cloud.bucket, &key, crashed_in(0, build), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let record = cloud.record(&name).await.unwrap();
    assert_eq!((&record["verdict"], &record["build"]["version"]), (&json!("crash"), &json!(build)));
    record["signature"].clone()
}

/// Writes down what was decided about the crash's signature, as the command line does.
async fn decide(cloud: &Cloud, signature: &Value, decision: Value) {
    let id = signature["id"].as_str().unwrap();
    let mut resolution = json!({"schema": 1, "applicationId": APPLICATION, "version": 1, "signature": id});
    resolution.as_object_mut().unwrap().extend(decision.as_object().unwrap().clone());
    cloud.put_json(&format!("resolutions/{APPLICATION}/v1-{id}.json"), &resolution).await;
}

fn resolved() -> Value {
    json!({"resolved": {"at": Timestamp::now() - 1.second(), "builds": [{"version": OLD}]}})
}

/// The first lines of the mails since the last time.
fn news(cloud: &Cloud, told: &mut usize) -> Vec<String> {
    let mails = cloud.published("NewsTopic").into_iter().skip(*told);
    let news: Vec<_> = mails.map(|mail| mail.body.lines().next().unwrap().to_owned()).collect();
    *told += news.len();
    news.iter().map(|line| line.trim_matches('"').split_once(':').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn a_resolved_crash_that_comes_back_in_another_build_is_told_once_each_time_it_was_resolved() {
    let (cloud, mut told) = (cloud().await, 0);
    let first = crash(&cloud, "first", OLD).await;
    assert_eq!(news(&cloud, &mut told), ["A game crashed as none did before"]);
    for field in ["regressed", "firstRegressed", "muted"] {
        assert_eq!(first.get(field), None, "{first}");
    }
    for round in ["1", "2"] {
        decide(&cloud, &first, resolved()).await;
        // What is out there goes on to crash.
        let known = crash(&cloud, &format!("known{round}"), OLD).await;
        assert_eq!((known.get("regressed"), known.get("firstRegressed")), (None, None));
        assert_eq!(news(&cloud, &mut told), ["A game crashed"]);
        let back = crash(&cloud, &format!("back{round}"), NEW).await;
        assert_eq!((&back["regressed"], &back["firstRegressed"]), (&json!(true), &json!(true)));
        assert_eq!(news(&cloud, &mut told), ["A crash that had been resolved came back in another build"]);
        let again = crash(&cloud, &format!("again{round}"), NEW).await;
        assert_eq!((&again["regressed"], &again["firstRegressed"]), (&json!(true), &json!(false)));
        assert_eq!(news(&cloud, &mut told), ["A game crashed"]);
    }
    let regressions = cloud.s3.list(&cloud.bucket, "regressions/").await.unwrap();
    let folder = format!("regressions/{APPLICATION}/v1-{}/", first["id"].as_str().unwrap());
    assert_eq!(regressions.iter().filter(|key| key.starts_with(&folder)).count(), 2, "{regressions:?}");
}

#[tokio::test]
async fn a_muted_crash_is_recorded_and_nobody_is_told() {
    let (cloud, mut told) = (cloud().await, 0);
    let first = crash(&cloud, "first", OLD).await;
    assert_eq!(news(&cloud, &mut told).len(), 1);
    let mut decision = resolved();
    decision["mutedAt"] = json!(Timestamp::now());
    decide(&cloud, &first, decision).await;
    for (session, build, regressed) in [("known", OLD, None), ("back", NEW, Some(&json!(true)))] {
        let signature = crash(&cloud, session, build).await;
        assert_eq!((&signature["muted"], signature.get("regressed")), (&json!(true), regressed));
    }
    assert_eq!(news(&cloud, &mut told), [""; 0]);
}

#[tokio::test]
async fn only_a_crash_asks_what_was_decided_and_it_asks_once() {
    let cloud = cloud().await;
    let asked = || {
        let entries = cloud.s3.access_log().entries().into_iter();
        entries.filter(|it| it.key.as_ref().is_some_and(|key| key.starts_with("resolutions/"))).count()
    };
    let clean = cloud.play(&[]).await;
    cloud.tell(&clean).await;
    cloud.streams.terminate(&clean).unwrap();
    cloud.ended(&clean).await;
    assert_eq!((cloud.record(&clean).await.unwrap()["state"].as_str(), asked()), (Some("indexed"), 0));
    crash(&cloud, "first", OLD).await;
    assert_eq!(asked(), 1);
}
