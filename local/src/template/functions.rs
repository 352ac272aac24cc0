//! The stack's functions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::error::{Problem, TemplateError};
use super::node::Node;
use super::stack::Resource;
use crate::delivery::Recipient;
use crate::lambda::{Credentials, EventInvokeConfig, Function, LogFormat, Logging, check_variables};

/// Properties that say what the function does here.
const READ: [&str; 11] = [
    "DeadLetterConfig",
    "Environment",
    "FunctionName",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "Timeout",
];
/// Properties that change nothing here.
const WITHOUT_EFFECT: [&str; 11] = [
    "Architectures",
    "Code",
    "CodeUri",
    "Description",
    "EphemeralStorage",
    "KmsKeyArn",
    "Layers",
    "RecursiveLoop",
    "RuntimeManagementConfig",
    "Tags",
    "Tracing",
];

/// Reads an `AWS::Lambda::Function`. Its `EventInvokeConfig` is a resource of its own.
pub(super) fn read(resource: &Resource) -> Result<Function, TemplateError> {
    let properties = resource.properties();
    properties.only(&[&READ, &WITHOUT_EFFECT])?;
    let runtime = properties.require("Runtime")?;
    if !["provided.al2023", "provided.al2"].contains(&runtime.string()?.as_str()) {
        return Err(runtime.fail(Problem::Unsupported("the local cloud runs executables: provided.al2023")));
    }
    if let Some(kind) = properties.get("PackageType")?.filter(|kind| kind.value != "Zip") {
        return Err(kind.fail(Problem::Unsupported("the local cloud runs no container images")));
    }
    let concurrency = properties.get("ReservedConcurrentExecutions")?;
    Ok(Function {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
        role: properties.require("Role")?.string()?,
        binary: binary(resource)?,
        environment: environment(&properties)?,
        timeout: Duration::from_secs(unsigned(&properties, "Timeout", 3, 1, 900)?.into()),
        memory_size: unsigned(&properties, "MemorySize", 128, 128, 10_240)?,
        handler: properties.get("Handler")?.map_or(Ok("bootstrap".into()), |handler| handler.string())?,
        logging: logging(&properties, &resource.name)?,
        reserved_concurrency: concurrency.map(|limit| integer(&limit, 1, 1000)).transpose()?,
        asynchronous: EventInvokeConfig::default(),
        dead_letter: dead_letter(&properties)?,
        credentials: Credentials::random(),
    })
}

/// The cargo binary: `Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: …}}`.
fn binary(resource: &Resource) -> Result<String, TemplateError> {
    let metadata = resource.metadata();
    let method = metadata.require("BuildMethod")?;
    if method.string()? != "rust-cargolambda" {
        return Err(method.fail(Problem::Unsupported("the local cloud runs what rust-cargolambda builds")));
    }
    metadata.require("BuildProperties")?.require("Binary")?.string()
}

fn environment(properties: &Node<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(environment) = properties.get("Environment")? else { return Ok(BTreeMap::new()) };
    environment.only(&[&["Variables"]])?;
    let Some(variables) = environment.get("Variables")? else { return Ok(BTreeMap::new()) };
    let read = variables
        .entries()?
        .into_iter()
        .map(|(name, value)| Ok((name.to_owned(), value.string()?)))
        .collect::<Result<_, TemplateError>>()?;
    check_variables(&read).map_err(|error| variables.fail(error))?;
    Ok(read)
}

