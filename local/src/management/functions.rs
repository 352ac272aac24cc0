//! Lambda's own API: `Invoke`, which waits for the answer, and `GetFunctionConfiguration`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Managed;
use crate::lambda::InvokeError;

pub(super) async fn invoke(
    State(managed): State<Arc<Managed>>,
    Path(function): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers.get("x-amz-invocation-type").map_or(&b"RequestResponse"[..], |kind| kind.as_bytes());
    if kind != b"RequestResponse" {
        return refused(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            "only RequestResponse is here",
        );
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else {
        return refused(StatusCode::BAD_REQUEST, "InvalidRequestContentException", "the payload is no JSON");
    };
    match managed.lambda.invoke(&function, &payload).await.map(|outcome| outcome.result) {
        Ok(Ok(answer)) => ([("x-amz-executed-version", "$LATEST")], Json(answer)).into_response(),
        Ok(Err(error)) => ([("x-amz-function-error", "Unhandled")], Json(error.payload)).into_response(),
        Err(error) => not_invoked(&error),
    }
}

fn not_invoked(error: &InvokeError) -> Response {
    let (status, code) = match error {
        InvokeError::NoSuchFunction(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
        InvokeError::PayloadTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
        InvokeError::Denied(_) => (StatusCode::FORBIDDEN, "AccessDeniedException"),
        InvokeError::ShuttingDown => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException"),
    };
    refused(status, code, &error.to_string())
}

pub(super) async fn configuration(State(managed): State<Arc<Managed>>, Path(name): Path<String>) -> Response {
    let Some(function) = managed.lambda.function(&name) else {
        return not_invoked(&InvokeError::NoSuchFunction(name));
    };
    let configuration = json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Role": function.role,
        "Runtime": "provided.al2023",
        "Handler": function.handler,
        "MemorySize": function.memory_size,
        "Timeout": function.timeout.as_secs(),
        "Environment": {"Variables": function.environment},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    });
    Json(configuration).into_response()
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"Type": "User", "Message": message});
    (status, [("x-amzn-errortype", code)], Json(body)).into_response()
}
