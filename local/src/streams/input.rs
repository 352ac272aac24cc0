//! What requests carry, checked against the service's model (botocore's `gameliftstreams/2018-05-10`).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ServiceError;
use super::session::{ExportStatus, Status};
use super::validation::{Pattern, Violations};

/// A stream group, session or application: an id or an ARN.
pub(super) static IDENTIFIER: Pattern =
    Pattern::new(r"(^[a-zA-Z0-9-]+$)|(^arn:aws:gameliftstreams:([^: ]*):([0-9]{12}):([^: ]*)$)");
static CLIENT_TOKEN: Pattern = Pattern::new(r"[\x21-\x7E]+");
static DESCRIPTION: Pattern = Pattern::new(r"[a-zA-Z0-9-_.!+@/][a-zA-Z0-9-_.!+@/ ]*");
static USER_ID: Pattern = Pattern::new(r"[-_a-zA-Z0-9/=+]*");
static LOCATION: Pattern = Pattern::new(r"[a-zA-Z0-9-]+");
static VARIABLE: Pattern = Pattern::new(r"[_a-zA-Z][_a-zA-Z0-9]*");
static ROLE_ARN: Pattern = Pattern::new(r"arn:aws[a-zA-Z-]*:iam::\d{12}:role/.+");
static OUTPUT_URI: Pattern = Pattern::new(r"s3://.*(/|\.zip|\.ZIP)");

/// The `SignalRequest` with which a session starts without waiting for a browser.
pub const NO_CLIENT_CONNECTION: &str = "NO_CLIENT_CONNECTION";

/// The one `Protocol` that there is.
pub(super) const PROTOCOL: &str = "WebRTC";

/// The body of `StartStreamSession`, with the model's member names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "AWS's own names; their meaning is in the service's documentation")]
pub struct StartStreamSession {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal_request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locations: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_timeout_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_length_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_launch_args: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_environment_variables: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_stats_configuration: Option<PerformanceStatsConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_configuration: Option<DisplayConfiguration>,
}

/// Whether the player's client sees the session's performance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the name says it")]
pub struct PerformanceStatsConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_with_client: Option<bool>,
}

/// The session's virtual monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisplayConfiguration {
    /// Its size.
    pub resolution: Resolution,
}

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Resolution {
    pub width: i64,
    pub height: i64,
}

impl StartStreamSession {
    /// Whether a client means to connect.
    #[must_use]
    pub fn expects_client(&self) -> bool {
        self.signal_request.as_deref() != Some(NO_CLIENT_CONNECTION)
    }

    pub(super) fn validate(&self) -> Result<(), ServiceError> {
        let mut violations = Violations::default();
        let v = &mut violations;
        v.required("protocol", self.protocol.is_some());
        v.required("signalRequest", self.signal_request.is_some());
        v.required("applicationIdentifier", self.application_identifier.is_some());
        v.optional_text("clientToken", self.client_token.as_deref(), 32..=128, Some(&CLIENT_TOKEN));
        v.optional_text("description", self.description.as_deref(), 1..=80, Some(&DESCRIPTION));
        v.optional_one_of("protocol", self.protocol.as_deref(), &[PROTOCOL]);
        v.secret("signalRequest", self.signal_request.as_deref(), 1..=usize::MAX, None);
        v.optional_text(
            "applicationIdentifier",
            self.application_identifier.as_deref(),
            1..=128,
            Some(&IDENTIFIER),
        );
        v.optional_text("userId", self.user_id.as_deref(), 0..=1024, Some(&USER_ID));
        if let Some(locations) = &self.locations {
            v.count("locations", locations.len(), 1..=usize::MAX);
            for location in locations {
                v.text("locations", location, 1..=20, Some(&LOCATION));
            }
        }
        v.number("connectionTimeoutSeconds", self.connection_timeout_seconds, 1..=3600);
        v.number("sessionLengthSeconds", self.session_length_seconds, 1..=86_400);
        v.count("additionalLaunchArgs", self.additional_launch_args.as_ref().map_or(0, Vec::len), 0..=100);
        if let Some(variables) = &self.additional_environment_variables {
            v.count("additionalEnvironmentVariables", variables.len(), 0..=50);
            for (name, value) in variables {
                v.text("additionalEnvironmentVariables", name, 1..=256, Some(&VARIABLE));
                v.secret("additionalEnvironmentVariables", Some(value), 0..=4096, None);
            }
        }
        v.secret("roleArn", self.role_arn.as_deref(), 20..=2048, Some(&ROLE_ARN));
        if let Some(DisplayConfiguration { resolution }) = self.display_configuration {
            v.number("displayConfiguration.resolution.width", Some(resolution.width), 320..=4096);
            v.number("displayConfiguration.resolution.height", Some(resolution.height), 320..=4096);
        }
        violations.into_result()
    }
}

