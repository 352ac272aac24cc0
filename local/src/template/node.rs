//! A value of the template together with its place, so that every complaint can say where.

use serde_json::{Map, Value};

use super::error::{Problem, TemplateError};

/// A resolved value and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) place: String,
    pub(super) value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn new(place: impl Into<String>, value: &'a Value) -> Self {
        Self { place: place.into(), value }
    }

    pub(super) fn fail(&self, problem: impl Into<Problem>) -> TemplateError {
        problem.into().at(self.place.clone())
    }

    fn expected(&self, what: &'static str) -> TemplateError {
        self.fail(Problem::expected(what, self.value))
    }

    /// The value below `key`; a null is as good as none.
    pub(super) fn get(&self, key: &str) -> Result<Option<Self>, TemplateError> {
        let value = self.map()?.get(key).filter(|value| !value.is_null());
        Ok(value.map(|value| Self::new(format!("{}.{key}", self.place), value)))
    }

    pub(super) fn require(&self, key: &'static str) -> Result<Self, TemplateError> {
        self.get(key)?.ok_or_else(|| self.fail(Problem::Missing(key)))
    }

    pub(super) fn map(&self) -> Result<&'a Map<String, Value>, TemplateError> {
        self.value.as_object().ok_or_else(|| self.expected("a map"))
    }

    /// The entries of a map, each with its place.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Self)>, TemplateError> {
        let entries = self.map()?.iter();
        Ok(entries
            .map(|(key, value)| (key.as_str(), Self::new(format!("{}.{key}", self.place), value)))
            .collect())
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, TemplateError> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(i, item)| Self::new(format!("{}[{i}]", self.place), item))
            .collect())
    }

    /// A string; numbers and booleans are turned into strings, as CloudFormation does.
    pub(super) fn string(&self) -> Result<String, TemplateError> {
        scalar_text(self.value).ok_or_else(|| self.expected("a string"))
    }

    /// A whole number, also as a string (which every parameter is), from `min` to `max`.
    pub(super) fn integer(&self, min: i64, max: i64) -> Result<i64, TemplateError> {
        let value = match self.value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.expected("a whole number"))?;
        if (min..=max).contains(&value) {
            Ok(value)
        } else {
            Err(self.fail(Problem::OutOfBounds { value, min, max }))
        }
    }

    /// A boolean, also as a string.
    pub(super) fn boolean(&self) -> Result<bool, TemplateError> {
        match self.value {
            Value::Bool(value) => Ok(*value),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err(self.expected("true or false")),
        }
    }

    /// Refuses every key but those given: a key that nobody reads is a mistake that nobody sees.
    pub(super) fn only(&self, known: &[&[&str]]) -> Result<(), TemplateError> {
        match self.map()?.keys().find(|key| !known.iter().any(|list| list.contains(&key.as_str()))) {
            Some(key) => Err(self.fail(Problem::UnknownKey(key.clone()))),
            None => Ok(()),
        }
    }
}

/// The text of a scalar other than null.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
