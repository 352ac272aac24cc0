use std::time::Duration;

use super::{function, refused, resolve, with};
use crate::delivery::Recipient;
use crate::lambda::{EventInvokeConfig, LogFormat};

const QUEUE: &str = "arn:aws:sqs:us-west-2:111122223333:s-Queue-local";

fn the_function(properties: &str) -> crate::lambda::Function {
    resolve(&function(properties)).unwrap().functions.remove(0)
}

#[test]
fn a_function_has_lambdas_defaults() {
    let echo = the_function("Description: nothing else");
    assert_eq!(echo.logical_id, "Echo");
    assert_eq!(echo.name, "s-Echo-local");
    assert_eq!(echo.arn, "arn:aws:lambda:us-west-2:111122223333:function:s-Echo-local");
    assert_eq!(echo.binary, "echo-function");
    assert_eq!(echo.timeout, Duration::from_secs(3));
    assert_eq!(echo.memory_size, 128);
    assert_eq!(echo.logging.format, LogFormat::Text);
    assert_eq!(echo.logging.group, "/aws/lambda/s-Echo-local");
    assert_eq!(echo.asynchronous, EventInvokeConfig::default());
    assert_eq!(
        (echo.asynchronous.maximum_retry_attempts, echo.asynchronous.maximum_event_age.as_secs()),
        (2, 21600)
    );
    assert_eq!(echo.dead_letter, None);
}

#[test]
fn a_function_is_as_the_template_says() {
    let echo = the_function(
        "Timeout: 60
MemorySize: '256'
ReservedConcurrentExecutions: 1
Environment: {Variables: {QUEUE: !Ref Queue, LIMIT: 5}}
LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG, LogGroup: /logs}
DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Queue.Arn}
EventInvokeConfig:
  MaximumRetryAttempts: 0
  MaximumEventAgeInSeconds: 900
  DestinationConfig:
    OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}
    OnSuccess: {Type: EventBridge, Destination: !Sub 'arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default'}",
    );
    assert_eq!(echo.timeout, Duration::from_mins(1));
    assert_eq!(echo.memory_size, 256);
    assert_eq!(echo.reserved_concurrency, Some(1));
    assert_eq!(echo.environment["QUEUE"], "https://sqs.us-west-2.amazonaws.com/111122223333/s-Queue-local");
    assert_eq!(echo.environment["LIMIT"], "5");
    assert_eq!(echo.logging.format, LogFormat::Json);
    assert_eq!(echo.logging.level.as_deref(), Some("DEBUG"));
    assert_eq!(echo.logging.group, "/logs");
    assert_eq!(echo.dead_letter, Some(Recipient::Queue(QUEUE.into())));
    assert_eq!(echo.asynchronous.maximum_retry_attempts, 0);
    assert_eq!(echo.asynchronous.maximum_event_age, Duration::from_mins(15));
    assert_eq!(echo.asynchronous.on_failure, Some(Recipient::Queue(QUEUE.into())));
    let bus = "arn:aws:events:us-west-2:111122223333:event-bus/default";
    assert_eq!(echo.asynchronous.on_success, Some(Recipient::EventBus(bus.into())));
}

#[test]
fn globals_are_merged_into_every_function() {
    let template = "
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Timeout: 10
    MemorySize: 256
    Environment: {Variables: {AA: global, BB: global}}
Resources:
  One:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: one}}
    Properties:
      Timeout: 20
      Environment: {Variables: {BB: local, CC: local}}
";
    let one = resolve(template).unwrap().functions.remove(0);
    assert_eq!(one.timeout, Duration::from_secs(20));
    assert_eq!(one.memory_size, 256);
    let variables: Vec<_> = one.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(variables, ["AA=global", "BB=local", "CC=local"]);
    let wrong = template.replace("    Timeout: 10\n", "    Role: arn\n");
    assert_eq!(refused(resolve(&wrong)), "Globals.Function: unknown key `Role`");
}

