//! The rules of `template.yaml`: which events they match, and that every bit of their patterns matters.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use crash_capture_local::account::Account;
use crash_capture_local::eventbridge::{Pattern, Rule};
use crash_capture_local::executables::workspace;
use crash_capture_local::template::{Stack, StackOptions, Template};
use serde_json::{Map, Value, json};

use support::event;

const SESSION_EVENT: &[&str] = &["StartExportFunctionSessionEvent"];
const CLOUDTRAIL: &[&str] = &["StartExportFunctionCloudTrail"];
const ALARM: &[&str] = &["StartExportFunctionAlarm"];
const CONTRIBUTOR: &[&str] = &["StartExportFunctionAlarmContributor"];
const OBJECT_CREATED: &[&str] = &["IndexExportFunctionObjectCreated"];
const FIRST_SIGHT: &[&str] = &["FirstSight"];
const REGRESSION: &[&str] = &["Regression"];
const EVERY_OTHER_CRASH: &[&str] = &["EveryOtherCrash"];
const NONE: &[&str] = &[];

/// The files of `events/`, as they are. Schedules have no pattern.
const FILES: &[(&str, &[&str])] = &[
    ("index-export/direct-invocation.json", NONE),
    ("index-export/object-created-by-hand.json", OBJECT_CREATED),
    ("index-export/object-created-reindex.json", OBJECT_CREATED),
    ("index-export/object-created.json", OBJECT_CREATED),
    ("index-export/s3-notification.json", NONE),
    ("index-export/s3-test-event.json", NONE),
    ("news/first-sight.json", FIRST_SIGHT),
    ("news/regression.json", REGRESSION),
    ("start-export/alarm-anomaly-detection.json", ALARM),
    ("start-export/alarm-composite.json", ALARM),
    ("start-export/alarm-contributor.json", CONTRIBUTOR),
    ("start-export/alarm-direct-action.json", NONE),
    ("start-export/alarm-metric-math.json", ALARM),
    ("start-export/alarm-metric-ok.json", NONE),
    ("start-export/alarm-metric.json", ALARM),
    ("start-export/alarm-metrics-insights.json", ALARM),
    ("start-export/cloudtrail-create-stream-session-connection.json", CLOUDTRAIL),
    ("start-export/cloudtrail-start-stream-session-denied.json", NONE),
    ("start-export/cloudtrail-start-stream-session.json", CLOUDTRAIL),
    ("start-export/direct-invocation.json", NONE),
    ("start-export/scheduled-event.json", NONE),
    ("start-export/session-event-arn.json", SESSION_EVENT),
    ("start-export/session-event-ids.json", SESSION_EVENT),
];

/// An event, and the rules that match it.
struct Row {
    what: String,
    event: Value,
    rules: &'static [&'static str],
    /// Whether they match in a stack with `GameMetricsNamespace` alone.
    by_namespace: bool,
}

fn row(what: &str, file: &str, changes: &[(&str, Value)], rules: &'static [&'static str]) -> Row {
    Row { what: what.to_owned(), event: event(file, changes), rules, by_namespace: false }
}

fn table() -> Vec<Row> {
    let mut rows: Vec<_> = FILES.iter().map(|(file, rules)| row(file, file, &[], rules)).collect();
    rows.extend(session_events());
    rows.extend(calls());
    rows.extend(alarms());
    rows.extend(objects());
    rows.extend(answers());
    rows
}

fn session_events() -> Vec<Row> {
    let row = |what, pointer, value, rules| {
        row(what, "start-export/session-event-arn.json", &[(pointer, json!(value))], rules)
    };
    vec![
        row("AWS's own sources are none of a backend", "/source", "aws.gameliftstreams", NONE),
        row("a backend's source may begin with aws", "/source", "awsome.backend", SESSION_EVENT),
        row("a backend says something else", "/detail-type", "Player State Change", NONE),
    ]
}

fn calls() -> Vec<Row> {
    let row = |what, pointer, value, rules| {
        row(what, "start-export/cloudtrail-start-stream-session.json", &[(pointer, json!(value))], rules)
    };
    vec![
        row("the envelope's source does not matter", "/source", "aws.gamelift", CLOUDTRAIL),
        row("a call of another service", "/detail/eventSource", "gamelift.amazonaws.com", NONE),
        row("a call that starts nothing", "/detail/eventName", "GetStreamSession", NONE),
        row("no call but an insight", "/detail-type", "AWS Insight via CloudTrail", NONE),
    ]
}

