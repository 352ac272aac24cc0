//! The roles, permissions and queue policies that SAM makes up.

use serde_json::{Value, json};

use super::{Expansion, Function};
use crate::template::error::{Problem, TemplateError};
use crate::template::node::Node;

const VERSION: &str = "2012-10-17";

impl Expansion {
    /// SAM gives a function without a role one of its own. What SAM adds to it for destinations is left out here: a
    /// function with destinations has its role in the template, or they are denied.
    pub(super) fn role(
        &mut self,
        function: &Function<'_>,
        properties: &Node<'_>,
    ) -> Result<(), TemplateError> {
        if properties.get("Role")?.is_some() {
            return Ok(());
        }
        let id = format!("{}Role", function.id);
        let basic = "service-role/AWSLambdaBasicExecutionRole";
        let mut managed = vec![json!(format!("arn:aws:iam::aws:policy/{basic}"))];
        let mut inline = Vec::new();
        let policies = properties.get("Policies")?;
        let policies = match &policies {
            Some(list) if list.value.is_array() => list.items()?,
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        for (at, policy) in policies.iter().enumerate() {
            match policy.value {
                Value::String(_) => managed.push(policy.value.clone()),
                Value::Object(map) if map.contains_key("Statement") => inline.push(json!({
                    "PolicyName": format!("{id}Policy{at}"),
                    "PolicyDocument": policy.value,
                })),
                _ => {
                    return Err(
                        policy.fail(Problem::Unsupported("the local cloud knows policy documents alone"))
                    );
                }
            }
        }
        let role = json!({
            "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
            "ManagedPolicyArns": managed,
            "Policies": inline,
        });
        self.generate(function, id, "AWS::IAM::Role", role)
    }

    /// The permission of a rule to invoke the function.
    pub(super) fn permission(&mut self, function: &Function<'_>, rule: &str) -> Result<(), TemplateError> {
        let permission = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": function.id},
            "Principal": "events.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": [rule, "Arn"]},
        });
        self.generate(function, format!("{rule}Permission"), "AWS::Lambda::Permission", permission)
    }

    /// The policy of a dead-letter queue that SAM makes for a rule.
    pub(super) fn queue_policy(
        &mut self,
        function: &Function<'_>,
        rule: &str,
        queue: &str,
    ) -> Result<(), TemplateError> {
        let policy = json!({
            "Queues": [{"Ref": queue}],
            "PolicyDocument": {"Version": VERSION, "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": {"Fn::GetAtt": [queue, "Arn"]},
                "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}},
            }]},
        });
        self.generate(function, format!("{rule}QueuePolicy"), "AWS::SQS::QueuePolicy", policy)
    }

    /// The role of a schedule, with which EventBridge Scheduler acts. Gives its ARN.
    pub(super) fn schedule_role(
        &mut self,
        function: &Function<'_>,
        schedule: &str,
        dead_letter_queue: Option<&Value>,
    ) -> Result<Value, TemplateError> {
        let id = format!("{schedule}Role");
        let target = json!({"Fn::GetAtt": [function.id, "Arn"]});
        let mut statements =
            vec![json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": target})];
        if let Some(queue) = dead_letter_queue {
            statements.push(json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}));
        }
        let role = json!({
            "AssumeRolePolicyDocument": trust("scheduler.amazonaws.com"),
            "Policies": [{
                "PolicyName": format!("{id}Policy"),
                "PolicyDocument": {"Version": VERSION, "Statement": statements},
            }],
        });
        self.generate(function, id.clone(), "AWS::IAM::Role", role)?;
        Ok(json!({"Fn::GetAtt": [id, "Arn"]}))
    }
}

fn trust(service: &str) -> Value {
    json!({"Version": VERSION, "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
    ]})
}
