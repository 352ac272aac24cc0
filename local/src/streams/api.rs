//! The service's REST API: the one way that every request takes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers;
use super::calls::{Arrival, CallRecord, Caller, Operation};
use super::cloudtrail;
use super::error::ServiceError;
use super::input::{
    self, CreateStreamSessionConnection, ExportStreamSessionFiles, IDENTIFIER, ListQuery, StartStreamSession,
};
use super::operations;
use super::outputs;
use super::service::Service;
use super::session::StreamSession;
use super::validation::Violations;
use crate::faults::Blow;

/// A request for one of the service's operations.
#[derive(Debug)]
struct Call {
    operation: Operation,
    /// The stream group's identifier; empty where the operation is on the whole account.
    group: String,
    /// The session's identifier; empty where the operation is not on one.
    session: String,
    caller: Result<Caller, ServiceError>,
    query: BTreeMap<String, String>,
    body: Bytes,
}

/// All operations.
pub(super) fn router(service: Arc<Service>) -> Router {
    let mut router = Router::new();
    for operation in Operation::ALL {
        let (method, path, _) = operation.route();
        let Ok(method) = MethodFilter::try_from(method) else { continue };
        let handler = async move |State(service): State<Arc<Service>>,
                                  Path(mut path): Path<HashMap<String, String>>,
                                  Query(query): Query<BTreeMap<String, String>>,
                                  headers: HeaderMap,
                                  body: Bytes| {
            let group = path.remove("group").unwrap_or_default();
            let session = path.remove("session").unwrap_or_default();
            let caller = Caller::read(&headers);
            let arrival = Arrival { operation, identifiers: [group.clone(), session.clone()] };
            let blow = service.faults.strike(&arrival).await;
            answer(&service, &Call { operation, group, session, caller, query, body }, blow)
        };
        router = router.route(path, on(method, handler));
    }
    let router = router
        .fallback(async || response(&Err(ServiceError::UnknownOperation), StatusCode::OK))
        .method_not_allowed_fallback(async || response(&Err(ServiceError::UnknownOperation), StatusCode::OK));
    answers::written_down(router.with_state(service))
}

/// Admits a call, performs it unless a fault stands against that, notes it, and answers it.
fn answer(service: &Arc<Service>, call: &Call, blow: Option<Blow<ServiceError>>) -> Response {
    let breaks = matches!(blow, Some(Blow::Reset | Blow::Unanswer | Blow::CutOff));
    let outcome = admit(service, call).and_then(|caller| match blow {
        Some(Blow::Refuse(error)) => Err(error),
        Some(Blow::Reset) => Err(ServiceError::InternalServer("the connection breaks".into())),
        _ => perform(service, call, caller),
    });
    let identifiers = [&call.group, &call.session].into_iter().filter(|id| !id.is_empty()).cloned().collect();
    let caller = call.caller.as_ref().ok();
    note(service, call.operation, identifiers, caller, parameters(call), &outcome);
    let mut response = response(&outcome, call.operation.route().2);
    if breaks {
        response = broken(response);
    }
    response.extensions_mut().insert(call.operation);
    response
}

/// An answer of which the head arrives, and nothing more: without a head, axum answers nothing.
fn broken(response: Response) -> Response {
    let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    response.map(|_| Body::from_stream(stream::iter([Err::<Bytes, _>(error)])))
}

/// Writes an answered call into the call log and the trail.
pub(super) fn note(
    service: &Arc<Service>,
    operation: Operation,
    identifiers: Vec<String>,
    caller: Option<&Caller>,
    parameters: Value,
    outcome: &Result<Value, ServiceError>,
) {
    let (_, _, success) = operation.route();
    service.calls().push(CallRecord {
        time: Timestamp::now(),
        operation,
        identifiers,
        status: outcome.as_ref().map_or_else(ServiceError::status, |_| success).as_u16(),
        error_code: outcome.as_ref().err().map(ServiceError::code),
        access_key_id: caller.map(|caller| caller.access_key_id.clone()),
    });
    if let Some(caller) = caller {
        cloudtrail::record(service, operation, caller, parameters, outcome);
    }
}

/// Notes a start from within this process as the call that it stands for.
pub(super) fn note_start(
    service: &Arc<Service>,
    caller: &Caller,
    group: String,
    request: &StartStreamSession,
    started: &Result<StreamSession, ServiceError>,
) {
    let outcome = started.as_ref().map(|session| outputs::session(session, &service.account));
    let mut parameters = json!(request);
    parameters["Identifier"] = group.as_str().into();
    let outcome = outcome.map_err(Clone::clone);
    note(service, Operation::StartStreamSession, vec![group], Some(caller), parameters, &outcome);
}

