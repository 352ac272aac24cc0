//! YAML as CloudFormation reads it, into JSON values: short tags become the long forms of the intrinsic functions.

use std::sync::LazyLock;

use regex::Regex;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::error::{Problem, TemplateError};

/// Scalars that YAML 1.1 reads as booleans, octal, sexagesimal or grouped numbers, and YAML 1.2 as something else.
static AMBIGUOUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[-+]?0[0-9][0-9_]*|0o[0-7]+|[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+|[-+]?[0-9]+_[0-9_]*)$",
    )
    .expect("a valid expression")
});
static INTEGER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[-+]?[0-9]+$").expect("a valid expression"));
static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$").expect("a valid expression")
});

/// The short tags of CloudFormation, and the keys that they stand for.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>
const SHORT_TAGS: [(&str, &str); 18] = [
    ("Ref", "Ref"),
    ("Condition", "Condition"),
    ("And", "Fn::And"),
    ("Base64", "Fn::Base64"),
    ("Cidr", "Fn::Cidr"),
    ("Equals", "Fn::Equals"),
    ("FindInMap", "Fn::FindInMap"),
    ("GetAtt", "Fn::GetAtt"),
    ("GetAZs", "Fn::GetAZs"),
    ("If", "Fn::If"),
    ("ImportValue", "Fn::ImportValue"),
    ("Join", "Fn::Join"),
    ("Not", "Fn::Not"),
    ("Or", "Fn::Or"),
    ("Select", "Fn::Select"),
    ("Split", "Fn::Split"),
    ("Sub", "Fn::Sub"),
    ("Transform", "Fn::Transform"),
];

type Events<'a> = Parser<'a, StrInput<'a>>;

/// Reads one YAML (or JSON) document.
pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let mut events = Parser::new_from_str(text);
    loop {
        let (event, span) = next(&mut events)?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd => return Err(problem(span, "the template is empty")),
            event => {
                let value = node(&mut events, event, span)?;
                only_document(&mut events)?;
                return Ok(value);
            }
        }
    }
}

fn only_document(events: &mut Events<'_>) -> Result<(), TemplateError> {
    loop {
        match next(events)? {
            (Event::StreamEnd, _) => return Ok(()),
            (Event::DocumentStart(_), span) => return Err(problem(span, "a template is a single document")),
            _ => {}
        }
    }
}

fn node<'a>(events: &mut Events<'a>, event: Event<'a>, span: Span) -> Result<Value, TemplateError> {
    let (value, tag) = match event {
        Event::Scalar(text, style, _, tag) => (scalar(&text, style, tag.as_deref(), span)?, tag),
        Event::SequenceStart(_, tag) => (sequence(events)?, tag),
        Event::MappingStart(_, tag) => (mapping(events)?, tag),
        Event::Alias(_) => return Err(problem(span, "CloudFormation takes no aliases")),
        other => return Err(problem(span, &format!("unexpected {other:?}"))),
    };
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => tagged(&tag, value, span),
        _ => Ok(value),
    }
}

fn sequence(events: &mut Events<'_>) -> Result<Value, TemplateError> {
    let mut items = Vec::new();
    loop {
        match next(events)? {
            (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
            (event, span) => items.push(node(events, event, span)?),
        }
    }
}

fn mapping(events: &mut Events<'_>) -> Result<Value, TemplateError> {
    let mut entries = Map::new();
    loop {
        let (key, span) = match next(events)? {
            (Event::MappingEnd, _) => return Ok(Value::Object(entries)),
            (Event::Scalar(key, _, _, None), span) => (key.into_owned(), span),
            (_, span) => return Err(problem(span, "a key is a plain string")),
        };
        if key == "<<" {
            return Err(problem(span, "CloudFormation takes no merge keys"));
        }
        let (event, value_span) = next(events)?;
        let value = node(events, event, value_span)?;
        if entries.insert(key.clone(), value).is_some() {
            return Err(Problem::Duplicate(key).at(line(span)));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Value, TemplateError> {
    let explicit_string = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style != ScalarStyle::Plain || explicit_string {
        return Ok(Value::from(text));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if AMBIGUOUS.is_match(text) {
        return Err(Problem::AmbiguousScalar(text.to_owned()).at(line(span)));
    }
    Ok(number(text).map_or_else(|| Value::from(text), Value::Number))
}

fn number(text: &str) -> Option<Number> {
    if INTEGER.is_match(text) {
        return text.parse::<i64>().ok().map(Number::from);
    }
    if FLOAT.is_match(text) {
        return text.parse::<f64>().ok().and_then(Number::from_f64);
    }
    None
}

/// `!Sub x` is `{"Fn::Sub": x}`; `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`.
fn tagged(tag: &Tag, value: Value, span: Span) -> Result<Value, TemplateError> {
    let name = if tag.handle == "!" { tag.suffix.as_str() } else { "" };
    let key = SHORT_TAGS
        .iter()
        .find(|(short, _)| *short == name)
        .map(|(_, key)| *key)
        .ok_or_else(|| Problem::UnknownIntrinsic(tag.to_string()).at(line(span)))?;
    let value = match (key, &value) {
        ("Fn::GetAtt", Value::String(path)) => match path.split_once('.') {
            Some((resource, attribute)) => Value::from(vec![resource, attribute]),
            None => return Err(problem(span, "!GetAtt expects Resource.Attribute")),
        },
        _ => value,
    };
    Ok(Value::Object(Map::from_iter([(key.to_owned(), value)])))
}

fn next<'a>(events: &mut Events<'a>) -> Result<(Event<'a>, Span), TemplateError> {
    match events.next() {
        Some(Ok(event)) => Ok(event),
        Some(Err(error)) => Err(scan_error(&error)),
        None => Err(Problem::Yaml("the template ends too early".into()).at("the end")),
    }
}

fn scan_error(error: &ScanError) -> TemplateError {
    Problem::Yaml(error.info().to_owned()).at(format!("line {}", error.marker().line()))
}

fn problem(span: Span, message: &str) -> TemplateError {
    Problem::Yaml(message.to_owned()).at(line(span))
}

fn line(span: Span) -> String {
    format!("line {}", span.start.line())
}
