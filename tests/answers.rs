//! From a session to its record: the built functions, through the runtime API, against the local cloud.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::cloud::{APPLICATION, OTHER_LOCATION, STREAM_GROUP};
use crash_capture_local::game::crash_site;
use crash_capture_local::streams::{ExportAfterError, StartOptions};
use serde_json::{Value, json};

use support::{Cloud, INDEX_EXPORT, crash_after, event, long_since, session_event};

/// The key of the export that we request.
fn export_key(record: &Value) -> &str {
    record["export"]["key"].as_str().unwrap()
}

#[tokio::test]
async fn a_crash_is_recorded_with_module_and_offset() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&crash_after("1")).await;
    let answer = cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"armed": 1}));
    assert!(cloud.marker(&session).await.unwrap()["armedAt"].is_string());
    cloud.ended(&session).await;

    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["state"], &record["verdict"]), (&json!("indexed"), &json!("crash")));
    assert_eq!(record["session"]["endReason"], "applicationExit");
    assert_eq!(record["trigger"]["kind"], "session-event");
    let exception = &record["exception"];
    assert!(exception["type"].as_str().unwrap().starts_with("SIGSEGV"), "{exception}");
    assert_eq!(exception["module"], "game");
    let offset = exception["offset"].as_str().unwrap().strip_prefix("0x").unwrap();
    let offset = u64::from_str_radix(offset, 16).unwrap();
    let site = crash_site(&cloud.game).unwrap();
    assert!(site.contains(&offset), "{offset:#x} is not in {site:#x?}");
    assert!(record["evidence"][0]["path"].as_str().unwrap().ends_with("/UEMinidump.dmp"));
    assert_eq!(record["files"]["roots"]["stats"], 1);

    let date = record["session"]["createdAt"].as_str().unwrap()[..10].to_owned();
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/{date}/{}.zip", session.id);
    assert_eq!(export_key(&record), key);
    let tags = cloud.tags(&key);
    for tag in [("Verdict", "crash"), ("EndReason", "applicationExit"), ("StreamSession", &session.id)] {
        assert!(tags.contains(&(tag.0.to_owned(), tag.1.to_owned())), "{tags:?}");
    }
}

#[tokio::test]
async fn a_capture_is_one_line_in_the_log_with_what_reading_it_took() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&crash_after("0.5")).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    cloud.ended(&session).await;
    let record = cloud.record(&session).await.unwrap();
    let (requests, bytes) = cloud.reads(INDEX_EXPORT, export_key(&record));
    let lines = cloud.lambda.logs(INDEX_EXPORT).into_iter().map(|line| line.text);
    let lines: Vec<Value> = lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
    let indexed: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "indexed").collect();
    let [line] = indexed.as_slice() else { panic!("{lines:?}") };
    let fields = &line["fields"];
    assert_eq!(fields["session"], session.to_string());
    assert_eq!((&fields["verdict"], &fields["announce"]), (&json!("crash"), &json!(true)));
    assert_eq!((&fields["requests"], &fields["bytes"]), (&json!(requests), &json!(bytes)));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_clean_exit_is_clean_by_its_log_and_a_quit_is_just_an_exit() {
    let cloud = Cloud::start().await;
    let clean = cloud.play(&["--exit-after", "1"]).await;
    let quit = cloud.play_as(long_since(&["--quit-after", "1"])).await;
    cloud.sweep().await;
    cloud.ended(&clean).await;
    cloud.ended(&quit).await;
    let clean = cloud.record(&clean).await.unwrap();
    assert_eq!((&clean["verdict"], &clean["reason"]["code"]), (&json!("clean"), &json!("clean-exit-mark")));
    assert_eq!(clean["trigger"]["kind"], "sweep");
    let quit = cloud.record(&quit).await.unwrap();
    assert_eq!((&quit["verdict"], &quit["reason"]["code"]), (&json!("exited"), &json!("application-exit")));
}