/// The body of `ExportStreamSessionFiles`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ExportStreamSessionFiles {
    pub(super) output_uri: Option<String>,
}

impl ExportStreamSessionFiles {
    /// The checked `OutputUri`.
    pub(super) fn validate(self) -> Result<String, ServiceError> {
        let mut violations = Violations::default();
        violations.required("outputUri", self.output_uri.is_some());
        violations.optional_text("outputUri", self.output_uri.as_deref(), 0..=1024, Some(&OUTPUT_URI));
        violations.into_result()?;
        Ok(self.output_uri.unwrap_or_default())
    }
}

/// The body of `CreateStreamSessionConnection`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CreateStreamSessionConnection {
    client_token: Option<String>,
    signal_request: Option<String>,
}

impl CreateStreamSessionConnection {
    pub(super) fn validate(&self) -> Result<(), ServiceError> {
        let mut violations = Violations::default();
        violations.required("signalRequest", self.signal_request.is_some());
        violations.optional_text("clientToken", self.client_token.as_deref(), 32..=128, Some(&CLIENT_TOKEN));
        violations.secret("signalRequest", self.signal_request.as_deref(), 1..=usize::MAX, None);
        violations.into_result()
    }
}

/// The query of `ListStreamSessions` and `ListStreamSessionsByAccount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) status: Option<Status>,
    pub(super) export_status: Option<ExportStatus>,
    /// Of one page.
    pub(super) max_results: usize,
    pub(super) next_token: Option<String>,
}

impl ListQuery {
    pub(super) fn read(query: &BTreeMap<String, String>) -> Result<Self, ServiceError> {
        const STATUSES: [&str; 8] = [
            "ACTIVATING",
            "ACTIVE",
            "CONNECTED",
            "PENDING_CLIENT_RECONNECTION",
            "RECONNECTING",
            "TERMINATING",
            "TERMINATED",
            "ERROR",
        ];
        let parameter = |name: &str| query.get(name).map(String::as_str);
        let max_results = match parameter("MaxResults").map(str::parse::<i64>) {
            Some(Err(_)) => return Err(ServiceError::Serialization("MaxResults is not an Integer".into())),
            Some(Ok(number)) => Some(number),
            None => None,
        };
        let mut violations = Violations::default();
        violations.optional_one_of("status", parameter("Status"), &STATUSES);
        violations.optional_one_of(
            "exportFilesStatus",
            parameter("ExportFilesStatus"),
            &["SUCCEEDED", "FAILED", "PENDING"],
        );
        violations.number("maxResults", max_results, 1..=100);
        violations.into_result()?;
        Ok(Self {
            status: word(parameter("Status")),
            export_status: word(parameter("ExportFilesStatus")),
            max_results: max_results.and_then(|number| usize::try_from(number).ok()).unwrap_or(25),
            next_token: query.get("NextToken").cloned(),
        })
    }
}

/// One of an enumeration's words.
fn word<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
    serde_json::from_value(Value::from(text?)).ok()
}

/// A request's body as JSON of the given shape.
pub(super) fn body<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, ServiceError> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(bytes).map_err(|error| ServiceError::Serialization(error.to_string()))
}
