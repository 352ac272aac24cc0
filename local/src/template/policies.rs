//! The stack's policies: those of roles, of buckets, queues and topics, and the permissions of functions.

use super::error::{Problem, TemplateError};
use super::node::Node;
use super::stack::Resource;
use crate::account::Account;
use crate::iam::{Attachment, Condition, Effect, Holder, PolicyError, Principals, StatementParts};

/// What SAM gives to each role that it makes: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html>.
const BASIC_EXECUTION: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

/// Types of resources that hold policies which the local cloud does not enforce. What is in them would be allowed, or
/// not denied, by oversight.
const NOT_ENFORCED: [&str; 8] = [
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::Group",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::User",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SQS::QueueInlinePolicy",
];

/// Where a statement stands, which decides what it has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Of a role: no principal.
    Identity,
    /// Of a resource.
    Resource,
    /// Who may take a role: no resource.
    Trust,
}

/// Everything that the stack's resources say about who may do what.
pub(super) fn read(resources: &[Resource], account: &Account) -> Result<Vec<Attachment>, TemplateError> {
    let mut attachments = Vec::new();
    for resource in resources {
        match resource.kind.as_str() {
            "AWS::IAM::Role" => attachments.extend(role(resource, resources, account)?),
            // It counts where a role has it.
            "AWS::IAM::ManagedPolicy" => drop(managed_policy(resource, &[])?),
            "AWS::S3::BucketPolicy" => {
                let bucket = resource.properties().require("Bucket")?.string()?;
                let holders = [Holder::Resource(format!("arn:aws:s3:::{bucket}"))];
                attachments.extend(resource_policy(resource, &holders)?);
            }
            "AWS::SQS::QueuePolicy" => {
                let queues = resource.properties().require("Queues")?.items()?;
                let arn = |queue: &Node<'_>| queue_arn(queue, resources).map(Holder::Resource);
                let holders = queues.iter().map(arn).collect::<Result<Vec<_>, _>>()?;
                attachments.extend(resource_policy(resource, &holders)?);
            }
            "AWS::SNS::TopicPolicy" => {
                let topics = resource.properties().require("Topics")?.items()?;
                let arn = |topic: &Node<'_>| topic.string().map(Holder::Resource);
                let holders = topics.iter().map(arn).collect::<Result<Vec<_>, _>>()?;
                attachments.extend(resource_policy(resource, &holders)?);
            }
            "AWS::Lambda::Permission" => attachments.extend(permission(resource, account)?),
            kind if NOT_ENFORCED.contains(&kind) => {
                let problem = Problem::Unsupported("the local cloud would not enforce this policy");
                return Err(problem.at(format!("Resources.{}", resource.logical_id)));
            }
            _ => {}
        }
    }
    Ok(attachments)
}

fn role(
    resource: &Resource,
    resources: &[Resource],
    account: &Account,
) -> Result<Vec<Attachment>, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&[
        "AssumeRolePolicyDocument",
        "Description",
        "ManagedPolicyArns",
        "MaxSessionDuration",
        "Policies",
        "RoleName",
        "Tags",
    ]])?;
    let trust = properties.require("AssumeRolePolicyDocument")?;
    let mut attachments =
        document(resource, "trust", &trust, Place::Trust, &[Holder::Resource(resource.arn.clone())])?;
    trusts_no_other_account(&trust, account)?;
    let holder = [Holder::Role(resource.arn.clone())];
    for policy in properties.get("Policies")?.map_or(Ok(Vec::new()), |policies| policies.items())? {
        policy.only(&[&["PolicyDocument", "PolicyName"]])?;
        let name = policy.require("PolicyName")?.string()?;
        let policy = policy.require("PolicyDocument")?;
        attachments.extend(document(resource, &name, &policy, Place::Identity, &holder)?);
    }
    for managed in properties.get("ManagedPolicyArns")?.map_or(Ok(Vec::new()), |arns| arns.items())? {
        let arn = managed.string()?;
        let is_it = |it: &&Resource| it.kind == "AWS::IAM::ManagedPolicy" && it.arn == arn;
        if let Some(policy) = resources.iter().find(is_it) {
            attachments.extend(managed_policy(policy, &holder)?);
            continue;
        }
        if arn != BASIC_EXECUTION {
            return Err(managed.fail(Problem::Unsupported(
                "the local cloud knows no managed policy but the template's and AWSLambdaBasicExecutionRole",
            )));
        }
        let actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
        let parts = StatementParts {
            policy: resource.logical_id.clone(),
            statement: "AWSLambdaBasicExecutionRole".into(),
            effect: Effect::Allow,
            principals: None,
            actions: (false, actions.map(str::to_owned).into()),
            resources: Some((false, vec!["*".into()])),
            conditions: Vec::new(),
        };
        attachments.extend(attach(parts, &managed, &holder)?);
    }
    Ok(attachments)
}

