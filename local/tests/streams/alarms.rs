//! Alarms on the frame rate, and their events.

use crash_capture_local::streams::alarms::{Alarm, Dimensions, Statistic};
use crash_capture_local::streams::{StartOptions, Status};
use serde_json::{Value, json};

use crate::cloud::{Cloud, FOR_EVER, GAME, GROUP, LOCATION};

fn no_frames(location: &str) -> Alarm {
    Alarm {
        name: "game-hangs".into(),
        description: "A game presents no frames".into(),
        namespace: "AWS/GameLiftStreams".into(),
        dimensions: Dimensions::StreamGroup { stream_group_id: GROUP.into(), location: location.into() },
        statistic: Statistic::Minimum,
        threshold: 1.0,
        period: 1,
        datapoints: 2,
    }
}

fn state_of(event: &Value) -> &str {
    event["detail"]["state"]["value"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_hung_game_raises_an_alarm_until_its_session_ends() {
    let mut cloud = Cloud::start().await;
    cloud.streams.add_alarm(no_frames(LOCATION));
    let hung = cloud.begin(StartOptions::new(GROUP, GAME).arguments(["--hang-after", "0.5"]));
    cloud.begin(StartOptions::new(GROUP, GAME));

    let event = cloud.event(|event| state_of(event) == "ALARM").await;
    assert_eq!(event["source"], "aws.cloudwatch");
    assert_eq!(event["detail-type"], "CloudWatch Alarm State Change");
    assert_eq!(event["resources"], json!(["arn:aws:cloudwatch:us-west-2:111122223333:alarm:game-hangs"]));
    let detail = &event["detail"];
    assert_eq!(detail["alarmName"], "game-hangs");
    let metric = json!({
        "namespace": "AWS/GameLiftStreams",
        "name": "FrameCaptureRate",
        "dimensions": { "StreamGroupId": GROUP, "Location": LOCATION },
    });
    let metrics = json!([{
        "id": "m1",
        "metricStat": { "metric": metric, "period": 1, "stat": "Minimum" },
        "returnData": true,
    }]);
    assert_eq!(
        detail["configuration"],
        json!({ "description": "A game presents no frames", "metrics": metrics })
    );
    assert_eq!(detail["previousState"]["value"], "OK");
    let data: Value =
        serde_json::from_str(detail["state"]["reasonData"].as_str().expect("a string")).expect("JSON in it");
    assert_eq!(data["recentDatapoints"], json!([0.0, 0.0]));
    assert!(detail["state"]["timestamp"].as_str().expect("a time").ends_with("+0000"));

    cloud.streams.terminate(&hung).expect("a live session");
    let event = cloud.event(|event| state_of(event) == "OK").await;
    assert_eq!(event["detail"]["previousState"]["value"], "ALARM");
}

#[tokio::test]
async fn games_that_play_elsewhere_or_have_not_begun_raise_no_alarm() {
    let mut cloud = Cloud::start().await;
    cloud.streams.add_alarm(no_frames("eu-central-1"));
    cloud.streams.add_alarm(no_frames(LOCATION));
    // A script presents nothing, and so has not begun.
    let silent = cloud.script(FOR_EVER);
    cloud.reach(&silent, Status::Active).await;
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    let states: Vec<_> = cloud.events().iter().map(|event| state_of(event).to_owned()).collect();
    assert_eq!(states.iter().filter(|state| *state == "OK").count(), 2);
    assert!(!states.contains(&"ALARM".to_owned()), "{states:?}");
}

#[tokio::test]
async fn an_alarm_can_watch_an_application() {
    let mut cloud = Cloud::start().await;
    let dimensions =
        Dimensions::Application { application_id: GAME.into(), stream_class: "gen4n_high".into() };
    cloud.streams.add_alarm(Alarm { dimensions, statistic: Statistic::Average, ..no_frames(LOCATION) });
    cloud.begin(StartOptions::new(GROUP, GAME).arguments(["--hang-after", "0.3"]));
    let event = cloud.event(|event| state_of(event) == "ALARM").await;
    let metric = &event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"];
    assert_eq!(metric["dimensions"], json!({ "ApplicationId": GAME, "StreamClass": "gen4n_high" }));
}
