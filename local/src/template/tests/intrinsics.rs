use super::{Problem, refused, resolve, value, value_with};

#[test]
fn ref_and_getatt_give_what_aws_gives() {
    let url = "https://sqs.us-west-2.amazonaws.com/111122223333/s-Queue-local";
    for (expression, expected) in [
        ("!Ref Stage", "test"),
        ("!Ref Bucket", "s-bucket-local"),
        ("!GetAtt Bucket.Arn", "arn:aws:s3:::s-bucket-local"),
        ("!Ref Queue", url),
        ("!GetAtt Queue.Arn", "arn:aws:sqs:us-west-2:111122223333:s-Queue-local"),
        ("!GetAtt Queue.QueueUrl", url),
        ("!GetAtt Queue.QueueName", "s-Queue-local"),
        ("!Ref Named", "https://sqs.us-west-2.amazonaws.com/111122223333/named-test"),
        ("!Ref Topic", "arn:aws:sns:us-west-2:111122223333:s-Topic-local"),
        ("!GetAtt Topic.TopicArn", "arn:aws:sns:us-west-2:111122223333:s-Topic-local"),
        ("{Fn::GetAtt: [Queue, QueueName]}", "s-Queue-local"),
        ("{Fn::GetAtt: Queue.QueueName}", "s-Queue-local"),
    ] {
        assert_eq!(value(expression).unwrap(), expected, "{expression}");
    }
}

#[test]
fn pseudo_parameters_tell_where_the_stack_is() {
    let expression =
        "!Sub '${AWS::AccountId} ${AWS::Region} ${AWS::Partition} ${AWS::StackName} ${AWS::URLSuffix}'";
    assert_eq!(value(expression).unwrap(), "111122223333 us-west-2 aws s amazonaws.com");
}

#[test]
fn the_functions_work_in_short_and_in_long_form() {
    for (expression, expected) in [
        ("!Sub ['${Stage}-${x}', {x: !Ref AWS::Region}]", "test-us-west-2"),
        ("!Sub '${Stage}-${Queue.QueueName}-${!Stage}-$'", "test-s-Queue-local-${Stage}-$"),
        ("{Fn::Sub: 'a${Stage}'}", "atest"),
        ("!Join ['-', [a, !Ref Stage, !Ref AWS::NoValue, 1]]", "a-test-1"),
        ("!Join ['|', !Ref Names]", "a|b|c"),
        ("{Fn::Join: ['', [a, b]]}", "ab"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['2', !Split [',', 'x,y,z']]", "z"),
        ("!FindInMap [Sizes, !Ref Stage, memory]", "128"),
        ("!If [IsTest, a, b]", "a"),
        ("!If [IsNoTest, a, !If [Either, c, d]]", "c"),
        ("!If [Both, a, b]", "b"),
    ] {
        assert_eq!(value(expression).unwrap(), expected, "{expression}");
    }
}

#[test]
fn the_branch_not_taken_is_not_evaluated() {
    assert_eq!(value("!If [IsTest, a, !GetAtt Absent.Arn]").unwrap(), "a");
    assert_eq!(
        value_with("!If [IsTest, a, !GetAtt Absent.QueueName]", &[("Stage", "x")]).unwrap(),
        "s-Absent-local"
    );
}

#[test]
fn a_reference_to_nothing_is_refused_with_its_place() {
    for expression in ["!Ref Nothing", "!GetAtt Nothing.Arn", "!Sub '${Nothing}'", "!Sub '${Nothing.Arn}'"] {
        let error = refused(value(expression));
        assert!(
            error.starts_with("Outputs.Value.Value.") && error.contains("`Nothing` refers to nothing"),
            "{error}"
        );
    }
    assert!(refused(value("!Ref Absent")).contains("`Absent` refers to nothing"));
    assert!(refused(value("!If [NoCondition, a, b]")).contains("`NoCondition` refers to nothing"));
    assert!(refused(value("!FindInMap [Sizes, live, memory]")).contains("`live` refers to nothing"));
}

#[test]
fn an_attribute_that_is_not_known_is_refused() {
    assert_eq!(
        refused(value("!GetAtt Queue.Url")),
        "Outputs.Value.Value.Fn::GetAtt: the local cloud does not know `Url` of AWS::SQS::Queue (`Queue`)"
    );
    assert!(refused(value("!Ref Policy")).contains("does not know `Ref` of AWS::S3::BucketPolicy"));
}

#[test]
fn functions_that_are_not_known_or_get_wrong_arguments_are_refused() {
    for expression in
        ["{Fn::Joinn: ['', []]}", "!Base64 a", "!ImportValue a", "!GetAZs ''", "!Cidr [a, 1, 1]"]
    {
        let error = value(expression).unwrap_err();
        assert!(matches!(error.problem, Problem::UnknownIntrinsic(_)), "{expression}: {error}");
    }
    for expression in [
        "!Join [a]",
        "!Join [a, b, c]",
        "!Join a",
        "!Select [3, [a]]",
        "!Select [x, [a]]",
        "!Split [!Ref Stage, a]",
        "!FindInMap [Sizes, test]",
        "!If [IsTest, a]",
        "!Sub '${Stage'",
        "!Sub '${a b}'",
        "!Sub [a]",
    ] {
        let error = value(expression).unwrap_err();
        assert!(matches!(error.problem, Problem::Arguments { .. }), "{expression}: {error}");
    }
    assert!(refused(value("!Join ['', !Ref Stage]")).contains("expected a list of strings"));
    assert!(refused(value("!Sub '${Names}'")).contains("expected a string"));
    assert!(refused(value("{Ref: Stage, Fn::Sub: a}")).contains("stand alone"));
}

#[test]
fn what_depends_on_itself_is_refused() {
    let circle = "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\nResources: {}\n";
    assert!(refused(resolve(circle)).contains("depends on itself"));
    let circle = "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Q.QueueName}}\n";
    assert!(refused(resolve(circle)).contains("`Q` depends on itself"));
}

#[test]
fn a_mistake_in_a_condition_that_nobody_uses_is_found() {
    let template = "Conditions:\n  A: !Equals [!Ref Nothing, a]\nResources: {}\n";
    assert!(refused(resolve(template)).starts_with("Conditions.A.Fn::Equals.Ref: `Nothing`"));
}

#[test]
fn a_mistake_in_a_resource_that_the_local_cloud_does_not_run_is_found() {
    let template = "
Resources:
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Statement: [{Resource: !Sub '${Bucket.Arn}/*'}]}}
";
    assert_eq!(
        refused(resolve(template)),
        "Resources.Policy.Properties.PolicyDocument.Statement[0].Resource.Fn::Sub: `Bucket` refers to nothing"
    );
}