fn managed_policy(resource: &Resource, holders: &[Holder]) -> Result<Vec<Attachment>, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&["Description", "ManagedPolicyName", "Path", "PolicyDocument"]])?;
    document(resource, "", &properties.require("PolicyDocument")?, Place::Identity, holders)
}

/// Nobody here can try what is let to another account.
fn trusts_no_other_account(trust: &Node<'_>, account: &Account) -> Result<(), TemplateError> {
    let ours = format!("arn:aws:iam::{}:root", account.id);
    for statement in one_or_more(&trust.require("Statement")?)? {
        let Some(named) = statement.require("Principal")?.get("AWS")? else { continue };
        let other = texts(&named)?.into_iter().find(|name| name.ends_with(":root") && *name != ours);
        if let Some(other) = other {
            return Err(named.fail(PolicyError::Principal(other)));
        }
    }
    Ok(())
}

fn resource_policy(resource: &Resource, holders: &[Holder]) -> Result<Vec<Attachment>, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&["Bucket", "PolicyDocument", "Queues", "Topics"]])?;
    let policy = properties.require("PolicyDocument")?;
    document(resource, "", &policy, Place::Resource, holders)
}

/// The ARN of a queue that is named by its URL.
fn queue_arn(queue: &Node<'_>, resources: &[Resource]) -> Result<String, TemplateError> {
    let url = queue.string()?;
    let name = url.rsplit('/').next().unwrap_or_default();
    let known = resources.iter().find(|resource| resource.kind == "AWS::SQS::Queue" && resource.name == name);
    known.map(|queue| queue.arn.clone()).ok_or_else(|| queue.fail(Problem::Unresolved(url.clone())))
}

/// Lambda makes a statement of a function's policy of it:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>.
fn permission(resource: &Resource, account: &Account) -> Result<Vec<Attachment>, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&["Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"]])?;
    let name = properties.require("FunctionName")?.string()?;
    let arn = match name.strip_prefix("arn:") {
        Some(_) => name,
        None => account.arn("lambda", &format!("function:{name}")),
    };
    let mut conditions = Vec::new();
    for (property, operator, key) in
        [("SourceArn", "ArnLike", "aws:SourceArn"), ("SourceAccount", "StringEquals", "aws:SourceAccount")]
    {
        if let Some(value) = properties.get(property)? {
            let condition = Condition::new(operator, key, vec![value.string()?]);
            conditions.push(condition.map_err(|error| value.fail(error))?);
        }
    }
    let principal = properties.require("Principal")?;
    let parts = StatementParts {
        policy: resource.logical_id.clone(),
        statement: "permission".into(),
        effect: Effect::Allow,
        principals: Some(named(&[principal.string()?]).map_err(|error| principal.fail(error))?),
        actions: (false, vec![properties.require("Action")?.string()?]),
        resources: Some((false, vec![arn.clone()])),
        conditions,
    };
    attach(parts, &properties, &[Holder::Resource(arn)])
}

/// The statements of a policy document.
fn document(
    resource: &Resource,
    name: &str,
    policy: &Node<'_>,
    place: Place,
    holders: &[Holder],
) -> Result<Vec<Attachment>, TemplateError> {
    policy.only(&[&["Id", "Statement", "Version"]])?;
    if let Some(version) = policy.get("Version")?.filter(|it| it.value != "2012-10-17") {
        return Err(version.fail(Problem::expected("2012-10-17", version.value)));
    }
    let mut attachments = Vec::new();
    for (at, statement) in one_or_more(&policy.require("Statement")?)?.iter().enumerate() {
        let label = match statement.get("Sid")? {
            Some(sid) => sid.string()?,
            None => format!("{name}[{at}]"),
        };
        let parts = parts(resource, label, statement, place)?;
        attachments.extend(attach(parts, statement, holders)?);
    }
    Ok(attachments)
}