fn logging(properties: &Node<'_>, function: &str) -> Result<Logging, TemplateError> {
    let mut logging =
        Logging { group: format!("/aws/lambda/{function}"), format: LogFormat::Text, level: None };
    let Some(config) = properties.get("LoggingConfig")? else { return Ok(logging) };
    config.only(&[&["ApplicationLogLevel", "LogFormat", "LogGroup", "SystemLogLevel"]])?;
    if let Some(format) = config.get("LogFormat")? {
        logging.format = match format.string()?.as_str() {
            "Text" => LogFormat::Text,
            "JSON" => LogFormat::Json,
            _ => return Err(format.fail(Problem::expected("Text or JSON", format.value))),
        };
    }
    if let Some(group) = config.get("LogGroup")? {
        logging.group = group.string()?;
    }
    if let Some(level) = config.get("ApplicationLogLevel")? {
        if !["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].contains(&level.string()?.as_str()) {
            return Err(level.fail(Problem::expected("a log level", level.value)));
        }
        if logging.format == LogFormat::Text {
            return Err(level.fail(Problem::Unsupported("a log level needs LogFormat: JSON")));
        }
        logging.level = Some(level.string()?);
    }
    Ok(logging)
}

fn dead_letter(properties: &Node<'_>) -> Result<Option<Recipient>, TemplateError> {
    let Some(config) = properties.get("DeadLetterConfig")? else { return Ok(None) };
    config.only(&[&["TargetArn"]])?;
    let target = config.require("TargetArn")?;
    match recipient(&target)? {
        recipient @ (Recipient::Queue(_) | Recipient::Topic(_)) => Ok(Some(recipient)),
        _ => Err(target.fail(Problem::expected("the ARN of a queue or topic", target.value))),
    }
}

/// Reads an `AWS::Lambda::EventInvokeConfig` into the function that it is about.
pub(super) fn configure(functions: &mut [Function], resource: &Resource) -> Result<(), TemplateError> {
    let properties = resource.properties();
    properties.only(&[&[
        "DestinationConfig",
        "FunctionName",
        "MaximumEventAgeInSeconds",
        "MaximumRetryAttempts",
        "Qualifier",
    ]])?;
    let qualifier = properties.require("Qualifier")?;
    if qualifier.value != "$LATEST" {
        return Err(qualifier.fail(Problem::Unsupported("the local cloud has no versions but $LATEST")));
    }
    let name = properties.require("FunctionName")?;
    let wanted = name.string()?;
    let function = functions
        .iter_mut()
        .find(|function| function.name == wanted || function.arn == wanted)
        .ok_or_else(|| name.fail(Problem::Unresolved(wanted)))?;

    let attempts = unsigned(&properties, "MaximumRetryAttempts", 2, 0, 2)?;
    let age = unsigned(&properties, "MaximumEventAgeInSeconds", 6 * 60 * 60, 60, 6 * 60 * 60)?;
    let (mut on_success, mut on_failure) = (None, None);
    if let Some(destinations) = properties.get("DestinationConfig")? {
        destinations.only(&[&["OnFailure", "OnSuccess"]])?;
        on_success = destination(&destinations, "OnSuccess")?;
        on_failure = destination(&destinations, "OnFailure")?;
    }
    function.asynchronous = EventInvokeConfig {
        maximum_retry_attempts: attempts,
        maximum_event_age: Duration::from_secs(age.into()),
        on_success,
        on_failure,
    };
    Ok(())
}

fn destination(destinations: &Node<'_>, on: &'static str) -> Result<Option<Recipient>, TemplateError> {
    let Some(destination) = destinations.get(on)? else { return Ok(None) };
    destination.only(&[&["Destination"]])?;
    recipient(&destination.require("Destination")?).map(Some)
}

pub(super) fn recipient(arn: &Node<'_>) -> Result<Recipient, TemplateError> {
    let text = arn.string()?;
    text.parse().map_err(|_| arn.fail(Problem::Unresolved(text)))
}

fn unsigned(
    properties: &Node<'_>,
    key: &str,
    default: u32,
    min: u32,
    max: u32,
) -> Result<u32, TemplateError> {
    properties.get(key)?.map_or(Ok(default), |value| integer(&value, min, max))
}

fn integer(value: &Node<'_>, min: u32, max: u32) -> Result<u32, TemplateError> {
    let number = value.integer(min.into(), max.into())?;
    u32::try_from(number).map_err(|_| value.fail(Problem::expected("a small number", &Value::from(number))))
}
