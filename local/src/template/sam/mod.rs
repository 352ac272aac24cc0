//! The transform `AWS::Serverless-2016-10-31`: what SAM makes of a function before CloudFormation sees it.
//!
//! Logical ids are SAM's own, as templates refer to them: function `F` with event `E` brings the rule `FE`, for its
//! dead letters the queue `FEQueue`, and so on.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html>

mod events;
mod globals;
mod permissions;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::{Problem, TemplateError};
use super::node::Node;
use super::scope::Declared;

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// Properties that become properties of the `AWS::Lambda::Function` of the same name. What the local cloud does with
/// them is [`super::functions`]' affair.
const PASSED_ON: [&str; 20] = [
    "Architectures",
    "CodeUri",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FunctionName",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "RuntimeManagementConfig",
    "Tags",
    "Timeout",
    "Tracing",
];
/// Properties that SAM turns into something else.
const EXPANDED: [&str; 7] = [
    "AssumeRolePolicyDocument",
    "DeadLetterQueue",
    "EventInvokeConfig",
    "Events",
    "PermissionsBoundary",
    "Policies",
    "RolePath",
];

/// The resources of the template after the transform.
pub(super) fn expand(
    resources: &Node<'_>,
    transform: Option<&Value>,
    globals: Option<&Value>,
) -> Result<BTreeMap<String, Declared>, TemplateError> {
    if let Some(transform) = transform.filter(|transform| **transform != TRANSFORM) {
        return Err(
            Problem::expected("the transform AWS::Serverless-2016-10-31 alone", transform).at("Transform")
        );
    }
    let globals = globals::of_functions(globals)?;
    let mut expansion = Expansion::default();
    for (id, resource) in resources.entries()? {
        let declared = declaration(&resource)?;
        match declared.kind.as_str() {
            "AWS::Serverless::Function" if transform.is_some() => {
                expansion.function(id, &resource, declared, &globals)?;
            }
            kind if kind.starts_with("AWS::Serverless::") => {
                return Err(resource.fail(Problem::Unsupported(
                    "the local cloud knows AWS::Serverless::Function alone, and that with SAM's transform",
                )));
            }
            _ => expansion.add(&resource.place, id.to_owned(), declared)?,
        }
    }
    Ok(expansion.resources)
}

fn declaration(resource: &Node<'_>) -> Result<Declared, TemplateError> {
    resource.only(&[&[
        "Condition",
        "CreationPolicy",
        "DeletionPolicy",
        "DependsOn",
        "Metadata",
        "Properties",
        "Type",
        "UpdatePolicy",
        "UpdateReplacePolicy",
    ]])?;
    let properties = match resource.get("Properties")? {
        Some(properties) => Value::Object(properties.map()?.clone()),
        None => json!({}),
    };
    Ok(Declared {
        kind: resource.require("Type")?.string()?,
        condition: resource.get("Condition")?.map(|condition| condition.string()).transpose()?,
        properties,
        metadata: resource.get("Metadata")?.map_or(Value::Null, |metadata| metadata.value.clone()),
    })
}

#[derive(Debug, Default)]
struct Expansion {
    resources: BTreeMap<String, Declared>,
}

impl Expansion {
    fn add(&mut self, place: &str, id: String, declared: Declared) -> Result<(), TemplateError> {
        match self.resources.insert(id.clone(), declared) {
            Some(_) => Err(Problem::Duplicate(id).at(place)),
            None => Ok(()),
        }
    }

    /// Adds a resource that SAM makes up for a function: it exists where the function does.
    fn generate(
        &mut self,
        function: &Function<'_>,
        id: String,
        kind: &str,
        properties: Value,
    ) -> Result<(), TemplateError> {
        let declared = Declared {
            kind: kind.to_owned(),
            condition: function.condition.clone(),
            properties,
            metadata: Value::Null,
        };
        self.add(&function.place, id, declared)
    }

