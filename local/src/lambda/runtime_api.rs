//! The Lambda runtime API, version 2018-06-01, one base path for each execution environment.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// Bytes that are read of a response, so that one that is too large can be told from one without an end.
const READ_LIMIT: usize = 64 << 20;

/// What an environment's process asks of or tells Lambda.
#[derive(Debug)]
pub(super) enum Call {
    /// Give me the next event.
    Next(oneshot::Sender<Event>),
    /// The function's answer.
    Response(Report<Bytes>),
    /// The function failed.
    Error(Report<Value>),
    /// The function could not be initialised.
    InitError(Value),
}

/// What came of an invocation.
#[derive(Debug)]
pub(super) struct Report<T> {
    pub(super) request_id: String,
    pub(super) body: T,
    pub(super) verdict: oneshot::Sender<Verdict>,
}

/// What Lambda says to a [`Report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    WrongRequest,
    TooLarge,
}

/// An event on its way to a function.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) deadline_ms: i64,
    pub(super) function_arn: String,
    pub(super) trace_id: String,
    pub(super) payload: Bytes,
}

type Registry = Arc<Mutex<HashMap<String, mpsc::UnboundedSender<Call>>>>;

/// The server.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    environments: Registry,
    server: AbortHandle,
}

/// An environment's base path, until it is dropped.
#[derive(Debug)]
pub(super) struct Registration {
    name: String,
    environments: Registry,
    /// What `AWS_LAMBDA_RUNTIME_API` has to say.
    pub(super) base: String,
}

impl RuntimeApi {
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let environments = Registry::default();
        let router = Router::new()
            .route("/{environment}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{environment}/2018-06-01/runtime/invocation/{request}/response", post(response))
            .route("/{environment}/2018-06-01/runtime/invocation/{request}/error", post(error))
            .route("/{environment}/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(READ_LIMIT))
            .with_state(Arc::clone(&environments));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, environments, server: server.abort_handle() })
    }

    /// Opens a base path; the calls that come in there go to the receiver.
    pub(super) fn register(&self, name: String) -> (Registration, mpsc::UnboundedReceiver<Call>) {
        let (sender, calls) = mpsc::unbounded_channel();
        let base = format!("http://{}/{name}", self.address);
        lock(&self.environments).insert(name.clone(), sender);
        (Registration { name, environments: Arc::clone(&self.environments), base }, calls)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.environments).remove(&self.name);
    }
}

async fn next(State(environments): State<Registry>, Path(environment): Path<String>) -> Response {
    let (reply, event) = oneshot::channel();
    if !call(&environments, &environment, Call::Next(reply)) {
        return gone();
    }
    // The environment may wait here for as long as it lives.
    let Ok(event) = event.await else { return gone() };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", event.function_arn),
        ("lambda-runtime-trace-id", event.trace_id),
    ];
    (headers, event.payload).into_response()
}

async fn response(
    State(environments): State<Registry>,
    Path((environment, request_id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let (verdict, answer) = oneshot::channel();
    let report = Call::Response(Report { request_id, body, verdict });
    answered(call(&environments, &environment, report), answer).await
}

async fn error(
    State(environments): State<Registry>,
    Path((environment, request_id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let (verdict, answer) = oneshot::channel();
    let report = Call::Error(Report { request_id, body: error_payload(&body), verdict });
    answered(call(&environments, &environment, report), answer).await
}

async fn init_error(
    State(environments): State<Registry>,
    Path(environment): Path<String>,
    body: Bytes,
) -> Response {
    if call(&environments, &environment, Call::InitError(error_payload(&body))) { accepted() } else { gone() }
}

fn error_payload(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(
        |_| json!({"errorType": "Runtime.Unknown", "errorMessage": String::from_utf8_lossy(body)}),
    )
}

fn call(environments: &Registry, environment: &str, call: Call) -> bool {
    lock(environments).get(environment).is_some_and(|sender| sender.send(call).is_ok())
}

async fn answered(sent: bool, answer: oneshot::Receiver<Verdict>) -> Response {
    match answer.await {
        Ok(Verdict::Accepted) if sent => accepted(),
        Ok(Verdict::WrongRequest) => refused(StatusCode::BAD_REQUEST, "InvalidRequestID"),
        Ok(Verdict::TooLarge) => refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
        _ => gone(),
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

/// The environment is not there any more: its process is being ended.
fn gone() -> Response {
    refused(StatusCode::FORBIDDEN, "InvalidStateTransition")
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"errorType": error, "errorMessage": error}))).into_response()
}

fn lock(environments: &Registry) -> std::sync::MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Call>>> {
    environments.lock().unwrap_or_else(PoisonError::into_inner)
}
