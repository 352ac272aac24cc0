//! A function as it is deployed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delivery::Recipient;
use crate::iam::Principal;

/// What Lambda knows of a function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in Lambda.
    pub name: String,
    /// Its ARN, without a qualifier.
    pub arn: String,
    /// The ARN of the role in whose name it acts.
    pub role: String,
    /// The cargo binary that is its `bootstrap`.
    pub binary: String,
    /// The variables that it was given; see [`check_variables`].
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take: one second to fifteen minutes.
    pub timeout: Duration,
    /// Megabytes, 128 to 10,240. Told to the function, not enforced.
    pub memory_size: u32,
    /// `bootstrap`, or whatever else the template says.
    pub handler: String,
    /// Where and how it logs.
    pub logging: Logging,
    /// How many of its environments may work at once, if that is limited.
    pub reserved_concurrency: Option<u32>,
    /// What becomes of asynchronous invocations.
    pub asynchronous: EventInvokeConfig,
    /// The queue or topic for events that it could not process (`DeadLetterConfig`).
    pub dead_letter: Option<Recipient>,
    /// What its environments sign their requests with.
    pub credentials: Credentials,
}

impl Function {
    /// As whom it calls AWS, and as whom Lambda acts for it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal::Role { role: self.role.clone(), session: self.name.clone() }
    }
}

/// Where and how a function logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// The log group's name.
    pub group: String,
    /// `AWS_LAMBDA_LOG_FORMAT`.
    pub format: LogFormat,
    /// `AWS_LAMBDA_LOG_LEVEL`, with [`LogFormat::Json`] alone.
    pub level: Option<String>,
}

/// The form of a function's log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object for each line.
    Json,
}

impl LogFormat {
    /// As in `AWS_LAMBDA_LOG_FORMAT` and the template.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Json => "JSON",
        }
    }
}

/// How often an asynchronous invocation is tried, for how long, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventInvokeConfig {
    /// 0 to 2.
    pub maximum_retry_attempts: u32,
    /// One minute to six hours.
    pub maximum_event_age: Duration,
    /// Gets a record of each event that was processed.
    pub on_success: Option<Recipient>,
    /// Gets a record of each event that could not be processed.
    pub on_failure: Option<Recipient>,
}

impl Default for EventInvokeConfig {
    /// Lambda's own: two retries, six hours, nobody is told.
    fn default() -> Self {
        Self {
            maximum_retry_attempts: 2,
            maximum_event_age: Duration::from_hours(6),
            on_success: None,
            on_failure: None,
        }
    }
}

/// Temporary credentials of a function's role. Each function has its own, by which a service tells who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `ASIA…`, 20 characters.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: String,
    /// Any text.
    pub session_token: String,
}

impl Credentials {
    /// Credentials that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        let upper = || fastrand::choose_multiple(('A'..='Z').chain('2'..='7'), 16);
        let text = |length: usize| std::iter::repeat_with(fastrand::alphanumeric).take(length);
        Self {
            access_key_id: "ASIA".chars().chain(upper()).collect(),
            secret_access_key: text(40).collect(),
            session_token: text(120).collect(),
        }
    }
}

/// A function that Lambda would refuse to create.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionConfigError {
    /// A variable that Lambda sets itself.
    #[error("Lambda sets the variable {0} itself")]
    ReservedVariable(String),
    /// A variable's name that Lambda does not take.
    #[error("`{0}` is no name of a variable: letters, digits and underscores, two at least, a letter first")]
    VariableName(String),
    /// More than 4 KB of variables.
    #[error("the variables take {0} bytes, Lambda has room for 4,096")]
    TooManyVariables(usize),
}

/// Reserved names, from <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
const RESERVED: [&str; 16] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// Checks a function's variables as Lambda does.
pub fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), FunctionConfigError> {
    for name in variables.keys() {
        if RESERVED.contains(&name.as_str()) {
            return Err(FunctionConfigError::ReservedVariable(name.clone()));
        }
        let valid = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !valid {
            return Err(FunctionConfigError::VariableName(name.clone()));
        }
    }
    // Lambda counts the map as JSON.
    let size = serde_json::to_string(variables).map_or(0, |json| json.len());
    if size > 4096 { Err(FunctionConfigError::TooManyVariables(size)) } else { Ok(()) }
}
