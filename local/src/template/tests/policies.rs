//! What roles and resources allow.

use super::{function, refused, resolve};
use crate::iam::{Effect, Holder};
use crate::template::Stack;

/// A template with a function, its role with this statement, a bucket and a queue, and these resources.
fn template(statement: &str, resources: &str) -> String {
    format!(
        "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}
      Policies:
        - PolicyName: all
          PolicyDocument: {{Version: '2012-10-17', Statement: [{statement}]}}
  Bucket: {{Type: AWS::S3::Bucket}}
  Queue: {{Type: AWS::SQS::Queue}}
{resources}
"
    )
}

/// The grants and denials, each with what it is attached to.
fn policies(stack: &Stack) -> Vec<(String, String)> {
    let policies = stack.policies.iter().map(|attachment| {
        let (Holder::Role(arn) | Holder::Resource(arn)) = &attachment.holder;
        let statement = &attachment.statement;
        let denies = if statement.effect == Effect::Deny { "denies " } else { "" };
        (arn.rsplit(':').next().unwrap_or_default().to_owned(), format!("{denies}{}", statement.grant))
    });
    policies.collect()
}

fn of(resolved: &[(String, String)], holder: &str) -> Vec<String> {
    resolved.iter().filter(|(arn, _)| arn == holder).map(|(_, grant)| grant.clone()).collect()
}

#[test]
fn a_roles_policy_is_a_list_of_grants() {
    let statement = "{Sid: Read, Effect: Allow, Action: ['s3:GetObject', 's3:PutObject'], Resource: [!Sub \
                     '${Bucket.Arn}/a/*', !Sub '${Bucket.Arn}/b/*']}";
    let policies = policies(&resolve(&template(statement, "")).unwrap());
    let expected: Vec<_> = ["a", "b"]
        .into_iter()
        .flat_map(|folder| {
            ["GetObject", "PutObject"]
                .map(|action| format!("Role, Read: s3:{action} on arn:aws:s3:::s-bucket-local/{folder}/*"))
        })
        .collect();
    let grants = of(&policies, "role/s-Role-local");
    assert_eq!(grants[0], "Role, trust[0]: sts:AssumeRole");
    assert_eq!(grants[1..], expected);
}

#[test]
fn resources_have_policies_of_their_own() {
    let allow = "{Effect: Allow, Action: 's3:GetObject', Resource: '*'}";
    let resources = "
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement:
          - {Effect: Deny, Principal: '*', Action: 's3:*', Resource: '*', Condition: {Bool: {aws:SecureTransport: false}}}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: 'sqs:SendMessage', Resource: '*'}
";
    let policies = policies(&resolve(&template(allow, resources)).unwrap());
    let denial = "denies BucketPolicy, [0]: s3:* on * if aws:securetransport is false";
    assert_eq!(of(&policies, "s-bucket-local"), [denial]);
    assert_eq!(of(&policies, "s-Queue-local"), ["QueuePolicy, [0]: sqs:SendMessage on *"]);
}

#[test]
fn sam_makes_roles_permissions_and_queue_policies() {
    let events = "Events:
  Rule: {Type: EventBridgeRule, Properties: {Pattern: {source: [a]}, DeadLetterConfig: {Type: SQS}}}
  Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}
Policies:
  - Statement: {Effect: Allow, Action: 's3:GetObject', Resource: '*'}";
    let policies = policies(&resolve(&function(events)).unwrap());
    let arn = "arn:aws:lambda:us-west-2:111122223333:function:s-Echo-local";
    let rule = "arn:aws:events:us-west-2:111122223333:rule/s-EchoRule-local";
    assert_eq!(
        of(&policies, "s-Echo-local"),
        [format!(
            "EchoRulePermission, permission: lambda:InvokeFunction on {arn} if aws:sourcearn is {rule}"
        )]
    );
    let queue = "arn:aws:sqs:us-west-2:111122223333:s-EchoRuleQueue-local";
    assert_eq!(
        of(&policies, "s-EchoRuleQueue-local"),
        [format!("EchoRuleQueuePolicy, [0]: sqs:SendMessage on {queue} if aws:sourcearn is {rule}")]
    );
    let own = of(&policies, "role/s-EchoRole-local");
    assert_eq!(own.len(), 5, "{own:?}");
    assert!(own.contains(&"EchoRole, AWSLambdaBasicExecutionRole: logs:PutLogEvents on *".to_owned()));
    assert!(own.contains(&"EchoRole, EchoRolePolicy0[0]: s3:GetObject on *".to_owned()), "{own:?}");
    let schedule = of(&policies, "role/s-EchoTickRole-local");
    assert!(schedule.iter().any(|grant| grant.contains("lambda:InvokeFunction")), "{schedule:?}");
}

