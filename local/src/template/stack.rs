//! A stack: what a template comes to, with these parameters in this account.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{Problem, TemplateError};
use super::node::Node;
use super::scope::Scope;
use super::{StackOptions, buckets, functions, kinds, parameters, policies, rules, sam, tables};
use crate::eventbridge::Rule;
use crate::iam::Attachment;
use crate::lambda::Function;
use crate::s3::lifecycle::LifecycleRule;

/// The resources of a stack that the local cloud runs, and the stack's outputs.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The functions.
    pub functions: Vec<Function>,
    /// The rules of the default event bus, and the schedules.
    pub rules: Vec<Rule>,
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// The SQS queues.
    pub queues: Vec<Mailbox>,
    /// The SNS topics.
    pub topics: Vec<Mailbox>,
    /// The tables in Glue.
    pub tables: Vec<Table>,
    /// The properties of the CloudWatch alarms, by their names in the template. They do not go off here.
    pub alarms: BTreeMap<String, Value>,
    /// The ARNs of the roles, by their names in the template.
    pub roles: BTreeMap<String, String>,
    /// What roles and resources say about who may do what.
    pub policies: Vec<Attachment>,
    /// The parameters' values, defaults among them.
    pub parameters: BTreeMap<String, String>,
    /// The outputs' values, by their names in the template.
    pub outputs: BTreeMap<String, String>,
    /// Logical ids, types and names of all resources that have a name here.
    pub resources: Vec<StackResource>,
}

/// A resource of the stack, as CloudFormation lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// Its name in the template.
    pub logical_id: String,
    /// For example `AWS::Events::Rule`.
    pub kind: String,
    /// Its name in its service.
    pub physical_id: String,
}

/// An S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in S3.
    pub name: String,
    /// Whether it sends its events to EventBridge.
    pub event_bridge: bool,
    /// The ARN of the KMS key that it is encrypted with.
    pub kms_key: Option<String>,
    /// Its lifecycle rules that are enabled.
    pub lifecycle: Vec<LifecycleRule>,
    /// Whether all of "Block public access" is on.
    pub blocks_public_access: bool,
    /// Its policy, as JSON.
    pub policy: Option<String>,
}

/// An SQS queue or an SNS topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in its service.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// A table in Glue, which Athena reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name in the template.
    pub logical_id: String,
    /// Names and types of its columns.
    pub columns: Vec<(String, String)>,
    /// Names and types of what its folders are named by.
    pub partition_keys: Vec<(String, String)>,
    /// The `s3://` URI below which its objects lie.
    pub location: String,
    /// Table properties, those of partition projection among them.
    pub parameters: BTreeMap<String, String>,
}

/// A resource that exists, its intrinsic functions evaluated.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) logical_id: String,
    pub(super) kind: String,
    /// Empty for types that have no name or ARN here.
    pub(super) name: String,
    pub(super) arn: String,
    properties: Value,
    metadata: Value,
}

impl Resource {
    pub(super) fn properties(&self) -> Node<'_> {
        Node::new(format!("Resources.{}.Properties", self.logical_id), &self.properties)
    }

    pub(super) fn metadata(&self) -> Node<'_> {
        Node::new(format!("Resources.{}.Metadata", self.logical_id), &self.metadata)
    }
}

impl Stack {
    pub(super) fn of(template: &Value, options: &StackOptions) -> Result<Self, TemplateError> {
        let template = Node::new("the template", template);
        let sections = template.map()?;
        let scope = scope(&template, sections, options)?;
        for name in scope.conditions.keys() {
            scope.condition("Conditions", name)?;
        }
        let resources = resources(&scope)?;
        let outputs = outputs(&scope, sections.get("Outputs"))?;
        let mut stack = Self::read(&resources, outputs, options)?;
        stack.parameters = parameters_as_texts(&scope.parameters);
        stack.check_recipients(&scope)?;
        check_roles(&resources, &stack)?;
        Ok(stack)
    }

    fn read(
        resources: &[Resource],
        outputs: BTreeMap<String, String>,
        options: &StackOptions,
    ) -> Result<Self, TemplateError> {
        let of = |kind: &'static str| resources.iter().filter(move |resource| resource.kind == kind);
        let mut functions =
            of("AWS::Lambda::Function").map(functions::read).collect::<Result<Vec<_>, _>>()?;
        for config in of("AWS::Lambda::EventInvokeConfig") {
            functions::configure(&mut functions, config)?;
        }
        let mut rules = of("AWS::Events::Rule").map(rules::rule).collect::<Result<Vec<_>, _>>()?;
        for schedule in of("AWS::Scheduler::Schedule") {
            rules.push(rules::schedule(schedule)?);
        }
        Ok(Self {
            name: options.name.clone(),
            functions,
            rules,
            buckets: of("AWS::S3::Bucket")
                .map(|bucket| buckets::bucket(bucket, resources))
                .collect::<Result<_, _>>()?,
            queues: of("AWS::SQS::Queue").map(mailbox).collect(),
            topics: of("AWS::SNS::Topic").map(mailbox).collect(),
            tables: of("AWS::Glue::Table").map(tables::table).collect::<Result<_, _>>()?,
            alarms: of("AWS::CloudWatch::Alarm")
                .map(|alarm| (alarm.logical_id.clone(), alarm.properties.clone()))
                .collect(),
            roles: of("AWS::IAM::Role").map(|role| (role.logical_id.clone(), role.arn.clone())).collect(),
            policies: policies::read(resources, &options.account)?,
            parameters: BTreeMap::new(),
            outputs,
            resources: resources.iter().filter_map(listed).collect(),
        })
    }

