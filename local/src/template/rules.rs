//! The stack's rules and schedules.

use super::error::{Problem, TemplateError};
use super::functions::recipient;
use super::node::Node;
use super::stack::Resource;
use crate::delivery::Recipient;
use crate::eventbridge::{Input, Pattern, Rate, Rule, Service, Target, Transformer};

/// Reads an `AWS::Events::Rule`.
pub(super) fn rule(resource: &Resource) -> Result<Rule, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&[
        "Description",
        "EventBusName",
        "EventPattern",
        "Name",
        "ScheduleExpression",
        "State",
        "Tags",
        "Targets",
    ]])?;
    if let Some(bus) = properties.get("EventBusName")? {
        let name = bus.string()?;
        if name != "default" && !name.ends_with(":event-bus/default") {
            return Err(bus.fail(Problem::Unsupported("the local cloud has the default event bus alone")));
        }
    }
    let pattern = properties
        .get("EventPattern")?
        .map(|pattern| Pattern::parse(pattern.value).map_err(|error| pattern.fail(error)));
    let schedule = properties.get("ScheduleExpression")?.map(|expression| rate(&expression));
    if pattern.is_none() && schedule.is_none() {
        return Err(properties.fail(Problem::Missing("EventPattern")));
    }
    let targets = properties.get("Targets")?.map(|targets| targets.items()).transpose()?;
    let targets = targets.unwrap_or_default();
    Ok(Rule {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
        enabled: enabled(&properties)?,
        pattern: pattern.transpose()?,
        schedule: schedule.transpose()?,
        service: Service::Rules,
        targets: targets
            .iter()
            .map(|node| target(node, Some(node.require("Id")?.string()?)))
            .collect::<Result<_, _>>()?,
    })
}

/// Reads an `AWS::Scheduler::Schedule`.
pub(super) fn schedule(resource: &Resource) -> Result<Rule, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&[
        "Description",
        "FlexibleTimeWindow",
        "GroupName",
        "Name",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "State",
        "Target",
    ]])?;
    if let Some(group) = properties.get("GroupName")?.filter(|group| group.value != "default") {
        return Err(group.fail(Problem::Unsupported("the local cloud has the default schedule group alone")));
    }
    let to = properties.require("Target")?;
    Ok(Rule {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
        enabled: enabled(&properties)?,
        pattern: None,
        schedule: Some(rate(&properties.require("ScheduleExpression")?)?),
        service: Service::Scheduler { role: to.require("RoleArn")?.string()? },
        targets: vec![target(&to, None)?],
    })
}

fn rate(expression: &Node<'_>) -> Result<Rate, TemplateError> {
    expression.string()?.parse().map_err(|error: crate::eventbridge::ScheduleError| expression.fail(error))
}

fn enabled(properties: &Node<'_>) -> Result<bool, TemplateError> {
    let Some(state) = properties.get("State")? else { return Ok(true) };
    match state.string()?.as_str() {
        "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Ok(true),
        "DISABLED" => Ok(false),
        _ => Err(state.fail(Problem::expected("ENABLED or DISABLED", state.value))),
    }
}

fn target(target: &Node<'_>, id: Option<String>) -> Result<Target, TemplateError> {
    target.only(&[&[
        "Arn",
        "DeadLetterConfig",
        "Id",
        "Input",
        "InputPath",
        "InputTransformer",
        "RetryPolicy",
        "RoleArn",
    ]])?;
    // A schedule has no id.
    if let Some(role) = target.get("RoleArn")?.filter(|_| id.is_some()) {
        return Err(
            role.fail(Problem::Unsupported("the local EventBridge acts by the targets' own policies"))
        );
    }
    let arn = target.require("Arn")?;
    let recipient = recipient(&arn)?;
    if let Recipient::EventBus(_) = recipient {
        return Err(arn.fail(Problem::Unsupported("the local cloud has no event bus but the default one")));
    }
    let dead_letter_queue =
        target.get("DeadLetterConfig")?.map(|config| dead_letter_queue(&config)).transpose()?;
    Ok(Target { id: id.unwrap_or_default(), recipient, input: input(target)?, dead_letter_queue })
}

fn input(target: &Node<'_>) -> Result<Input, TemplateError> {
    if let Some(given) = target.get("InputTransformer")? {
        if let Some(other) = target.get("Input")?.or(target.get("InputPath")?) {
            return Err(
                other.fail(Problem::UnknownKey("Input or InputPath, next to InputTransformer".into()))
            );
        }
        return transformer(&given).map(Input::Transformed);
    }
    match (target.get("Input")?, target.get("InputPath")?) {
        (None, None) => Ok(Input::Event),
        (Some(input), None) => Input::constant(&input.string()?).map_err(|error| input.fail(error)),
        (None, Some(path)) => Input::path(&path.string()?).map_err(|error| path.fail(error)),
        (Some(_), Some(path)) => Err(path.fail(Problem::UnknownKey("InputPath, next to Input".into()))),
    }
}

fn transformer(given: &Node<'_>) -> Result<Transformer, TemplateError> {
    given.only(&[&["InputPathsMap", "InputTemplate"]])?;
    let paths = given.get("InputPathsMap")?.map_or(Ok(Vec::new()), |paths| paths.entries())?.into_iter();
    let paths = paths.map(|(name, path)| Ok((name.to_owned(), path.string()?)));
    let paths = paths.collect::<Result<_, TemplateError>>()?;
    Transformer::new(&given.require("InputTemplate")?.string()?, &paths).map_err(|error| given.fail(error))
}

fn dead_letter_queue(config: &Node<'_>) -> Result<String, TemplateError> {
    config.only(&[&["Arn"]])?;
    let arn = config.require("Arn")?;
    match recipient(&arn)? {
        Recipient::Queue(queue) => Ok(queue),
        _ => Err(arn.fail(Problem::expected("the ARN of a queue", arn.value))),
    }
}