#[test]
fn sam_makes_a_queue_for_a_destination_without_one() {
    let stack =
        resolve(&function("EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS}}}")).unwrap();
    let queue = &stack.queues[0];
    assert_eq!(queue.logical_id, "EchoEventInvokeConfigOnFailureQueue");
    assert_eq!(stack.functions[0].asynchronous.on_failure, Some(Recipient::Queue(queue.arn.clone())));
}

#[test]
fn sam_gives_a_function_a_role_unless_it_has_one() {
    let output = "\nOutputs:\n  Role: {Value: !GetAtt EchoRole.Arn}\n";
    let stack = resolve(&(function("Policies: []") + output)).unwrap();
    assert_eq!(stack.outputs["Role"], "arn:aws:iam::111122223333:role/s-EchoRole-local");
    assert!(refused(resolve(&(function("Role: arn") + output))).contains("`EchoRole` refers to nothing"));
}

#[test]
fn a_function_whose_condition_is_false_does_not_exist_and_neither_does_what_belongs_to_it() {
    let template = function("Events: {Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}")
        .replace("    Metadata:", "    Condition: Wanted\n    Metadata:")
        + "Parameters: {Want: {Type: String, Default: 'no'}}\nConditions: {Wanted: !Equals [!Ref Want, 'yes']}\n";
    let stack = resolve(&template).unwrap();
    assert!(stack.functions.is_empty() && stack.rules.is_empty());
    let stack = with(&template, &[("Want", "yes")]).unwrap();
    assert_eq!((stack.functions.len(), stack.rules.len()), (1, 1));
}

#[test]
fn what_lambda_or_sam_would_refuse_is_refused_with_its_place() {
    let properties = "Resources.Echo.Properties";
    for (given, expected) in [
        ("TimeOut: 5", format!("{properties}: unknown key `TimeOut`")),
        ("Timeout: 901", format!("{properties}.Timeout: 901 is not between 1 and 900")),
        ("MemorySize: 64", format!("{properties}.MemorySize: 64 is not between 128 and 10240")),
        ("Timeout: soon", format!("{properties}.Timeout: expected a whole number, found \"soon\"")),
        (
            "Environment: {Variables: {AWS_REGION: x}}",
            format!("{properties}.Environment.Variables: Lambda sets the variable AWS_REGION itself"),
        ),
        (
            "EventInvokeConfig: {MaximumRetryAttempts: 3}",
            "Resources.EchoEventInvokeConfig.Properties.MaximumRetryAttempts: 3 is not between 0 and 2"
                .into(),
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Url}}}",
            "Resources.EchoEventInvokeConfig.Properties.DestinationConfig.OnFailure.Destination.Fn::GetAtt: \
             the local cloud does not know `Url` of AWS::SQS::Queue (`Queue`)"
                .into(),
        ),
        (
            "DeadLetterQueue: {Type: SQS, TargetArn: 'arn:aws:sqs:us-west-2:111122223333:other'}",
            "Resources.Echo: `arn:aws:sqs:us-west-2:111122223333:other` refers to nothing".into(),
        ),
        (
            "LoggingConfig: {ApplicationLogLevel: INFO}",
            format!("{properties}.LoggingConfig.ApplicationLogLevel: a log level needs LogFormat: JSON"),
        ),
        ("AutoPublishAlias: live", format!("{properties}: unknown key `AutoPublishAlias`")),
    ] {
        assert_eq!(refused(resolve(&function(given))), expected);
    }
    let other = function("Description: x").replace("provided.al2023", "python3.13");
    assert!(refused(resolve(&other)).starts_with("Resources.Echo.Properties.Runtime: the local cloud runs"));
    let other = function("Description: x").replace("rust-cargolambda", "makefile");
    assert!(refused(resolve(&other)).starts_with("Resources.Echo.Metadata.BuildMethod: "));
    let other = function("Description: x").replace("AWS::Serverless::Function", "AWS::Serverless::Api");
    assert!(refused(resolve(&other)).contains("AWS::Serverless::Function alone"));
}
