//! The runtime API, version 2018-06-01 (Lambda developer guide, "Using the Lambda runtime API for custom runtimes").

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::invocation::{FunctionError, Outcome};

/// What a response may weigh, in bytes; a little more than Lambda allows, so that too much can be told apart.
const MAX_BODY: usize = 7 * 1024 * 1024;

/// An event that an environment is to handle.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request_id: String,
    pub(super) function_arn: String,
    /// Milliseconds since the epoch.
    pub(super) deadline: i64,
    pub(super) payload: String,
    /// Where the outcome goes.
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// The runtime APIs of all environments, on one port.
#[derive(Debug, Clone)]
pub(super) struct RuntimeApi {
    desks: Desks,
    port: u16,
    next: Arc<AtomicU64>,
}

type Desks = Arc<Mutex<BTreeMap<u64, Arc<Desk>>>>;

/// One environment's runtime API.
#[derive(Debug)]
struct Desk {
    jobs: tokio::sync::Mutex<mpsc::Receiver<Job>>,
    current: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
}

impl RuntimeApi {
    pub(super) async fn serve() -> io::Result<(Self, JoinHandle<()>)> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let desks = Desks::default();
        let router = Router::new()
            .route("/{environment}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{environment}/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/{environment}/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/{environment}/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(desks.clone());
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Ok((Self { desks, port, next: Arc::default() }, server))
    }

    /// Opens the runtime API of a new environment: its number, where jobs go in, and its `AWS_LAMBDA_RUNTIME_API`.
    pub(super) fn open(&self) -> (u64, mpsc::Sender<Job>, String) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel(1);
        let desk = Desk { jobs: tokio::sync::Mutex::new(receiver), current: Mutex::default() };
        lock(&self.desks).insert(number, Arc::new(desk));
        // With a path, the runtime client needs the scheme.
        (number, sender, format!("http://127.0.0.1:{}/{number}", self.port))
    }

    /// Closes the runtime API of an environment that is gone.
    pub(super) fn close(&self, number: u64) {
        lock(&self.desks).remove(&number);
    }
}

impl Desk {
    /// Completes the invocation that is under way, if it is the one that is meant.
    fn complete(&self, request_id: &str, outcome: Outcome) -> Response {
        let mut current = lock(&self.current);
        match current.take_if(|(id, _)| id == request_id) {
            Some((_, reply)) => {
                reply.send(outcome).ok();
                StatusCode::ACCEPTED.into_response()
            }
            None => (StatusCode::BAD_REQUEST, r#"{"errorType":"InvalidRequestID"}"#).into_response(),
        }
    }
}

async fn next(State(desks): State<Desks>, Path(environment): Path<u64>) -> Response {
    let Some(desk) = desk(&desks, environment) else { return StatusCode::NOT_FOUND.into_response() };
    let job = desk.jobs.lock().await.recv().await;
    let Some(Job { request_id, function_arn, deadline, payload, reply }) = job else {
        return StatusCode::GONE.into_response();
    };
    *lock(&desk.current) = Some((request_id.clone(), reply));
    let trace = format!("Root=1-{:08x}-{};Sampled=0", deadline / 1000, "0".repeat(24));
    let headers = [
        ("lambda-runtime-aws-request-id", request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", function_arn),
        ("lambda-runtime-trace-id", trace),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, payload).into_response()
}

async fn response(
    State(desks): State<Desks>,
    Path((environment, id)): Path<(u64, String)>,
    body: Bytes,
) -> Response {
    let Some(desk) = desk(&desks, environment) else { return StatusCode::NOT_FOUND.into_response() };
    let outcome = if body.len() > super::MAX_SYNCHRONOUS {
        let message =
            format!("Response payload size ({} bytes) exceeded maximum allowed payload size", body.len());
        Outcome::Failed(FunctionError::new("Function.ResponseSizeTooLarge", message))
    } else {
        match serde_json::from_slice::<Value>(&body) {
            Ok(answer) => Outcome::Answered(answer),
            Err(error) => Outcome::Failed(FunctionError::new("Runtime.InvalidResponse", error.to_string())),
        }
    };
    desk.complete(&id, outcome)
}

async fn error(
    State(desks): State<Desks>,
    Path((environment, id)): Path<(u64, String)>,
    body: Bytes,
) -> Response {
    let Some(desk) = desk(&desks, environment) else { return StatusCode::NOT_FOUND.into_response() };
    desk.complete(&id, Outcome::Failed(reported(&body)))
}

/// The process gives up before it has taken an event: the one that waits for it fails with this.
async fn init_error(State(desks): State<Desks>, Path(environment): Path<u64>, body: Bytes) -> Response {
    let Some(desk) = desk(&desks, environment) else { return StatusCode::NOT_FOUND.into_response() };
    if let Some(job) = desk.jobs.lock().await.recv().await {
        job.reply.send(Outcome::Failed(reported(&body))).ok();
    }
    StatusCode::ACCEPTED.into_response()
}

fn reported(body: &[u8]) -> FunctionError {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| FunctionError::new("Runtime.Unknown", String::from_utf8_lossy(body)))
}

fn desk(desks: &Desks, environment: u64) -> Option<Arc<Desk>> {
    lock(desks).get(&environment).cloned()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
