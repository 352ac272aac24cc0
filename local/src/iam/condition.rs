//! Conditions of statements.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use super::pattern::{ArnPattern, glob};
use super::{PolicyError, Request};

/// The condition keys that requests here can carry. A key that a request does not carry is absent, as on AWS.
const KEYS: [&str; 8] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "kms:ViaService",
    "s3:delimiter",
    "s3:prefix",
];

/// One operator on one key. Several conditions have to hold all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    operator: Operator,
    /// `…Not…`: holds if none of the values matches.
    negated: bool,
    /// `…IfExists`: holds without the key.
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// Also `ArnEquals`, which does the same.
    ArnLike,
    Bool,
    /// `true`: the key is absent.
    Null,
}

impl Condition {
    /// Reads an operator, a key and the values of which any will do.
    pub fn new(operator: &str, key: &str, values: Vec<String>) -> Result<Self, PolicyError> {
        if let Some(value) = values.iter().find(|value| value.contains("${")) {
            return Err(PolicyError::Variable(value.clone()));
        }
        if !KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            return Err(PolicyError::Key(key.to_owned()));
        }
        let (name, if_exists) = match operator.strip_suffix("IfExists") {
            Some(name) if name != "Null" => (name, true),
            _ => (operator, false),
        };
        let (operator, negated) = match name {
            "StringEquals" => (Operator::StringEquals, false),
            "StringNotEquals" => (Operator::StringEquals, true),
            "StringEqualsIgnoreCase" => (Operator::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Operator::StringEqualsIgnoreCase, true),
            "StringLike" => (Operator::StringLike, false),
            "StringNotLike" => (Operator::StringLike, true),
            "ArnEquals" | "ArnLike" => (Operator::ArnLike, false),
            "ArnNotEquals" | "ArnNotLike" => (Operator::ArnLike, true),
            "Bool" => (Operator::Bool, false),
            "Null" => (Operator::Null, false),
            _ => return Err(PolicyError::Operator(operator.to_owned())),
        };
        if operator == Operator::ArnLike {
            values.iter().try_for_each(|value| ArnPattern::parse(value).map(drop))?;
        }
        Ok(Self { operator, negated, if_exists, key: key.to_lowercase(), values })
    }

    /// Whether it holds for a request.
    pub(crate) fn holds(&self, request: &Request<'_>) -> bool {
        let value = request.context.get(&self.key);
        match (self.operator, value) {
            (Operator::Null, value) => self.values.iter().any(|wanted| wanted == "true") == value.is_none(),
            (_, None) => self.negated || self.if_exists,
            (operator, Some(value)) => {
                self.values.iter().any(|wanted| operator.matches(wanted, value)) != self.negated
            }
        }
    }

    /// The same condition once for each of its values, where any of them will do.
    pub(super) fn alternatives(&self) -> Vec<Self> {
        if self.negated || self.operator == Operator::Null {
            return vec![self.clone()];
        }
        let one = |value: &String| Self { values: vec![value.clone()], ..self.clone() };
        self.values.iter().map(one).collect()
    }
}

impl Operator {
    fn matches(self, wanted: &str, value: &str) -> bool {
        match self {
            Self::StringEquals => wanted == value,
            Self::StringEqualsIgnoreCase => wanted.to_lowercase() == value.to_lowercase(),
            Self::StringLike => glob(wanted, value),
            Self::ArnLike => ArnPattern::parse(wanted).is_ok_and(|pattern| pattern.matches(value)),
            Self::Bool | Self::Null => wanted.eq_ignore_ascii_case(value),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let not = if self.negated { "not " } else { "" };
        write!(formatter, "{} is {not}{}", self.key, self.values.join(" or "))
    }
}
