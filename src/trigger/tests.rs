use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn scope_of(event: &Value) -> Result<Scope, Error> {
    Trigger::parse(event, Timestamp::UNIX_EPOCH).map(|trigger| trigger.scope)
}

#[test]
fn what_is_no_event_is_refused_with_what_was_expected() {
    for event in [
        json!(null),
        json!(7),
        json!([]),
        json!({"hello": "world"}),
        json!({"detail-type": "Scheduled Event"}),
        json!({"detail-type": "Scheduled Event", "source": "my.source", "detail": {}}),
        json!({"detail-type": "Stream Session State Change", "source": "aws.gameliftstreams", "detail": {}}),
        json!({"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "detail": {}}),
        json!({"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch", "detail": {}}),
        json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": {"eventSource": "ec2.amazonaws.com"}}),
    ] {
        let error = scope_of(&event).unwrap_err();
        assert_eq!(error.code(), "unknown-event", "{event}");
        assert!(!error.retry_helps());
    }
    let error = scope_of(&json!({"hello": "world"})).unwrap_err().to_string();
    assert!(error.contains("hello") && error.contains("expected a Scheduled Event"), "{error}");
}

#[test]
fn a_session_that_cannot_be_read_is_refused_with_what_was_expected() {
    let error = scope_of(&json!({"streamSessionArn": "arn:aws:s3:::bucket"})).unwrap_err().to_string();
    assert!(
        error.contains("arn:aws:s3:::bucket") && error.contains("the ARN of a stream session"),
        "{error}"
    );
    let error = scope_of(&json!({"streamSessionId": "abc"})).unwrap_err().to_string();
    assert!(error.contains("streamGroupId is missing"), "{error}");
    let error =
        scope_of(&json!({"streamSessionId": "../x", "streamGroupId": "sg-1"})).unwrap_err().to_string();
    assert!(error.contains("streamSessionId") && error.contains("an identifier"), "{error}");
}

fn event(file: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/start-export");
    serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap()
}

fn session() -> SessionName {
    let arn = "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567";
    SessionName::from_arn(arn).unwrap()
}

#[test]
fn the_projects_own_event_names_a_session_by_arn_or_ids_in_an_envelope_or_bare() {
    for file in ["session-event-arn.json", "session-event-ids.json", "direct-invocation.json"] {
        assert_eq!(scope_of(&event(file)).unwrap(), Scope::Session(session()), "{file}");
    }
}

#[test]
fn cloudtrail_names_a_session_that_was_started_or_connected_to() {
    for file in ["cloudtrail-start-stream-session.json", "cloudtrail-create-stream-session-connection.json"] {
        assert_eq!(scope_of(&event(file)).unwrap(), Scope::SessionInScope(session()), "{file}");
    }
    let mut by_arn = event("cloudtrail-create-stream-session-connection.json");
    by_arn["detail"]["requestParameters"]["StreamSessionIdentifier"] =
        "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567".into();
    assert_eq!(scope_of(&by_arn).unwrap(), Scope::SessionInScope(session()));
    let mut group_by_arn = event("cloudtrail-create-stream-session-connection.json");
    group_by_arn["detail"]["requestParameters"] = json!({"streamSessionIdentifier": "ABC123def4567",
        "identifier": "arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4"});
    assert_eq!(scope_of(&group_by_arn).unwrap(), Scope::SessionInScope(session()));
    let mut by_id = event("cloudtrail-start-stream-session.json");
    by_id["detail"]["responseElements"] = json!({"Arn": "ABC123def4567", "StreamGroupId": "sg-1AB2C3De4"});
    by_id["detail"]["requestParameters"] = json!({});
    assert_eq!(scope_of(&by_id).unwrap(), Scope::SessionInScope(session()));
    by_id["detail"]["responseElements"] = json!(null);
    let error = scope_of(&by_id).unwrap_err().to_string();
    assert!(error.contains("responseElements.Arn or requestParameters.StreamSessionIdentifier"), "{error}");
    let denied = scope_of(&event("cloudtrail-start-stream-session-denied.json")).unwrap();
    assert!(matches!(denied, Scope::Nothing(why) if why.contains("AccessDenied")));
}

#[test]
fn the_schedule_asks_for_a_sweep() {
    assert_eq!(scope_of(&event("scheduled-event.json")).unwrap(), Scope::Sweep);
}

#[test]
fn only_an_alarm_that_goes_to_alarm_and_is_not_our_own_asks_for_anything() {
    let Scope::Alarm(alarm) = scope_of(&event("alarm-metric.json")).unwrap() else { panic!() };
    assert_eq!(alarm.note.name, "gamelift-streams-frame-rate-zero");
    assert_eq!(alarm.note.at.to_string(), "2026-11-20T18:30:24.107Z");
    let selection = Selection {
        stream_group: Some("sg-1AB2C3De4".into()),
        location: Some("us-west-2".into()),
        application: None,
    };
    assert_eq!(alarm.selections, [selection]);
    assert!(matches!(scope_of(&event("alarm-metric-ok.json")).unwrap(), Scope::Nothing(_)));
    let mut already = event("alarm-metric.json");
    already["detail"]["previousState"]["value"] = "ALARM".into();
    assert!(matches!(scope_of(&already).unwrap(), Scope::Nothing(_)));
    for file in ["alarm-direct-action.json", "alarm-contributor.json"] {
        let Scope::Alarm(alarm) = scope_of(&event(file)).unwrap() else { panic!("{file}") };
        let found = alarm.selections.first().and_then(|found| found.stream_group.as_deref());
        assert_eq!((alarm.selections.len(), found), (1, Some("sg-1AB2C3De4")), "{file}");
    }
    let mut direct = event("alarm-direct-action.json");
    direct["alarmData"]["state"]["value"] = "OK".into();
    assert!(matches!(scope_of(&direct).unwrap(), Scope::Nothing(_)));
    let mut own_query = event("alarm-metrics-insights.json");
    own_query["detail"]["configuration"]["metrics"][0]["expression"] =
        "SELECT SUM(missed) FROM \"CrashCapture\"".into();
    assert!(matches!(scope_of(&own_query).unwrap(), Scope::Nothing(_)));
    let mut own = event("alarm-metric.json");
    own["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["namespace"] = "CrashCapture".into();
    assert!(matches!(scope_of(&own).unwrap(), Scope::Nothing(_)));
}

/// Any JSON, with the words of real events strewn in.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "ALARM",
        "aws.cloudwatch",
        "aws.events",
        "CloudWatch Alarm State Change",
        "AWS API Call via CloudTrail",
        "Stream Session State Change",
        "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1/../../x",
        "../../etc",
        "2026-99-99T99:99:99.999+9999",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "detail-type",
        "source",
        "detail",
        "alarmData",
        "alarmName",
        "state",
        "value",
        "previousState",
        "configuration",
        "metrics",
        "metricStat",
        "metric",
        "dimensions",
        "alarmContributor",
        "attributes",
        "streamSessionArn",
        "streamSessionId",
        "streamGroupId",
        "eventSource",
        "eventName",
        "requestParameters",
        "responseElements",
        "Arn",
        "Identifier",
        "StreamGroupId",
        "expression",
        "timestamp",
    ]);
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names.clone().prop_map(str::to_owned), inner.clone()), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn files() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/start-export");
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap()).collect()
}