#[tokio::test]
async fn a_session_that_ended_before_anything_could_arm_it_is_recorded_as_missed() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&crash_after("0.3")).await;
    cloud.ended(&session).await;
    let answer = cloud.start_export(&session_event(&cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"missed": 1}));
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["state"], &record["reason"]["code"]), (&json!("missed"), &json!("never-armed")));
    assert_eq!(record["session"]["endReason"], "applicationExit");
    assert!(cloud.s3.list(&cloud.bucket, "exports/").unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_was_seen_too_early_is_followed_by_the_sweep() {
    let cloud = Cloud::start_with(|options| {
        options.timings.activating = std::time::Duration::from_secs(1);
        options.timings.cloudtrail_after = Some(std::time::Duration::ZERO);
    })
    .await;
    let session = cloud.play(&crash_after("1.2")).await;
    cloud.bus.settled().await;
    assert_eq!(cloud.marker(&session).await.unwrap()["trigger"]["kind"], "cloudtrail");
    cloud.ended(&session).await;
    cloud.sweep().await;
    assert_eq!(cloud.record(&session).await.unwrap()["state"], "missed");
}

#[tokio::test]
async fn an_export_that_failed_is_recorded_with_the_services_own_text() {
    let cloud = Cloud::start_with(|options| {
        options.switches.export_after_error = ExportAfterError::Fails;
    })
    .await;
    let session = cloud.play(&[]).await;
    cloud.sweep().await;
    cloud.streams.fail(&session).unwrap();
    let ended = cloud.ended(&session).await;
    cloud.sweep().await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["state"], &record["reason"]["code"]), (&json!("failed"), &json!("export-failed")));
    let text = ended.export.unwrap().status_reason.unwrap();
    assert!(record["reason"]["detail"].as_str().unwrap().ends_with(&text), "{record}");
    assert!(record["armedAt"].is_string());
}

#[tokio::test]
async fn an_alarm_makes_suspect_the_sessions_that_its_dimensions_select_and_no_other() {
    let cloud = Cloud::start().await;
    let affected = cloud.play(&[]).await;
    let elsewhere = {
        let mut options = StartOptions::new(STREAM_GROUP, APPLICATION);
        options.request.locations = Some(vec![OTHER_LOCATION.to_owned()]);
        cloud.play_as(options).await
    };
    cloud.events.put_raw(event("start-export/alarm-metric.json", &[]));
    cloud.bus.settled().await;
    cloud.sweep().await;
    for session in [&affected, &elsewhere] {
        cloud.streams.terminate(session).unwrap();
        cloud.ended(session).await;
    }
    let record = cloud.record(&affected).await.unwrap();
    assert_eq!((&record["verdict"], &record["reason"]["code"]), (&json!("suspect"), &json!("alarm")));
    assert_eq!(record["alarms"][0]["name"], "gamelift-streams-frame-rate-zero");
    assert_eq!(record["trigger"]["kind"], "alarm");
    let record = cloud.record(&elsewhere).await.unwrap();
    assert_eq!((&record["verdict"], record.get("alarms")), (&json!("clean"), None));
}

#[tokio::test]
async fn the_same_event_twice_changes_nothing() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&crash_after("1")).await;
    let event = session_event(&cloud, &session);
    assert_eq!(cloud.start_export(&event).await["counts"], json!({"armed": 1}));
    let armed = cloud.contents().await;
    assert_eq!(cloud.start_export(&event).await["counts"], json!({"already-armed": 1}));
    assert_eq!(cloud.contents().await, armed);
    cloud.ended(&session).await;
    let indexed = cloud.contents().await;
    let created =
        cloud.bus.log().into_iter().find(|routed| routed.rules == ["IndexExportFunctionObjectCreated"]);
    let answer = cloud.index_export(&created.unwrap().event).await;
    assert_eq!((&answer["verdict"], &answer["announce"]), (&json!("crash"), &json!(false)));
    assert_eq!(cloud.contents().await, indexed);
    cloud.start_export(&event).await;
    cloud.sweep().await;
    assert_eq!(cloud.contents().await, indexed);
}