    fn function(
        &mut self,
        id: &str,
        resource: &Node<'_>,
        declared: Declared,
        globals: &Map<String, Value>,
    ) -> Result<(), TemplateError> {
        let local = declared.properties.as_object().cloned().unwrap_or_default();
        let properties = Value::Object(globals::merge(globals, &local));
        let node = Node::new(format!("{}.Properties", resource.place), &properties);
        node.only(&[&PASSED_ON, &EXPANDED])?;

        let function = Function { id, place: resource.place.clone(), condition: declared.condition.clone() };
        self.role(&function, &node)?;
        if let Some(config) = node.get("EventInvokeConfig")? {
            self.event_invoke_config(&function, &config)?;
        }
        if let Some(events) = node.get("Events")? {
            for (name, event) in events.entries()? {
                self.event(&function, name, &event)?;
            }
        }
        let mut properties = lambda_properties(&node)?;
        if node.get("Role")?.is_none() {
            properties["Role"] = json!({"Fn::GetAtt": [format!("{id}Role"), "Arn"]});
        }
        self.add(
            &resource.place,
            id.to_owned(),
            Declared { kind: "AWS::Lambda::Function".into(), properties, ..declared },
        )
    }

    fn event_invoke_config(
        &mut self,
        function: &Function<'_>,
        config: &Node<'_>,
    ) -> Result<(), TemplateError> {
        config.only(&[&["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"]])?;
        let id = format!("{}EventInvokeConfig", function.id);
        let mut destinations = Map::new();
        if let Some(given) = config.get("DestinationConfig")? {
            given.only(&[&["OnFailure", "OnSuccess"]])?;
            for (on, destination) in given.entries()? {
                let arn = self.destination(function, &format!("{id}{on}"), &destination)?;
                destinations.insert(on.to_owned(), json!({"Destination": arn}));
            }
        }
        let mut properties = config.map()?.clone();
        properties.insert("DestinationConfig".into(), Value::Object(destinations));
        properties.insert("FunctionName".into(), json!({"Ref": function.id}));
        properties.insert("Qualifier".into(), json!("$LATEST"));
        self.generate(function, id, "AWS::Lambda::EventInvokeConfig", Value::Object(properties))
    }

    /// The destination's ARN; SAM makes a queue or topic where none is given.
    fn destination(
        &mut self,
        function: &Function<'_>,
        prefix: &str,
        destination: &Node<'_>,
    ) -> Result<Value, TemplateError> {
        destination.only(&[&["Destination", "Type"]])?;
        let kind = destination.require("Type")?;
        if let Some(arn) = destination.get("Destination")? {
            return match kind.string()?.as_str() {
                "EventBridge" | "Lambda" | "SNS" | "SQS" => Ok(arn.value.clone()),
                _ => Err(kind.fail(Problem::Unsupported(
                    "the local cloud knows destinations of the types SQS, SNS, Lambda and EventBridge",
                ))),
            };
        }
        let (id, resource, attribute) = match kind.string()?.as_str() {
            "SQS" => (format!("{prefix}Queue"), "AWS::SQS::Queue", "Arn"),
            "SNS" => (format!("{prefix}Topic"), "AWS::SNS::Topic", "TopicArn"),
            _ => return Err(destination.fail(Problem::Missing("Destination"))),
        };
        self.generate(function, id.clone(), resource, json!({}))?;
        Ok(json!({"Fn::GetAtt": [id, attribute]}))
    }
}

/// The function whose properties are being expanded.
#[derive(Debug)]
struct Function<'a> {
    id: &'a str,
    place: String,
    condition: Option<String>,
}

fn lambda_properties(properties: &Node<'_>) -> Result<Value, TemplateError> {
    let mut lambda = properties.map()?.clone();
    lambda.retain(|key, _| PASSED_ON.contains(&key.as_str()));
    if let Some(queue) = properties.get("DeadLetterQueue")? {
        queue.only(&[&["TargetArn", "Type"]])?;
        let target = queue.require("TargetArn")?.value.clone();
        lambda.insert("DeadLetterConfig".into(), json!({"TargetArn": target}));
    }
    Ok(Value::Object(lambda))
}
