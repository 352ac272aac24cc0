use serde_json::json;

use super::{function, refused, resolve};
use crate::delivery::Recipient;
use crate::eventbridge::{Input, Rule, Service};

const ECHO: &str = "arn:aws:lambda:us-west-2:111122223333:function:s-Echo-local";

fn event(kind: &str, properties: &str) -> String {
    function(&format!("Events: {{Ev: {{Type: {kind}, Properties: {{{properties}}}}}}}"))
}

fn rules(template: &str) -> Vec<Rule> {
    resolve(template).unwrap().rules
}

#[test]
fn an_event_of_a_function_becomes_a_rule_named_after_both() {
    for kind in ["EventBridgeRule", "CloudWatchEvent"] {
        let rules = rules(&event(kind, "Pattern: {source: [a]}"));
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].logical_id, "EchoEv");
        assert_eq!(rules[0].arn, "arn:aws:events:us-west-2:111122223333:rule/s-EchoEv-local");
        assert!(rules[0].enabled);
        assert!(rules[0].pattern.as_ref().unwrap().matches(&json!({"source": "a"})));
        assert_eq!(rules[0].targets[0].recipient, Recipient::Function(ECHO.into()));
        assert_eq!(rules[0].targets[0].input, Input::Event);
    }
}

#[test]
fn intrinsic_functions_within_a_pattern_are_evaluated() {
    let rules = rules(&event("EventBridgeRule", "Pattern: {source: [!GetAtt Queue.QueueName]}"));
    assert!(rules[0].pattern.as_ref().unwrap().matches(&json!({"source": "s-Queue-local"})));
}

#[test]
fn a_schedule_becomes_a_rule_and_a_schedule_v2_a_schedule() {
    let schedule = &rules(&event("Schedule", "Schedule: rate(1 minute)"))[0];
    assert!(schedule.schedule.is_some() && schedule.pattern.is_none());
    assert_eq!(schedule.service, Service::Rules);

    let schedule = &rules(&event("ScheduleV2", "ScheduleExpression: rate(1 minute)"))[0];
    assert!(matches!(&schedule.service, Service::Scheduler { role } if role.ends_with("Role-local")));
    assert_eq!(schedule.arn, "arn:aws:scheduler:us-west-2:111122223333:schedule/default/EchoEv");
    let schedule = &rules(&event("ScheduleV2", "ScheduleExpression: rate(1 minute), OmitName: true"))[0];
    assert_eq!(schedule.name, "s-EchoEv-local");
}

#[test]
fn the_wrong_plural_in_a_rate_is_refused_as_on_aws() {
    assert_eq!(
        refused(resolve(&event("Schedule", "Schedule: rate(1 minutes)"))),
        "Resources.EchoEv.Properties.ScheduleExpression: `rate(1 minutes)` is refused by EventBridge: write 1 minute"
    );
}

#[test]
fn a_rule_can_be_disabled() {
    for state in ["State: DISABLED", "Enabled: false"] {
        assert!(
            !rules(&event("Schedule", &format!("Schedule: rate(1 minute), {state}")))[0].enabled,
            "{state}"
        );
    }
    let both = event("Schedule", "Schedule: rate(1 minute), State: ENABLED, Enabled: true");
    assert!(refused(resolve(&both)).contains("next to State"));
}