fn parts(
    resource: &Resource,
    label: String,
    statement: &Node<'_>,
    place: Place,
) -> Result<StatementParts, TemplateError> {
    let target: &[&str] = match place {
        Place::Identity => &["NotResource", "Resource"],
        Place::Resource => &["NotResource", "Principal", "Resource"],
        Place::Trust => &["Principal"],
    };
    statement.only(&[&["Action", "Condition", "Effect", "NotAction", "Sid"], target])?;
    let effect = statement.require("Effect")?;
    Ok(StatementParts {
        policy: resource.logical_id.clone(),
        statement: label,
        effect: match effect.string()?.as_str() {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return Err(effect.fail(Problem::expected("Allow or Deny", effect.value))),
        },
        principals: match place {
            Place::Identity => None,
            Place::Resource | Place::Trust => Some(principals(&statement.require("Principal")?)?),
        },
        actions: list(statement, "Action", "NotAction")?,
        resources: match place {
            Place::Identity | Place::Resource => Some(list(statement, "Resource", "NotResource")?),
            Place::Trust => None,
        },
        conditions: conditions(statement)?,
    })
}

fn attach(
    parts: StatementParts,
    node: &Node<'_>,
    holders: &[Holder],
) -> Result<Vec<Attachment>, TemplateError> {
    let statements = parts.take_apart().map_err(|error| node.fail(error))?;
    let attached = holders.iter().flat_map(|holder| {
        statements.iter().map(|statement| Attachment { holder: holder.clone(), statement: statement.clone() })
    });
    Ok(attached.collect())
}

/// `Action` or `NotAction`, and whether it is the latter.
fn list(
    statement: &Node<'_>,
    key: &'static str,
    not_key: &'static str,
) -> Result<(bool, Vec<String>), TemplateError> {
    match (statement.get(key)?, statement.get(not_key)?) {
        (Some(list), None) => Ok((false, texts(&list)?)),
        (None, Some(list)) => Ok((true, texts(&list)?)),
        (Some(_), Some(list)) => Err(list.fail(Problem::UnknownKey(format!("{not_key}, next to {key}")))),
        (None, None) => Err(statement.fail(Problem::Missing(key))),
    }
}

fn principals(principal: &Node<'_>) -> Result<Principals, TemplateError> {
    if principal.value == "*" {
        return Ok(Principals::Anybody);
    }
    principal.only(&[&["AWS", "Service"]])?;
    let mut names = Vec::new();
    for (_, given) in principal.entries()? {
        names.extend(texts(&given)?);
    }
    named(&names).map_err(|error| principal.fail(error))
}

fn named(names: &[String]) -> Result<Principals, PolicyError> {
    if names.iter().any(|name| name == "*") {
        return Ok(Principals::Anybody);
    }
    let (mut services, mut roles, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        if name.starts_with("arn:aws:iam::") && name.contains(":role/") {
            roles.push(name.clone());
        } else if let Some(id) =
            name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"))
        {
            accounts.push(id.to_owned());
        } else if name.ends_with(".amazonaws.com") {
            services.push(name.clone());
        } else {
            return Err(PolicyError::Principal(name.clone()));
        }
    }
    Ok(Principals::These { services, roles, accounts })
}

fn conditions(statement: &Node<'_>) -> Result<Vec<Condition>, TemplateError> {
    let mut conditions = Vec::new();
    let Some(operators) = statement.get("Condition")? else { return Ok(conditions) };
    for (operator, keys) in operators.entries()? {
        for (key, values) in keys.entries()? {
            let condition = Condition::new(operator, key, texts(&values)?);
            conditions.push(condition.map_err(|error| values.fail(error))?);
        }
    }
    Ok(conditions)
}

/// The strings of a list, or one without a list around it. An empty list would match nothing, or with `Not…` everything.
fn texts(list: &Node<'_>) -> Result<Vec<String>, TemplateError> {
    one_or_more(list)?.iter().map(Node::string).collect()
}

fn one_or_more<'a>(node: &Node<'a>) -> Result<Vec<Node<'a>>, TemplateError> {
    if !node.value.is_array() {
        return Ok(vec![node.clone()]);
    }
    let items = node.items()?;
    if items.is_empty() { Err(node.fail(Problem::expected("at least one", node.value))) } else { Ok(items) }
}
