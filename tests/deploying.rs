//! The stack as somebody deploys it who has read no more than `samconfig.example.toml`, and a second one beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use crash_capture_local::account::Account;
use crash_capture_local::executables::workspace;
use crash_capture_local::template::{Stack, StackOptions, Template, TemplateError};

fn resolve(name: &str, parameters: &[(String, String)]) -> Result<Stack, TemplateError> {
    let parameters: BTreeMap<_, _> = parameters.iter().cloned().collect();
    let options = StackOptions { name: name.to_owned(), account: Account::default(), parameters };
    Template::read(&workspace().join("template.yaml")).unwrap().resolve(&options)
}

/// The parameters of the example.
fn example() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(workspace().join("samconfig.example.toml")).unwrap();
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let pairs = lines.map(|line| line.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_stream_groups_are_all_that_has_to_be_known() {
    let error = resolve("crash-capture", &[]).unwrap_err().to_string();
    assert!(error.contains("StreamGroups"), "{error}");
    resolve("crash-capture", &[("StreamGroups".to_owned(), "sg-1AB2C3De4".to_owned())]).unwrap();
}

#[test]
fn the_example_is_taken_as_it_is_and_its_outputs_say_what_comes_next() {
    let parameters = example();
    assert!(parameters.iter().any(|(name, _)| name == "StreamGroups"), "{parameters:?}");
    let outputs = resolve("crash-capture", &parameters).unwrap().outputs;
    for name in ["CaptureBucketName", "DashboardUrl", "NewsTopicArn", "NextStep", "RecordReaderRoleArn"] {
        assert!(!outputs[name].is_empty(), "{name}");
    }
}

/// Whatever has to be unique in an account and a Region.
fn names(stack: &Stack) -> BTreeSet<String> {
    let functions = stack.functions.iter().flat_map(|it| [it.arn.clone(), it.logging.group.clone()]);
    let mailboxes = stack.queues.iter().chain(&stack.topics).map(|it| it.arn.clone());
    let rules = stack.rules.iter().map(|it| it.arn.clone());
    let buckets = stack.buckets.iter().map(|it| it.name.clone());
    let alarms = stack.alarms.values().map(|it| it["AlarmName"].as_str().unwrap().to_owned());
    let roles = stack.roles.values().cloned();
    functions.chain(mailboxes).chain(rules).chain(buckets).chain(alarms).chain(roles).collect()
}

#[test]
fn two_stacks_have_no_name_in_common() {
    let mut parameters = example();
    parameters.push(("GameMetricsNamespace".to_owned(), "AWS/GameLiftStreams".to_owned()));
    let [one, two] = ["one", "two"].map(|name| names(&resolve(name, &parameters).unwrap()));
    assert!(one.len() > 30, "{one:?}");
    assert_eq!(one.intersection(&two).collect::<Vec<_>>(), [""; 0]);
}