#[test]
fn a_target_can_get_something_else_than_the_event() {
    let input = |properties: &str| {
        rules(&event("EventBridgeRule", &format!("Pattern: {{source: [a]}}, {properties}")))[0].targets[0]
            .input
            .clone()
    };
    let event = json!({"detail": {"x": 1}, "source": "a"});
    assert_eq!(input("InputPath: $.detail").of(&event), r#"{"x":1}"#);
    assert_eq!(input("InputPath: $.detail.x").of(&event), "1");
    assert_eq!(input("InputPath: $").of(&event), event.to_string());
    assert_eq!(input("Input: '{\"y\": 2}'").of(&event), r#"{"y": 2}"#);
}

#[test]
fn undelivered_events_go_to_a_given_queue_or_to_one_that_sam_makes() {
    let queue_of = |config: &str| {
        let template =
            event("EventBridgeRule", &format!("Pattern: {{source: [a]}}, DeadLetterConfig: {config}"));
        let stack = resolve(&template).unwrap();
        let arn = stack.rules[0].targets[0].dead_letter_queue.clone();
        stack.queues.into_iter().find(|queue| Some(&queue.arn) == arn.as_ref()).unwrap().logical_id
    };
    assert_eq!(queue_of("{Arn: !GetAtt Queue.Arn}"), "Queue");
    assert_eq!(queue_of("{Type: SQS}"), "EchoEvQueue");
    assert_eq!(queue_of("{Type: SQS, QueueLogicalId: Lost}"), "Lost");
}

#[test]
fn a_plain_rule_has_functions_queues_and_topics_as_targets() {
    let template = function("Description: x")
        + "
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: given
      EventPattern: {source: [a]}
      Targets:
        - {Id: f, Arn: !GetAtt Echo.Arn, Input: '1'}
        - {Id: q, Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Queue.Arn}}
        - {Id: t, Arn: !Ref Topic}
";
    let rule = &rules(&template)[0];
    assert_eq!(rule.name, "given");
    let recipients: Vec<_> = rule.targets.iter().map(|target| &target.recipient).collect();
    let [Recipient::Function(_), Recipient::Queue(queue), Recipient::Topic(_)] = recipients.as_slice() else {
        panic!("{recipients:?}");
    };
    assert_eq!(rule.targets[1].dead_letter_queue.as_ref(), Some(queue));
}

#[test]
fn what_eventbridge_would_refuse_or_the_local_cloud_does_not_do_is_refused_with_its_place() {
    for (kind, properties, expected) in [
        (
            "S3",
            "Bucket: x",
            "Resources.Echo.Properties.Events.Ev.Type: the local cloud knows events of the types",
        ),
        (
            "EventBridgeRule",
            "Patern: {}",
            "Resources.Echo.Properties.Events.Ev.Properties: unknown key `Patern`",
        ),
        (
            "EventBridgeRule",
            "InputPath: $",
            "Resources.Echo.Properties.Events.Ev.Properties: `Pattern` is missing",
        ),
        (
            "EventBridgeRule",
            "Pattern: {source: [{prefixx: a}]}",
            "Resources.EchoEv.Properties.EventPattern: event pattern, source: unknown operator `prefixx`",
        ),
        (
            "EventBridgeRule",
            "Pattern: {source: [a]}, EventBusName: other",
            "Resources.EchoEv.Properties.EventBusName: the local cloud has the default event bus alone",
        ),
        (
            "EventBridgeRule",
            "Pattern: {source: [a]}, InputTransformer: {InputTemplate: <x>}",
            "Resources.EchoEv.Properties.Targets[0].InputTransformer: the template names <x>, which the map of paths does not",
        ),
        (
            "EventBridgeRule",
            "Pattern: {source: [a]}, Input: '{'",
            "Resources.EchoEv.Properties.Targets[0].Input: the input is no JSON",
        ),
        (
            "EventBridgeRule",
            "Pattern: {source: [a]}, InputPath: '$.a[0]'",
            "Resources.EchoEv.Properties.Targets[0].InputPath: `$.a[0]` is no path",
        ),
        (
            "EventBridgeRule",
            "Pattern: {source: [a]}, DeadLetterConfig: {Type: SNS}",
            "Resources.Echo.Properties.Events.Ev.Properties.DeadLetterConfig: expected either Arn, or Type: SQS",
        ),
        ("EventBridgeRule", "Pattern: {source: [a]}, State: OFF", "Resources.EchoEv.Properties.State"),
        (
            "Schedule",
            "Schedule: 'cron(0 12 * * ? *)'",
            "Resources.EchoEv.Properties.ScheduleExpression: the local cloud runs rate(…) schedules alone",
        ),
    ] {
        let properties = properties.replace("OFF", "'OFF'");
        let error = refused(resolve(&event(kind, &properties)));
        assert!(error.starts_with(expected), "{error}");
    }
}