/// The paths of all that a value holds.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pointers(item, &format!("{path}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// A value that breaks off after so many of its parts.
fn cut_off(value: &Value, parts: &mut usize) -> Option<Value> {
    *parts = parts.checked_sub(1)?;
    Some(match value {
        Value::Object(fields) => {
            let kept = fields.iter().map_while(|(name, field)| Some((name.clone(), cut_off(field, parts)?)));
            Value::Object(kept.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map_while(|item| cut_off(item, parts)).collect()),
        whole => whole.clone(),
    })
}

#[test]
fn a_real_event_that_was_cut_off_anywhere_is_read_or_refused() {
    for file in files() {
        let mut all = Vec::new();
        pointers(&file, "", &mut all);
        for mut parts in 1..all.len() {
            assert_sound(&cut_off(&file, &mut parts).unwrap());
        }
    }
}

/// Whatever an event asks for is something that can be asked for.
fn assert_sound(event: &Value) {
    match Trigger::parse(event, Timestamp::UNIX_EPOCH) {
        Err(error) => {
            assert_eq!(error.code(), "unknown-event");
            assert!(error.to_string().len() < 8_000, "{}", error.to_string().len());
        }
        Ok(Trigger { scope: Scope::Session(name) | Scope::SessionInScope(name), .. }) => {
            for id in [&name.stream_group, &name.id] {
                assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            }
        }
        Ok(Trigger { scope: Scope::Alarm(alarm), .. }) => assert!(alarm.note.name.chars().count() <= 255),
        Ok(_) => {}
    }
}

proptest! {
    #[test]
    fn any_json_is_an_event_or_refused(event in any_json()) {
        assert_sound(&event);
    }

    #[test]
    fn a_real_event_with_something_else_in_it_is_read_or_refused(
        file in prop::sample::select(files()),
        at in any::<prop::sample::Index>(),
        other in any_json(),
    ) {
        let mut paths = Vec::new();
        pointers(&file, "", &mut paths);
        let mut event = file;
        let path: &String = at.get(&paths);
        *event.pointer_mut(path).unwrap() = other;
        assert_sound(&event);
    }
}