fn alarms() -> Vec<Row> {
    const NAME: &str = "/detail/alarmName";
    const NAMESPACE: &str = "/detail/configuration/metrics/0/metricStat/metric/namespace";
    const STATE: &str = "/detail/state/value";
    const BEFORE: &str = "/detail/previousState/value";
    let metric = |what, changes: &[(&str, &str)], rules| {
        let changes: Vec<_> = changes.iter().map(|(pointer, value)| (*pointer, json!(value))).collect();
        row(what, "start-export/alarm-metric.json", &changes, rules)
    };
    let composite = "start-export/alarm-composite.json";
    let contributor = |what, pointer, value, rules| {
        row(what, "start-export/alarm-contributor.json", &[(pointer, json!(value))], rules)
    };
    let other_name = metric("another name, on a game's metric", &[(NAME, "frames")], ALARM);
    vec![
        Row { by_namespace: true, ..other_name },
        metric("a metric of the game's own, by the alarm's name", &[(NAMESPACE, "MyGame")], ALARM),
        metric("from another source", &[("/source", "com.example.monitoring")], NONE),
        metric(
            "its configuration changes",
            &[("/detail-type", "CloudWatch Alarm Configuration Change")],
            NONE,
        ),
        metric("it has no data from OK on", &[(STATE, "INSUFFICIENT_DATA")], NONE),
        metric("it is over before it began", &[(STATE, "OK"), (BEFORE, "INSUFFICIENT_DATA")], NONE),
        metric("it is in ALARM already", &[(BEFORE, "ALARM")], NONE),
        metric("an EC2 alarm", &[(NAME, "cpu"), (NAMESPACE, "AWS/EC2")], NONE),
        metric("our own alarm", &[(NAME, "crash-capture-errors"), (NAMESPACE, "CrashCapture")], NONE),
        metric("our own alarm, named like a game's", &[(NAMESPACE, "CrashCapture")], NONE),
        metric("almost the prefix", &[(NAME, "gamelift-streams2"), (NAMESPACE, "AWS/EC2")], NONE),
        metric("the prefix within", &[(NAME, "no-gamelift-streams-x"), (NAMESPACE, "AWS/EC2")], NONE),
        contributor("a contributor of another alarm", NAME, "sick", NONE),
        contributor("a contributor of almost the prefix", NAME, "gamelift-streams2", NONE),
        contributor("a contributor recovers", STATE, "OK", NONE),
        contributor("a contributor, from another source", "/source", "com.example.monitoring", NONE),
        row("a composite alarm of another name", composite, &[(NAME, json!("sick"))], NONE),
    ]
}

fn objects() -> Vec<Row> {
    let object = |what, pointer, value, rules| {
        row(what, "index-export/object-created.json", &[(pointer, json!(value))], rules)
    };
    let key = |what, key, rules| object(what, "/detail/object/key", key, rules);
    vec![
        object("from another source", "/source", "com.example.storage", NONE),
        object("an export is deleted", "/detail-type", "Object Deleted", NONE),
        object("an export is tagged", "/detail-type", "Object Tags Added", NONE),
        object("of another account", "/account", "444455556666", NONE),
        object("in another bucket", "/detail/bucket/name", "another", NONE),
        key("an export in capitals", "exports/QA/ABC.ZIP", OBJECT_CREATED),
        key("our record", "index/by-session/sg-1AB2C3De4/ABC.json", NONE),
        key("our marker", "open/sg-1AB2C3De4/ABC.json", NONE),
        key("a request that is no JSON", "reindex/exports/ABC.zip", NONE),
        key("JSON under exports/", "exports/ABC.json", NONE),
        key("a zip elsewhere", "ABC.zip", NONE),
        key("exports/ elsewhere", "old/exports/ABC.zip", NONE),
        key("EXPORTS/ elsewhere", "old/exports/ABC.ZIP", NONE),
        key("reindex/ elsewhere", "old/reindex/ABC.json", NONE),
        key("a folder that begins with exports", "exports-old/ABC.zip", NONE),
        key("a folder that begins with exports, in capitals", "exports-old/ABC.ZIP", NONE),
        key("a folder that begins with reindex", "reindex-old/ABC.json", NONE),
        key("a part of an export", "exports/ABC.zip.part", NONE),
        key("a part of an export in capitals", "exports/ABC.ZIP.part", NONE),
        key("a copy of a request", "reindex/ABC.json~", NONE),
        key("no extension", "exports/zip", NONE),
        key("no extension in capitals", "exports/ZIP", NONE),
        key("a request without extension", "reindex/json", NONE),
    ]
}