/// Whether the caller may call this operation on this stream group: the one type of resource that the service has for
/// sessions. `StartStreamSession` is on the application too.
fn admit<'a>(service: &Service, call: &'a Call) -> Result<&'a Caller, ServiceError> {
    let caller = call.caller.as_ref().map_err(Clone::clone)?;
    let principal = service.iam.principal(&caller.access_key_id);
    let arn = |kind: &str, identifier: &str| match identifier {
        "" => "*".to_owned(),
        arn if arn.starts_with("arn:") => arn.to_owned(),
        id => service.account.arn("gameliftstreams", &format!("{kind}/{id}")),
    };
    let mut resources = vec![arn("streamgroup", &call.group)];
    if call.operation == Operation::StartStreamSession {
        let parameters = parameters(call);
        resources.push(arn("application", parameters["ApplicationIdentifier"].as_str().unwrap_or_default()));
    }
    let action = format!("gameliftstreams:{}", call.operation.name());
    for resource in &resources {
        let authorized = service.iam.authorize(&principal, &action, resource, &[]);
        authorized.map_err(|denied| ServiceError::AccessDenied(denied.to_string()))?;
    }
    Ok(caller)
}

/// Performs an operation. Its answer is null where it has no body.
fn perform(service: &Arc<Service>, call: &Call, caller: &Caller) -> Result<Value, ServiceError> {
    check_identifiers(call)?;
    let entry = || service.remembered(&call.group, &call.session);
    match call.operation {
        Operation::StartStreamSession => {
            let started = service.start(&call.group, input::body(&call.body)?, Duration::ZERO)?;
            Ok(outputs::session(&started, &service.account))
        }
        Operation::GetStreamSession => {
            Ok(outputs::session(&service.switches.shown(&*entry()?), &service.account))
        }
        Operation::ListStreamSessions => {
            let books = service.books();
            let group = &books.group(&service.account, &call.group)?.group.id;
            let page = books.page(Some(group), &ListQuery::read(&call.query)?, &service.switches)?;
            Ok(list(page, |session| outputs::summary(session, &service.account)))
        }
        Operation::ListStreamSessionsByAccount => {
            let page = service.books().page(None, &ListQuery::read(&call.query)?, &service.switches)?;
            Ok(list(page, |session| outputs::account_summary(session, &service.account)))
        }
        Operation::TerminateStreamSession => {
            operations::terminate(&*entry()?)?;
            Ok(Value::Null)
        }
        Operation::ExportStreamSessionFiles => {
            let output_uri = input::body::<ExportStreamSessionFiles>(&call.body)?.validate()?;
            service.export(&*entry()?, &output_uri, &caller.access_key_id)?;
            Ok(json!({}))
        }
        Operation::CreateStreamSessionConnection => {
            input::body::<CreateStreamSessionConnection>(&call.body)?.validate()?;
            Ok(json!({ "SignalResponse": operations::connect(&*entry()?)? }))
        }
    }
}

fn check_identifiers(call: &Call) -> Result<(), ServiceError> {
    let mut violations = Violations::default();
    for (member, identifier) in [("identifier", &call.group), ("streamSessionIdentifier", &call.session)] {
        let given = Some(identifier.as_str()).filter(|identifier| !identifier.is_empty());
        violations.optional_text(member, given, 1..=128, Some(&IDENTIFIER));
    }
    violations.into_result()
}

fn list(
    (sessions, next): (Vec<StreamSession>, Option<String>),
    item: impl Fn(&StreamSession) -> Value,
) -> Value {
    let items: Vec<Value> = sessions.iter().map(item).collect();
    match next {
        Some(token) => json!({ "Items": items, "NextToken": token }),
        None => json!({ "Items": items }),
    }
}

/// The request's members by name, from its path and its body.
fn parameters(call: &Call) -> Value {
    let mut parameters =
        serde_json::from_slice(&call.body).ok().filter(Value::is_object).unwrap_or_else(|| json!({}));
    for (member, identifier) in [("Identifier", &call.group), ("StreamSessionIdentifier", &call.session)] {
        if !identifier.is_empty() {
            parameters[member] = identifier.as_str().into();
        }
    }
    parameters
}

/// An answer in the form of rest-json.
fn response(outcome: &Result<Value, ServiceError>, success: StatusCode) -> Response {
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = match outcome {
        Ok(Value::Null) => success.into_response(),
        Ok(body) => (success, axum::Json(body)).into_response(),
        Err(error) => {
            let body = json!({ "Message": error.to_string() });
            let code = HeaderValue::from_static(error.code());
            (error.status(), [("x-amzn-ErrorType", code)], axum::Json(body)).into_response()
        }
    };
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-RequestId", request_id);
    }
    response
}