    /// The ARNs of all queues and topics, for [`crate::delivery::Mailboxes`].
    pub fn mailboxes(&self) -> impl Iterator<Item = String> {
        self.queues.iter().chain(&self.topics).map(|mailbox| mailbox.arn.clone())
    }

    /// Everything that is delivered to has to be in the stack.
    fn check_recipients(&self, scope: &Scope<'_>) -> Result<(), TemplateError> {
        let bus = scope.account.arn("events", "event-bus/default");
        let known: Vec<_> =
            self.mailboxes().chain(self.functions.iter().map(|it| it.arn.clone())).chain([bus]).collect();
        let check = |logical_id: &str, arn: &str| {
            let found = known.iter().any(|known| known == arn);
            let problem = || Problem::Unresolved(arn.to_owned()).at(format!("Resources.{logical_id}"));
            if found { Ok(()) } else { Err(problem()) }
        };
        for function in &self.functions {
            let config = &function.asynchronous;
            let recipients = [&config.on_success, &config.on_failure, &function.dead_letter];
            for recipient in recipients.into_iter().flatten() {
                check(&function.logical_id, recipient.arn())?;
            }
        }
        for rule in &self.rules {
            for target in &rule.targets {
                check(&rule.logical_id, target.recipient.arn())?;
                target.dead_letter_queue.iter().try_for_each(|queue| check(&rule.logical_id, queue))?;
            }
        }
        Ok(())
    }
}

/// A function's role has to be in the stack: what another may do is not known here.
fn check_roles(resources: &[Resource], stack: &Stack) -> Result<(), TemplateError> {
    let is_role = |arn: &str| resources.iter().any(|it| it.kind == "AWS::IAM::Role" && it.arn == arn);
    match stack.functions.iter().find(|function| !is_role(&function.role)) {
        Some(function) => {
            let place = format!("Resources.{}.Properties.Role", function.logical_id);
            Err(Problem::Unresolved(function.role.clone()).at(place))
        }
        None => Ok(()),
    }
}

fn scope<'a>(
    template: &Node<'_>,
    sections: &Map<String, Value>,
    options: &'a StackOptions,
) -> Result<Scope<'a>, TemplateError> {
    template.only(&[&[
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Globals",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Transform",
    ]])?;
    let conditions = match template.get("Conditions")? {
        Some(conditions) => conditions.map()?.clone(),
        None => Map::new(),
    };
    let mut declared = template.require("Resources")?;
    declared.place = "Resources".into();
    Ok(Scope {
        stack: &options.name,
        account: &options.account,
        parameters: parameters::resolve(sections.get("Parameters"), &options.parameters)?,
        mappings: sections.get("Mappings").cloned().unwrap_or_default(),
        conditions,
        resources: sam::expand(&declared, sections.get("Transform"), sections.get("Globals"))?,
        pending: RefCell::default(),
    })
}

/// The attributes that are a resource's ARN.
const ARNS: [&str; 3] = ["Arn", "PolicyArn", "TopicArn"];

fn resources(scope: &Scope<'_>) -> Result<Vec<Resource>, TemplateError> {
    let mut resources = Vec::new();
    for (logical_id, declared) in &scope.resources {
        if !scope.exists(declared)? {
            continue;
        }
        let place = format!("Resources.{logical_id}");
        let known = kinds::find(&declared.kind);
        let name = known.map_or(Ok(String::new()), |_| scope.physical_name(&place, logical_id))?;
        let arn = known.and_then(|kind| ARNS.into_iter().find(|arn| kind.value(arn).is_some()));
        let arn =
            arn.map_or(Ok(String::new()), |attribute| scope.attribute(&place, logical_id, attribute))?;
        let resolve = |key: &str, value| scope.resolve(&format!("{place}.{key}"), value);
        resources.push(Resource {
            logical_id: logical_id.clone(),
            kind: declared.kind.clone(),
            name,
            arn,
            properties: resolve("Properties", &declared.properties)?.unwrap_or_default(),
            metadata: resolve("Metadata", &declared.metadata)?.unwrap_or_default(),
        });
    }
    Ok(resources)
}

fn outputs(scope: &Scope<'_>, section: Option<&Value>) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut values = BTreeMap::new();
    let Some(section) = section else { return Ok(values) };
    for (name, output) in Node::new("Outputs", section).entries()? {
        output.only(&[&["Condition", "Description", "Export", "Value"]])?;
        let condition = output.get("Condition")?.map(|condition| condition.string()).transpose()?;
        let exists = condition.map_or(Ok(true), |condition| scope.condition(&output.place, &condition))?;
        if exists {
            let value = output.require("Value")?;
            values.insert(name.to_owned(), scope.text(&value.place, value.value)?);
        }
    }
    Ok(values)
}

/// As CloudFormation shows them: a list is separated by commas.
fn parameters_as_texts(parameters: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn listed(resource: &Resource) -> Option<StackResource> {
    let (logical_id, kind) = (resource.logical_id.clone(), resource.kind.clone());
    let physical_id = resource.name.clone();
    (!physical_id.is_empty()).then_some(StackResource { logical_id, kind, physical_id })
}

fn mailbox(resource: &Resource) -> Mailbox {
    Mailbox {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
    }
}