fn answers() -> Vec<Row> {
    const SIGNATURE: &str = "/detail/responsePayload/signature";
    const FIRST_SEEN: &str = "/detail/responsePayload/signature/firstSeen";
    let answer = |what: &str, first_seen: bool, pointer: &str, value: &str, rules| {
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        row(what, "news/first-sight.json", &[(FIRST_SEEN, json!(first_seen)), (pointer, value)], rules)
    };
    let near_misses = [
        ("no crash", "/detail/responsePayload/verdict", "suspect"),
        ("already indexed by another invocation", "/detail/responsePayload/announce", "false"),
        ("from another source", "/source", "com.example.lambda"),
        ("a failure", "/detail-type", "Lambda Function Invocation Result - Failure"),
        (
            "of another function",
            "/detail/requestContext/functionArn",
            "arn:aws:lambda:us-west-2:1:function:o:$LATEST",
        ),
    ];
    let mut rows = vec![
        answer("a crash seen before", false, "/id", "an id", EVERY_OTHER_CRASH),
        answer("a crash without a signature", false, SIGNATURE, "{}", EVERY_OTHER_CRASH),
    ];
    let signatures = [
        ("that came back again", r#"{"firstSeen": false, "firstRegressed": false}"#, EVERY_OTHER_CRASH),
        (
            "that came back again, in the first",
            r#"{"firstSeen": true, "firstRegressed": false}"#,
            FIRST_SIGHT,
        ),
        ("that came back in the first", r#"{"firstSeen": true, "firstRegressed": true}"#, REGRESSION),
        ("that came back, muted", r#"{"firstSeen": false, "firstRegressed": true, "muted": true}"#, NONE),
        ("first seen, muted", r#"{"firstSeen": true, "muted": true}"#, NONE),
        ("seen before, muted", r#"{"firstSeen": false, "muted": true}"#, NONE),
    ];
    rows.extend(signatures.map(|(what, value, rules)| answer(what, true, SIGNATURE, value, rules)));
    for (what, pointer, value) in near_misses {
        rows.extend([true, false].map(|first_seen| answer(what, first_seen, pointer, value, NONE)));
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        rows.push(row(what, "news/regression.json", &[(pointer, value)], NONE));
    }
    rows
}

/// The stack with the template's defaults, or with `GameMetricsNamespace` too.
fn stack(namespace: bool) -> Stack {
    let mut parameters = vec![("StreamGroups", "*")];
    parameters.push(("EveryCrash", "ENABLED"));
    parameters.extend(namespace.then_some(("GameMetricsNamespace", "AWS/GameLiftStreams")));
    let parameters =
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let options = StackOptions { name: "crash-capture".into(), account: Account::default(), parameters };
    Template::read(&workspace().join("template.yaml")).unwrap().resolve(&options).unwrap()
}

impl Row {
    fn rules(&self, namespace: bool) -> &'static [&'static str] {
        if self.by_namespace && !namespace { NONE } else { self.rules }
    }

    /// The event, about the stack's bucket instead of the collection's.
    fn event(&self, stack: &Stack) -> Value {
        const BUCKET: &str = "crash-capture-capturebucket-1a2b3c4d5e6f";
        const FUNCTION: &str =
            "arn:aws:lambda:us-west-2:111122223333:function:crash-capture-IndexExportFunction-1a2B3c4D5e6F";
        let function = stack.functions.iter().find(|function| function.logical_id == "IndexExportFunction");
        let text = self.event.to_string().replace(BUCKET, &stack.buckets[0].name);
        let text = text.replace(FUNCTION, &function.unwrap().arn);
        serde_json::from_str(&text).unwrap()
    }
}

/// The stack's rules that have a pattern.
fn patterns(stack: &Stack) -> impl Iterator<Item = (&Rule, &Pattern)> {
    stack.rules.iter().filter_map(|rule| Some((rule, rule.pattern.as_ref()?)))
}

#[test]
fn an_event_matches_exactly_the_rules_of_the_table() {
    for namespace in [false, true] {
        let stack = stack(namespace);
        for row in table() {
            let event = row.event(&stack);
            let matching = patterns(&stack).filter(|(rule, pattern)| rule.enabled && pattern.matches(&event));
            let matching: Vec<_> = matching.map(|(rule, _)| rule.logical_id.as_str()).collect();
            assert_eq!(matching, row.rules(namespace), "{}, GameMetricsNamespace: {namespace}", row.what);
        }
    }
}

#[test]
fn every_file_of_the_collection_is_in_the_table() {
    let mut files = BTreeSet::new();
    for folder in ["index-export", "news", "start-export"] {
        for entry in std::fs::read_dir(workspace().join("events").join(folder)).unwrap() {
            files.insert(format!("{folder}/{}", entry.unwrap().file_name().display()));
        }
    }
    assert_eq!(files, FILES.iter().map(|(file, _)| (*file).to_owned()).collect());
}

/// A rule without a row that it matches would be tested by nothing.
#[test]
fn each_change_of_a_pattern_is_noticed() {
    // With GameMetricsNamespace, as without it a part of the pattern never matches.
    let stack = stack(true);
    let rows: Vec<_> = table().into_iter().map(|row| (row.event(&stack), row.rules(true))).collect();
    let mut survivors = Vec::new();
    for (rule, pattern) in patterns(&stack) {
        let id = rule.logical_id.as_str();
        for (change, mutant) in mutants(pattern.source()) {
            // EventBridge refuses what does not parse, and so does the other test.
            let Ok(mutant) = Pattern::parse(&mutant) else { continue };
            if rows.iter().all(|(event, rules)| mutant.matches(event) == rules.contains(&id)) {
                survivors.push(format!("{id}: {change}"));
            }
        }
    }
    assert!(survivors.is_empty(), "no row of the table notices\n{}", survivors.join("\n"));
}

/// Every pattern that differs from this one in one place, and what was done to it there.
fn mutants(pattern: &Value) -> Vec<(String, Value)> {
    match pattern {
        Value::Object(fields) => fields.keys().flat_map(|key| mutants_at_key(fields, key)).collect(),
        Value::Array(items) => {
            let mut mutants: Vec<_> = (0..items.len()).flat_map(|at| mutants_at_index(items, at)).collect();
            mutants.push(("anything will do".to_owned(), json!([{"exists": true}])));
            mutants
        }
        Value::String(text) => {
            mutant_texts(text).into_iter().map(|text| (format!("becomes {text:?}"), json!(text))).collect()
        }
        Value::Bool(yes) => vec![(format!("becomes {}", !yes), json!(!yes))],
        Value::Number(_) | Value::Null => panic!("say how to change {pattern}"),
    }
}

fn mutants_at_key(fields: &Map<String, Value>, key: &str) -> Vec<(String, Value)> {
    let mut without = fields.clone();
    let value = without.remove(key).unwrap();
    let with = |key: &str, value: &Value| {
        let mut fields = without.clone();
        fields.insert(key.to_owned(), value.clone());
        Value::Object(fields)
    };
    let mut mutants = vec![(format!("{key} is removed"), Value::Object(without.clone()))];
    let misspelt = format!("{key}x");
    // Where no operator is expected, these are misspelt too.
    for other in [&misspelt, "anything-but", "equals-ignore-case", "prefix", "suffix", "wildcard"] {
        if other != key {
            mutants.push((format!("{key} becomes {other}"), with(other, &value)));
        }
    }
    let within = self::mutants(&value).into_iter();
    mutants.extend(within.map(|(change, mutant)| (format!("{key}/{change}"), with(key, &mutant))));
    mutants
}

fn mutants_at_index(items: &[Value], at: usize) -> Vec<(String, Value)> {
    let mut without = items.to_vec();
    without.remove(at);
    let mut mutants = vec![(format!("{at} is dropped"), Value::Array(without))];
    for (change, mutant) in self::mutants(&items[at]) {
        let mut changed = items.to_vec();
        changed[at] = mutant;
        mutants.push((format!("{at}/{change}"), Value::Array(changed)));
    }
    mutants
}

/// Each character dropped, a star on either side, and all in capitals or not.
fn mutant_texts(text: &str) -> Vec<String> {
    let mut texts = vec![format!("*{text}"), format!("{text}*"), text.to_uppercase(), text.to_lowercase()];
    texts.extend(text.char_indices().map(|(at, character)| {
        let after = at + character.len_utf8();
        format!("{}{}", &text[..at], &text[after..])
    }));
    texts.retain(|mutant| mutant != text);
    texts
}
