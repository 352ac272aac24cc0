//! What the functions answer and log, for those who invoke them and for those who read their logs.

mod support;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use serde_json::{Value, json};

use support::{CRASH, Cloud, INDEX_EXPORT, event, session_event};

#[tokio::test]
async fn a_capture_is_one_line_in_the_log_with_what_reading_it_took() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&CRASH).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    cloud.now(&session);
    cloud.ended(&session).await;
    let record = cloud.record(&session).await.unwrap();
    let (requests, bytes) = cloud.reads(INDEX_EXPORT, record["export"]["key"].as_str().unwrap());
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
async fn start_export_counts_what_became_of_the_sessions_and_index_export_announces_once() {
    let cloud = Cloud::start().await;
    let session = cloud.play(&CRASH).await;
    let event = session_event(&cloud, &session);
    assert_eq!(cloud.start_export(&event).await["counts"], json!({"armed": 1}));
    assert_eq!(cloud.start_export(&event).await["counts"], json!({"already-armed": 1}));
    cloud.now(&session);
    cloud.ended(&session).await;
    let created =
        cloud.bus.log().into_iter().find(|routed| routed.rules == ["IndexExportFunctionObjectCreated"]);
    let answer = cloud.index_export(&created.unwrap().event).await;
    assert_eq!((&answer["verdict"], &answer["announce"]), (&json!("crash"), &json!(false)));

    let late = cloud.play(&CRASH).await;
    cloud.now(&late);
    cloud.ended(&late).await;
    let answer = cloud.start_export(&session_event(&cloud, &late)).await;
    assert_eq!(answer["counts"], json!({"missed": 1}));
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
