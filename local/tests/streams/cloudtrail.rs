//! CloudTrail's events about calls.

use std::time::Duration;

use aws_sdk_gameliftstreams::types::Protocol;
use crash_capture_local::streams::{NO_CLIENT_CONNECTION, StartOptions, Switches, Timings};
use serde_json::{Value, json};

use crate::cloud::{ARN, Cloud, GROUP, SCRIPT, code, quick};

async fn start(cloud: &Cloud, application: &str) -> Result<String, String> {
    let start = cloud
        .client()
        .start_stream_session()
        .identifier(GROUP)
        .application_identifier(application)
        .protocol(Protocol::Webrtc)
        .signal_request(NO_CLIENT_CONNECTION)
        .user_id("player-1")
        .send()
        .await;
    match start {
        Ok(started) => Ok(started.arn.expect("an ARN")),
        error => Err(code(error)),
    }
}

fn is_start(event: &Value) -> bool {
    event["detail"]["eventName"] == "StartStreamSession"
}

#[tokio::test]
async fn a_start_is_recorded() {
    let mut cloud = Cloud::start().await;
    let arn = start(&cloud, SCRIPT).await.expect("a session");
    let event = cloud.event(is_start).await;
    assert_eq!(event["source"], "aws.gameliftstreams");
    assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
    let detail = &event["detail"];
    assert_eq!(detail["eventSource"], "gameliftstreams.amazonaws.com");
    assert_eq!(detail["userIdentity"]["accessKeyId"], "AKIATESTS");
    assert_eq!(detail["requestParameters"]["Identifier"], GROUP);
    assert_eq!(detail["requestParameters"]["UserId"], "player-1");
    assert_eq!(detail["requestParameters"]["SignalRequest"], "***");
    assert_eq!(detail["responseElements"]["Arn"], json!(arn));
    assert_eq!(detail["responseElements"]["Status"], "ACTIVATING");
    assert_eq!(detail["responseElements"]["SignalRequest"], "***");
    assert!(detail["responseElements"]["CreatedAt"].is_f64());
    assert_eq!(detail["resources"][0]["ARN"], json!(format!("{ARN}streamgroup/{GROUP}")));
    assert_eq!(detail["resources"][1]["ARN"], json!(format!("{ARN}application/{SCRIPT}")));
    assert_eq!(detail.get("errorCode"), None);
}

#[tokio::test]
async fn a_failed_call_is_recorded_with_its_error() {
    let mut cloud = Cloud::start().await;
    assert_eq!(start(&cloud, "a-none").await, Err("ResourceNotFoundException".into()));
    let detail = &cloud.event(is_start).await["detail"];
    assert_eq!(detail["errorCode"], "ResourceNotFoundException");
    assert_eq!(detail["responseElements"], Value::Null);
}

#[tokio::test]
async fn a_call_from_within_is_recorded_unless_it_stands_for_a_stream_url() {
    let mut cloud = Cloud::start().await;
    let options = StartOptions::new(GROUP, SCRIPT);
    cloud.begin(options.clone().from_stream_url());
    let recorded = cloud.begin(options);
    let event = cloud.event(is_start).await;
    let arn = event["detail"]["responseElements"]["Arn"].as_str().expect("an ARN");
    assert!(arn.ends_with(&recorded.resource()), "{arn}");
    assert_eq!(cloud.streams.call_log().len(), 1);
}

#[tokio::test]
async fn nothing_is_recorded_of_reading_or_without_a_trail() {
    let mut cloud = Cloud::start().await;
    cloud.client().list_stream_sessions().identifier(GROUP).send().await.expect("a list");
    let mut untrailed = Cloud::with(Switches::default(), Timings { cloudtrail_after: None, ..quick() }).await;
    start(&untrailed, SCRIPT).await.expect("a session");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((cloud.events(), untrailed.events()), (vec![], vec![]));
}

#[tokio::test]
async fn an_events_source_may_be_another_one() {
    let switches = Switches { cloudtrail_source: "aws.gamelift", ..Switches::default() };
    let mut cloud = Cloud::with(switches, quick()).await;
    cloud.begin(StartOptions::new(GROUP, SCRIPT));
    assert_eq!(cloud.event(is_start).await["source"], "aws.gamelift");
}
