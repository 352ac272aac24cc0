//! Event patterns, with the semantics of AWS's event-ruler, <https://github.com/aws/event-ruler>.
//!
//! - `operator`: what a single value is compared with
//! - `fields`: an event as a flat list of fields, each knowing which array elements it is in
//!
//! What the parser does not know is an error: a pattern either means what it means on AWS, or it is refused.

mod fields;
mod operator;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use fields::{Fields, Membership};
use operator::{OPERATORS, Operator};

/// The keys of an event's envelope. A pattern on another key could never match.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>; `replay-name` is on replayed
/// events.
const ENVELOPE: [&str; 10] = [
    "account",
    "detail",
    "detail-type",
    "id",
    "region",
    "replay-name",
    "resources",
    "source",
    "time",
    "version",
];

/// The field's path, its steps joined by dots (as event-ruler has it), and what may match there.
type Branch = BTreeMap<String, Vec<Operator>>;

/// A parsed event pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// An event matches if it matches all fields of any branch; `$or` makes branches.
    branches: Vec<Branch>,
    source: Value,
}

/// A pattern that EventBridge would refuse, or that could never match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event pattern, {}: {problem}", if .path.is_empty() { "at the top" } else { .path })]
pub struct PatternError {
    /// The path of the field, its steps joined by dots.
    pub path: String,
    /// What is wrong there.
    pub problem: PatternProblem,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// A field is matched by a list of values or by a map of fields, never by a bare scalar.
    #[error("expected a list of values or a map of fields, found {0}")]
    NeitherListNorMap(String),
    /// `[]` or `{}`.
    #[error("empty lists and maps are not allowed")]
    Empty,
    /// No event has this key at its top.
    #[error("no event has this key in its envelope")]
    UnknownEnvelopeKey,
    /// The same field twice, within and next to `$or`.
    #[error("the field is matched twice")]
    Duplicate,
    /// `$or` needs at least two maps.
    #[error("$or takes a list of at least two maps")]
    Or,
    /// The name of an operator as a field within `$or`.
    #[error("`{0}` cannot be a field's name within $or")]
    Reserved(String),
    /// An operator that EventBridge does not have.
    #[error("unknown operator `{0}`")]
    UnknownOperator(String),
    /// Each map in a list of values has exactly one operator.
    #[error("one operator to a map, found {0}")]
    OneOperator(usize),
    /// What follows the operator is not what it takes.
    #[error("`{operator}` takes {expected}")]
    Operand {
        /// For example `prefix`.
        operator: &'static str,
        /// In words.
        expected: &'static str,
    },
}

impl PatternProblem {
    fn at(self, path: &str) -> PatternError {
        PatternError { path: path.to_owned(), problem: self }
    }
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(pattern: &Value) -> Result<Self, PatternError> {
        let mut branches = vec![Branch::new()];
        parse_fields(&mut branches, "", map("", pattern)?, false)?;
        match branches.iter().flat_map(BTreeMap::keys).find(|path| !in_envelope(path)) {
            Some(path) => Err(PatternProblem::UnknownEnvelopeKey.at(path)),
            None => Ok(Self { branches, source: pattern.clone() }),
        }
    }

    /// What was parsed.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Whether the event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        let fields = Fields::of(event);
        self.branches.iter().any(|branch| {
            let matchers: Vec<_> = branch.iter().collect();
            search(&matchers, &fields, &Membership::default())
        })
    }
}

fn in_envelope(path: &str) -> bool {
    ENVELOPE.contains(&path.split('.').next().unwrap_or_default())
}

/// Adds the fields of a map to every branch.
fn parse_fields(
    branches: &mut Vec<Branch>,
    path: &str,
    fields: &Map<String, Value>,
    within_or: bool,
) -> Result<(), PatternError> {
    for (key, value) in fields {
        if key == "$or" {
            *branches = parse_or(branches, path, value)?;
            continue;
        }
        if within_or && OPERATORS.contains(&key.as_str()) {
            return Err(PatternProblem::Reserved(key.clone()).at(path));
        }
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Object(_) => parse_fields(branches, &path, map(&path, value)?, within_or)?,
            Value::Array(items) => add(branches, &path, &operators(&path, items)?)?,
            scalar => return Err(PatternProblem::NeitherListNorMap(scalar.to_string()).at(&path)),
        }
    }
    Ok(())
}

/// Each alternative of `$or` continues each branch so far.
fn parse_or(branches: &[Branch], path: &str, value: &Value) -> Result<Vec<Branch>, PatternError> {
    let alternatives = value.as_array().filter(|alternatives| alternatives.len() >= 2);
    let alternatives = alternatives.ok_or_else(|| PatternProblem::Or.at(path))?;
    let mut all = Vec::new();
    for alternative in alternatives {
        if !alternative.is_object() {
            return Err(PatternProblem::Or.at(path));
        }
        let mut continued = branches.to_vec();
        parse_fields(&mut continued, path, map(path, alternative)?, true)?;
        all.extend(continued);
    }
    Ok(all)
}

fn add(branches: &mut [Branch], path: &str, operators: &[Operator]) -> Result<(), PatternError> {
    for branch in branches {
        if branch.insert(path.to_owned(), operators.to_vec()).is_some() {
            return Err(PatternProblem::Duplicate.at(path));
        }
    }
    Ok(())
}

fn operators(path: &str, items: &[Value]) -> Result<Vec<Operator>, PatternError> {
    if items.is_empty() {
        return Err(PatternProblem::Empty.at(path));
    }
    items.iter().map(|item| Operator::parse(item).map_err(|problem| problem.at(path))).collect()
}

fn map<'a>(path: &str, value: &'a Value) -> Result<&'a Map<String, Value>, PatternError> {
    match value {
        Value::Object(map) if map.is_empty() => Err(PatternProblem::Empty.at(path)),
        Value::Object(map) => Ok(map),
        other => Err(PatternProblem::NeitherListNorMap(other.to_string()).at(path)),
    }
}

/// Whether the remaining matchers can be satisfied by fields that lie in the same elements of the arrays that they
/// share with the fields found so far.
fn search(matchers: &[(&String, &Vec<Operator>)], fields: &Fields<'_>, so_far: &Membership) -> bool {
    let Some(((path, operators), rest)) = matchers.split_first() else { return true };
    let mut absent = true;
    for field in fields.at(path) {
        let Some(joined) = so_far.join(&field.membership) else { continue };
        absent = false;
        if operators.iter().any(|operator| operator.matches(field.value)) && search(rest, fields, &joined) {
            return true;
        }
    }
    absent && operators.contains(&Operator::Exists(false)) && search(rest, fields, so_far)
}