#[test]
fn what_would_not_be_enforced_is_refused() {
    let statement = |statement: &str| refused(resolve(&template(statement, "")));
    let allow = "Effect: Allow, Action: 's3:GetObject', Resource: '*'";
    for (wrong, expected) in [
        (format!("{{{allow}, Principal: '*'}}"), "unknown key `Principal`"),
        (format!("{{{allow}, NotPrincipal: '*'}}"), "unknown key `NotPrincipal`"),
        (format!("{{{allow}, NotAction: 's3:*'}}"), "`NotAction, next to Action`"),
        (format!("{{{allow}, Condition: {{StringMatches: {{s3:prefix: a}}}}}}"), "`StringMatches`"),
        (format!("{{{allow}, Condition: {{StringEquals: {{s3:prefx: a}}}}}}"), "condition key `s3:prefx`"),
        ("{Effect: Alow, Action: 's3:GetObject', Resource: '*'}".to_owned(), "expected Allow or Deny"),
        ("{Effect: Allow, Action: GetObject, Resource: '*'}".to_owned(), "`GetObject` is no action"),
        ("{Effect: Allow, Action: 's3:GetObject'}".to_owned(), "`Resource` is missing"),
        ("{Effect: Allow, Action: [], Resource: '*'}".to_owned(), "expected at least one"),
    ] {
        let error = statement(&wrong);
        assert!(
            error.starts_with("Resources.Role.Properties.Policies[0].PolicyDocument.Statement[0]"),
            "{error}"
        );
        assert!(error.contains(expected), "{error}");
    }
    let resource = |resource: &str| refused(resolve(&template(&format!("{{{allow}}}"), resource)));
    let policy = "  Policy: {Type: AWS::IAM::Policy, Properties: {}}";
    assert_eq!(resource(policy), "Resources.Policy: the local cloud would not enforce this policy");
    let managed = function("Policies: [AmazonS3FullAccess]");
    assert!(
        refused(resolve(&managed))
            .contains("no managed policy but the template's and AWSLambdaBasicExecutionRole")
    );
    let elsewhere = function("Role: arn:aws:iam::111122223333:role/other");
    assert!(
        refused(resolve(&elsewhere)).contains("`arn:aws:iam::111122223333:role/other` refers to nothing")
    );
}

#[test]
fn a_managed_policy_of_the_template_counts_for_each_role_that_has_it() {
    let role = |name: &str, account: &str| {
        format!(
            "
  {name}:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [!Ref Read]
      AssumeRolePolicyDocument:
        Statement: {{Effect: Allow, Principal: {{AWS: 'arn:aws:iam::{account}:root'}}, Action: 'sts:AssumeRole'}}
"
        )
    };
    let read = "
  Read:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: {Sid: Files, Effect: Allow, Action: 's3:GetObject', Resource: '*'}}
";
    let statement = "{Effect: Allow, Action: 's3:ListBucket', Resource: '*'}";
    let ours = [read, &role("One", "111122223333"), &role("Two", "111122223333")].concat();
    let policies = policies(&resolve(&template(statement, &ours)).unwrap());
    for name in ["One", "Two"] {
        let expected =
            [format!("{name}, trust[0]: sts:AssumeRole"), "Read, Files: s3:GetObject on *".to_owned()];
        assert_eq!(of(&policies, &format!("role/s-{name}-local")), expected);
    }
    let theirs = [read, &role("One", "444455556666")].concat();
    let error = refused(resolve(&template(statement, &theirs)));
    assert!(error.contains("does not know the principal `arn:aws:iam::444455556666:root`"), "{error}");
}
