//! Every kind of alarm arms exactly the sessions of its dimensions, and only when it goes to ALARM.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use crash_capture_local::cloud::{OTHER_LOCATION, PRIMARY_LOCATION, STREAM_GROUP};
use crash_capture_local::streams::{Status, StreamGroup};
use serde_json::{Value, json};

use support::{Cloud, START_EXPORT, event, session_on_paper};

const SECOND_GROUP: &str = "sg-2nd";
const FOREIGN_GROUP: &str = "sg-f0reign";

/// Sessions by their ids: which group, where, which application.
const SESSIONS: [(&str, &str, &str, &str); 6] = [
    ("first-here", STREAM_GROUP, PRIMARY_LOCATION, "a-9ZY8X7Wv6"),
    ("first-there", STREAM_GROUP, OTHER_LOCATION, "a-9ZY8X7Wv6"),
    ("first-other-game", STREAM_GROUP, PRIMARY_LOCATION, "a-0therGame"),
    ("second-here", SECOND_GROUP, PRIMARY_LOCATION, "a-9ZY8X7Wv6"),
    ("foreign-here", FOREIGN_GROUP, PRIMARY_LOCATION, "a-9ZY8X7Wv6"),
    ("over", STREAM_GROUP, PRIMARY_LOCATION, "a-9ZY8X7Wv6"),
];

/// Two groups are configured, the third is not. Nothing is sampled: an alarm arms all the same.
async fn cloud() -> Cloud {
    let cloud = Cloud::start_with(|options| {
        let groups = format!("{STREAM_GROUP},{SECOND_GROUP}");
        for (name, value) in [("StreamGroups", groups.as_str()), ("ArmPercent", "0")] {
            options.parameters.insert(name.to_owned(), value.to_owned());
        }
    })
    .await;
    for group in [SECOND_GROUP, FOREIGN_GROUP] {
        cloud.streams.add_stream_group(StreamGroup::new(group, PRIMARY_LOCATION));
    }
    cloud.write_down(SESSIONS.map(|(id, group, location, application)| {
        let mut session = session_on_paper(group, id);
        location.clone_into(&mut session.location);
        application.clone_into(&mut session.application_id);
        if id == "over" {
            session.status = Status::Terminated;
        }
        session
    }));
    cloud
}

/// The sessions that an alarm armed, and those in whose markers it is noted.
async fn effect(event: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let cloud = cloud().await;
    cloud.lambda.invoke(START_EXPORT, event).await.unwrap().result.unwrap();
    let sessions = cloud.streams.sessions();
    let armed = sessions.iter().filter(|it| it.export.is_some()).map(|it| it.id.id.clone()).collect();
    let mut noted = BTreeSet::new();
    for session in &sessions {
        let marker = cloud.marker(&session.id).await;
        if marker.is_some_and(|marker| marker.get("alarms").is_some()) {
            noted.insert(session.id.id.clone());
        }
    }
    (armed, noted)
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

const ALL: &[&str] = &["first-here", "first-there", "first-other-game", "second-here"];
const GROUP_AND_LOCATION: &[&str] = &["first-here", "first-other-game"];
const APPLICATION: &[&str] = &["first-here", "first-there", "second-here"];

/// Each kind: its file, where its state and the state before are, the sessions that it arms, and whether they note it.
const KINDS: [(&str, &str, &[&str], bool); 7] = [
    ("alarm-metric.json", "/detail", GROUP_AND_LOCATION, true),
    ("alarm-metric-math.json", "/detail", GROUP_AND_LOCATION, true),
    ("alarm-anomaly-detection.json", "/detail", APPLICATION, true),
    ("alarm-composite.json", "/detail", ALL, false),
    ("alarm-metrics-insights.json", "/detail", ALL, false),
    ("alarm-contributor.json", "/detail", GROUP_AND_LOCATION, true),
    ("alarm-direct-action.json", "/alarmData", GROUP_AND_LOCATION, true),
];

#[tokio::test]
async fn an_alarm_arms_the_live_sessions_that_its_dimensions_select() {
    for (file, _, expected, is_noted) in KINDS {
        let (armed, noted) = effect(&event(&format!("start-export/{file}"), &[])).await;
        assert_eq!(armed, set(expected), "{file}");
        assert_eq!(noted, if is_noted { set(expected) } else { set(&[]) }, "{file}");
    }
}

#[tokio::test]
async fn a_session_is_selected_that_matches_every_dimension_of_any_metric() {
    let mut by_both = event("start-export/alarm-metric.json", &[]);
    let metrics = by_both.pointer_mut("/detail/configuration/metrics").unwrap().as_array_mut().unwrap();
    metrics.push(
        json!({"id": "m2", "returnData": false, "metricStat": {"period": 60, "stat": "Sum", "metric": {
        "namespace": "AWS/GameLiftStreams", "name": "CPUUtilization",
        "dimensions": {"StreamGroupId": SECOND_GROUP, "Location": PRIMARY_LOCATION}}}}),
    );
    metrics.push(
        json!({"id": "m3", "returnData": false, "metricStat": {"period": 60, "stat": "Sum", "metric": {
        "namespace": "AWS/GameLiftStreams", "name": "CPUUtilization",
        "dimensions": {"StreamGroupId": FOREIGN_GROUP, "Location": PRIMARY_LOCATION}}}}),
    );
    assert_eq!(effect(&by_both).await.0, set(&["first-here", "first-other-game", "second-here"]));
}

#[tokio::test]
async fn an_alarm_that_does_not_go_to_alarm_makes_no_call() {
    let cloud = cloud().await;
    for (file, root, ..) in KINDS {
        for (state, before) in [
            ("OK", Some("ALARM")),
            ("INSUFFICIENT_DATA", Some("ALARM")),
            ("OK", Some("INSUFFICIENT_DATA")),
            ("ALARM", Some("ALARM")),
            ("OK", None),
        ] {
            let mut event = event(&format!("start-export/{file}"), &[]);
            let change = event.pointer_mut(root).unwrap();
            change["state"]["value"] = json!(state);
            if let Some(before) = before {
                change["previousState"] = json!({"value": before});
            }
            let answer = cloud.start_export(&event).await;
            assert!(answer["ignored"].is_string(), "{file}: {before:?} to {state}: {answer}");
        }
    }
    assert!(cloud.streams.call_log().is_empty());
    assert!(cloud.contents().await.is_empty());
}
