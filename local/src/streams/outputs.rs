//! Sessions as the service's answers show them, in the form of its model.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::account::Account;

use super::session::{ExportFiles, StreamSession};

/// `GetStreamSessionOutput`, and `StartStreamSessionOutput`, which is the same.
pub(super) fn session(session: &StreamSession, account: &Account) -> Value {
    let request = &session.request;
    present(json!({
        "Arn": account.arn("gameliftstreams", &session.id.resource()),
        "Description": request.description,
        "StreamGroupId": session.id.stream_group_id,
        "UserId": request.user_id,
        "Status": session.status,
        "StatusReason": session.status_reason,
        "Protocol": request.protocol,
        "Location": session.location,
        "SignalRequest": request.signal_request,
        "ConnectionTimeoutSeconds": session.connection_timeout.as_secs(),
        "SessionLengthSeconds": session.session_length.as_secs(),
        "AdditionalLaunchArgs": request.additional_launch_args,
        "AdditionalEnvironmentVariables": request.additional_environment_variables,
        "PerformanceStatsConfiguration": request.performance_stats_configuration,
        "LastUpdatedAt": epoch_seconds(session.last_updated_at),
        "CreatedAt": epoch_seconds(session.created_at),
        "ApplicationArn": application_arn(session, account),
        "ExportFilesMetadata": session.export,
        "RoleArn": request.role_arn,
        "DisplayConfiguration": request.display_configuration,
    }))
}

/// A `StreamSessionSummary` of `ListStreamSessions`.
pub(super) fn summary(session: &StreamSession, account: &Account) -> Value {
    summary_with(session, account, &json!(session.export))
}

/// A `StreamSessionSummary` of `ListStreamSessionsByAccount`: "`ExportFilesMetadata` only shows the `Status` value".
pub(super) fn account_summary(session: &StreamSession, account: &Account) -> Value {
    let status = session.export.as_ref().map(|ExportFiles { status, .. }| json!({ "Status": status }));
    summary_with(session, account, &json!(status))
}

fn summary_with(session: &StreamSession, account: &Account, export: &Value) -> Value {
    present(json!({
        "Arn": account.arn("gameliftstreams", &session.id.resource()),
        "UserId": session.request.user_id,
        "Status": session.status,
        "StatusReason": session.status_reason,
        "Protocol": session.request.protocol,
        "LastUpdatedAt": epoch_seconds(session.last_updated_at),
        "CreatedAt": epoch_seconds(session.created_at),
        "ApplicationArn": application_arn(session, account),
        "ExportFilesMetadata": export,
        "Location": session.location,
        "RoleArn": session.request.role_arn,
    }))
}

fn application_arn(session: &StreamSession, account: &Account) -> String {
    account.arn("gameliftstreams", &format!("application/{}", session.application_id))
}

/// A timestamp as rest-json has it: seconds since 1970, with milliseconds.
fn epoch_seconds(time: Timestamp) -> f64 {
    let milliseconds = u64::try_from(time.as_millisecond()).unwrap_or(0);
    Duration::from_millis(milliseconds).as_secs_f64()
}

/// Without the members that have no value, which the service leaves out.
fn present(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}
