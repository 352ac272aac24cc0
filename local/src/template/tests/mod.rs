//! Statements about what a template comes to, on small templates.

mod functions;
mod intrinsics;
mod parameters;
mod policies;
mod rules;
mod stack;
mod syntax;

use super::{Problem, Stack, StackOptions, Template, TemplateError};

/// The stack `s` of this template in the default account, with these parameters.
fn with(template: &str, parameters: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = StackOptions { name: "s".into(), parameters, ..StackOptions::default() };
    Template::parse(template)?.resolve(&options)
}

fn resolve(template: &str) -> Result<Stack, TemplateError> {
    with(template, &[])
}

/// What an expression comes to as the output of a stack with a queue, a bucket and a few other things.
fn value(expression: &str) -> Result<String, TemplateError> {
    value_with(expression, &[])
}

fn value_with(expression: &str, parameters: &[(&str, &str)]) -> Result<String, TemplateError> {
    let template = format!(
        "
Parameters:
  Stage: {{Type: String, Default: test}}
  Names: {{Type: CommaDelimitedList, Default: 'a, b,c'}}
Mappings:
  Sizes: {{test: {{memory: 128}}}}
Conditions:
  IsTest: !Equals [!Ref Stage, test]
  IsNoTest: !Not [!Condition IsTest]
  Both: !And [!Condition IsTest, !Condition IsNoTest]
  Either: !Or [!Condition IsTest, !Condition IsNoTest]
Resources:
  Bucket: {{Type: AWS::S3::Bucket}}
  Queue: {{Type: AWS::SQS::Queue}}
  Topic: {{Type: AWS::SNS::Topic}}
  Named: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub 'named-${{Stage}}'}}}}
  Absent: {{Type: AWS::SQS::Queue, Condition: IsNoTest}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement: {{Effect: Deny, Principal: '*', Action: 's3:*', Resource: '*'}}
Outputs:
  Value: {{Value: {expression}}}
"
    );
    let mut stack = with(&template, parameters)?;
    Ok(stack.outputs.remove("Value").expect("the output"))
}

/// The place and the text of an error.
fn refused<T: std::fmt::Debug>(result: Result<T, TemplateError>) -> String {
    result.expect_err("has to be refused").to_string()
}

/// A template with one SAM function, whose properties these lines add to.
fn function(properties: &str) -> String {
    format!(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: rust-cargolambda, BuildProperties: {{Binary: echo-function}}}}
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
{}
  Queue: {{Type: AWS::SQS::Queue}}
  Topic: {{Type: AWS::SNS::Topic}}
",
        indented(properties)
    )
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n")
}