/// The record of a crash whose export somebody asked for by hand, with a folder URI.
async fn exported_by_hand(cloud: &Cloud) -> Value {
    let session = cloud.play(&crash_after("0.5")).await;
    let folder = format!("s3://{}/exports/QA playtest (Linux)/", cloud.bucket);
    cloud.streams.export(&session, &folder, "AKIASOMEBODY00000000").unwrap();
    cloud.ended(&session).await;
    cloud.record(&session).await.unwrap()
}

#[tokio::test]
async fn an_export_made_by_hand_is_indexed_and_keeps_others_tags() {
    let cloud = Cloud::start().await;
    let record = exported_by_hand(&cloud).await;
    assert_eq!((&record["verdict"], record.get("trigger")), (&json!("crash"), None));
    let key = export_key(&record).to_owned();
    assert!(key.starts_with("exports/QA playtest (Linux)/2"), "{key}");
    assert!(cloud.tags(&key).contains(&("Verdict".to_owned(), "crash".to_owned())));
}

#[tokio::test]
async fn s3s_own_notification_is_understood_too() {
    let cloud = Cloud::start().await;
    let record = exported_by_hand(&cloud).await;
    let encoded = export_key(&record).replace(' ', "+").replace('(', "%28").replace(')', "%29");
    let notification = event(
        "index-export/s3-notification.json",
        &[
            ("/Records/0/s3/bucket/name", json!(cloud.bucket)),
            ("/Records/0/s3/object/key", json!(encoded)),
            ("/Records/0/s3/object/eTag", record["export"]["etag"].clone()),
            ("/Records/0/s3/object/size", record["export"]["size"].clone()),
        ],
    );
    let answer = cloud.index_export(&notification).await;
    assert_eq!((&answer["verdict"], &answer["announce"]), (&json!("crash"), &json!(false)));
    assert_eq!(answer["export"]["key"], record["export"]["key"]);
}

#[tokio::test]
async fn a_zip_that_is_none_is_recorded_as_unreadable_and_the_function_succeeds() {
    let cloud = Cloud::start().await;
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/notazip123456.zip");
    cloud.s3.put(&cloud.bucket, &key, "this is no zip", "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let outcomes: Vec<_> =
        cloud.lambda.invocations().into_iter().map(|invocation| invocation.outcome.result).collect();
    let [Ok(answer)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!((&answer["state"], &answer["verdict"]), (&json!("indexed"), &json!("unreadable")));
    assert_eq!(answer["session"]["id"], "notazip123456");
    let problems: Vec<_> = answer["problems"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert_eq!(problems, ["end-reason-unknown", "date-from-key"]);
    assert!(cloud.tags(&key).contains(&("Verdict".to_owned(), "unreadable".to_owned())));
}

#[tokio::test]
async fn what_is_not_ours_or_names_no_session_is_left_alone() {
    let cloud = Cloud::start().await;
    let key = "exports/holiday pictures.zip";
    cloud.s3.put(&cloud.bucket, key, "PK", "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let answer = cloud.index_export(&json!({"bucket": cloud.bucket, "key": key})).await;
    assert_eq!(answer["ignored"], json!([{"key": key, "code": "unknown-key"}]));
    let elsewhere = cloud.index_export(&json!({"bucket": "another", "key": key})).await;
    assert_eq!(elsewhere["ignored"][0]["code"], "not-ours");
    let gone = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/gone.zip");
    let gone = cloud.index_export(&json!({"bucket": cloud.bucket, "key": gone})).await;
    assert_eq!(gone["ignored"][0]["code"], "gone");
    let test =
        cloud.lambda.invoke(INDEX_EXPORT, &event("index-export/s3-test-event.json", &[])).await.unwrap();
    assert_eq!(test.result.unwrap()["captures"], json!([]));
    assert_eq!(cloud.contents().await.len(), 1);
    assert!(cloud.tags(key).is_empty());
}
