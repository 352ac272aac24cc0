//! Parameters: defaults, given values, and what the declarations allow.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{Problem, TemplateError};
use super::node::{Node, scalar_text};

const KEYS: [&str; 11] = [
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// What `Ref` gives for each parameter: a string, or a list of strings.
pub(super) fn resolve(
    declarations: Option<&Value>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let declared = match declarations {
        Some(value) => Node::new("Parameters", value).entries()?,
        None => Vec::new(),
    };
    if let Some(unknown) = given.keys().find(|name| !declared.iter().any(|(declared, _)| declared == name)) {
        return Err(Problem::UnknownParameter.at(format!("Parameters.{unknown}")));
    }
    declared
        .iter()
        .map(|(name, declaration)| Ok(((*name).to_owned(), one(declaration, given.get(*name))?)))
        .collect()
}

fn one(declaration: &Node<'_>, given: Option<&String>) -> Result<Value, TemplateError> {
    declaration.only(&[&KEYS])?;
    let value = match given {
        Some(value) => value.clone(),
        None => declaration.get("Default")?.ok_or_else(|| declaration.fail(Problem::NoValue))?.string()?,
    };
    let kind = declaration.require("Type")?;
    match kind.string()?.as_str() {
        "String" => {
            check(declaration, &value)?;
            Ok(Value::from(value))
        }
        "Number" => {
            check(declaration, &value)?;
            check_number(declaration, &value)?;
            Ok(Value::from(value))
        }
        "CommaDelimitedList" => list(declaration, &value, check),
        "List<Number>" => list(declaration, &value, |declaration, item| {
            check(declaration, item)?;
            check_number(declaration, item)
        }),
        _ => Err(kind.fail(Problem::Unsupported(
            "the local cloud knows parameters of the types String, Number, CommaDelimitedList and List<Number>",
        ))),
    }
}

fn list(
    declaration: &Node<'_>,
    value: &str,
    check: impl Fn(&Node<'_>, &str) -> Result<(), TemplateError>,
) -> Result<Value, TemplateError> {
    let items: Vec<_> = if value.is_empty() { Vec::new() } else { value.split(',').map(str::trim).collect() };
    for item in &items {
        check(declaration, item)?;
    }
    Ok(Value::from(items))
}

fn check(declaration: &Node<'_>, value: &str) -> Result<(), TemplateError> {
    if let Some(allowed) = declaration.get("AllowedValues")?
        && !allowed.items()?.iter().any(|item| scalar_text(item.value).as_deref() == Some(value))
    {
        return Err(not_allowed(declaration, value, format!("it is none of {}", allowed.value)));
    }
    if let Some(pattern) = declaration.get("AllowedPattern")? {
        check_pattern(declaration, &pattern, value)?;
    }
    let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    if let Some(min) = declaration.get("MinLength")?
        && length < min.integer(0, i64::MAX)?
    {
        return Err(not_allowed(declaration, value, format!("it is shorter than {}", min.value)));
    }
    if let Some(max) = declaration.get("MaxLength")?
        && length > max.integer(0, i64::MAX)?
    {
        return Err(not_allowed(declaration, value, format!("it is longer than {}", max.value)));
    }
    Ok(())
}

/// The expression is Java's, and has to match the whole value.
fn check_pattern(declaration: &Node<'_>, pattern: &Node<'_>, value: &str) -> Result<(), TemplateError> {
    let text = pattern.string()?;
    let matches = fancy_regex::Regex::new(&format!(r"\A(?:{text})\z"))
        .and_then(|expression| expression.is_match(value))
        .map_err(|_| pattern.fail(Problem::expected("a regular expression", pattern.value)))?;
    if matches { Ok(()) } else { Err(not_allowed(declaration, value, format!("it does not match {text}"))) }
}

fn check_number(declaration: &Node<'_>, value: &str) -> Result<(), TemplateError> {
    let number: f64 = value
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| not_allowed(declaration, value, "it is no number".into()))?;
    for (key, too_far, words) in
        [("MinValue", (|a, b| a < b) as fn(f64, f64) -> bool, "less"), ("MaxValue", |a, b| a > b, "greater")]
    {
        let Some(bound) = declaration.get(key)? else { continue };
        let limit: f64 =
            bound.string()?.parse().map_err(|_| bound.fail(Problem::expected("a number", bound.value)))?;
        if too_far(number, limit) {
            return Err(not_allowed(declaration, value, format!("it is {words} than {limit}")));
        }
    }
    Ok(())
}

fn not_allowed(declaration: &Node<'_>, value: &str, constraint: String) -> TemplateError {
    let described =
        declaration.get("ConstraintDescription").ok().flatten().and_then(|text| text.string().ok());
    declaration
        .fail(Problem::NotAllowed { value: value.to_owned(), because: described.unwrap_or(constraint) })
}
