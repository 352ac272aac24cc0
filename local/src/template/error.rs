//! What can be wrong with a template, and where.

use crate::eventbridge::{InputError, PatternError, ScheduleError};
use crate::iam::PolicyError;
use crate::lambda::FunctionConfigError;

/// A template that CloudFormation would refuse, or that asks for something which the local cloud does not do.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct TemplateError {
    /// The way to it from the top of the template (`Resources.Queue.Properties.QueueName`), or a line.
    pub place: String,
    /// What is wrong there.
    #[source]
    pub problem: Problem,
}

/// What is wrong at one place of a template.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// No YAML, or YAML that CloudFormation does not take.
    #[error("{0}")]
    Yaml(String),
    /// A plain scalar that YAML 1.1, which CloudFormation reads, and YAML 1.2 understand differently.
    #[error("`{0}` means different things to different readers of YAML: quote it")]
    AmbiguousScalar(String),
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// In words.
        expected: &'static str,
        /// The value, as JSON.
        found: String,
    },
    /// A key that has to be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A key that nobody would look at: misspelt, or beyond the local cloud.
    #[error("unknown key `{0}`")]
    UnknownKey(String),
    /// An intrinsic function or YAML tag that CloudFormation does not have, or the local cloud does not evaluate.
    #[error("the intrinsic function `{0}` is unknown here")]
    UnknownIntrinsic(String),
    /// Arguments that the intrinsic function does not take.
    #[error("{function} expects {expected}")]
    Arguments {
        /// For example `Fn::Join`.
        function: &'static str,
        /// In words.
        expected: &'static str,
    },
    /// A name that stands for nothing in this template, or for a resource whose condition is false.
    #[error("`{0}` refers to nothing")]
    Unresolved(String),
    /// A resource for which the local cloud does not know what `Ref` or `Fn::GetAtt` gives.
    #[error("the local cloud does not know `{attribute}` of {kind} (`{resource}`)")]
    UnknownAttribute {
        /// Logical id.
        resource: String,
        /// Resource type.
        kind: String,
        /// `Ref`, or the attribute's name.
        attribute: String,
    },
    /// A resource or condition that depends on itself.
    #[error("`{0}` depends on itself")]
    Circular(String),
    /// A parameter without value or default.
    #[error("the parameter has no default and was given no value")]
    NoValue,
    /// A value was given for a parameter that the template does not have.
    #[error("the template has no such parameter")]
    UnknownParameter,
    /// A parameter's value that its declaration does not allow.
    #[error("the value `{value}` is not allowed: {because}")]
    NotAllowed {
        /// The value.
        value: String,
        /// The declaration's own explanation (`ConstraintDescription`), or the constraint.
        because: String,
    },
    /// Outside the bounds that AWS documents.
    #[error("{value} is not between {min} and {max}")]
    OutOfBounds {
        /// The value.
        value: i64,
        /// The smallest allowed.
        min: i64,
        /// The greatest allowed.
        max: i64,
    },
    /// Something that AWS allows and the local cloud does not do.
    #[error("{0}")]
    Unsupported(&'static str),
    /// Two things of the same name.
    #[error("`{0}` is declared twice")]
    Duplicate(String),
    /// An event pattern that EventBridge would refuse.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A schedule expression that EventBridge would refuse, or that the local cloud does not run.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A target's input that EventBridge would refuse, or that the local cloud does not evaluate.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A policy that IAM would refuse, or that the local cloud does not evaluate.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A function that Lambda would refuse to create.
    #[error(transparent)]
    Function(#[from] FunctionConfigError),
}

impl Problem {
    pub(super) fn at(self, place: impl Into<String>) -> TemplateError {
        TemplateError { place: place.into(), problem: self }
    }

    pub(super) fn expected(expected: &'static str, found: &serde_json::Value) -> Self {
        Self::Type { expected, found: found.to_string() }
    }
}
