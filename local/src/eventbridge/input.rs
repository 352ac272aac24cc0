//! What a target gets of an event: all of it, a part, or something else.

use serde_json::Value;

use super::transformer::Transformer;

/// `Input`, `InputPath` or `InputTransformer` of a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    /// The whole event.
    #[default]
    Event,
    /// Always this JSON text.
    Constant(String),
    /// The part of the event to which these keys lead.
    Path(Vec<String>),
    /// A text that is made of parts of the event.
    Transformed(Transformer),
}

/// An `Input` or `InputPath` that EventBridge would refuse, or that the local cloud does not evaluate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// `Input` has to be JSON.
    #[error("the input is no JSON: {0}")]
    NoJson(String),
    /// EventBridge Scheduler would fill in a context attribute.
    #[error("the local cloud does not fill in `<aws.scheduler.…>`")]
    ContextAttribute,
    /// The template names a variable that is not in the map.
    #[error("the template names <{0}>, which the map of paths does not have")]
    Undefined(String),
    /// Beyond `$` and keys.
    #[error("`{0}` is no path of the form $.detail.name")]
    Path(String),
}

impl Input {
    /// Reads a target's `Input`.
    pub fn constant(text: &str) -> Result<Self, InputError> {
        if text.contains("<aws.scheduler.") {
            return Err(InputError::ContextAttribute);
        }
        serde_json::from_str::<Value>(text).map_err(|error| InputError::NoJson(error.to_string()))?;
        Ok(Self::Constant(text.to_owned()))
    }

    /// Reads a target's `InputPath`: `$`, or keys with dots in between (`$.detail.object`).
    pub fn path(text: &str) -> Result<Self, InputError> {
        steps(text).map(Self::Path)
    }

    /// What the target gets; null where a path leads to nothing.
    #[must_use]
    pub fn of(&self, event: &Value) -> String {
        match self {
            Self::Event => event.to_string(),
            Self::Constant(text) => text.clone(),
            Self::Path(steps) => part(event, steps).unwrap_or(&Value::Null).to_string(),
            Self::Transformed(transformer) => transformer.of(event),
        }
    }
}

pub(super) fn steps(text: &str) -> Result<Vec<String>, InputError> {
    let bad = || InputError::Path(text.to_owned());
    let mut steps = text.split('.');
    if steps.next() != Some("$") {
        return Err(bad());
    }
    let steps: Vec<_> = steps.map(str::to_owned).collect();
    let plain = |step: &String| !step.is_empty() && !step.contains(['[', ']', '*', '@', '?', '(', ' ']);
    if steps.iter().all(plain) { Ok(steps) } else { Err(bad()) }
}

pub(super) fn part<'a>(event: &'a Value, steps: &[String]) -> Option<&'a Value> {
    steps.iter().try_fold(event, |value, step| value.get(step))
}
