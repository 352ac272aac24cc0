//! Every answer of the service, written down as it goes over the wire, for a judge outside of this process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::response::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::calls::Operation;

/// The environment variable that names a folder. If it is set, each process appends its answers to a file of its own
/// there: one JSON object on each line, the first of them the names of all operations.
const ANSWERS: &str = "CRASH_CAPTURE_ANSWERS";

/// The file of this process, of all its clouds.
static FILE: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
    let folder = std::env::var_os(ANSWERS)?;
    let file = open(Path::new(&folder));
    // A judge that saw nothing must not go unnoticed.
    Some(Mutex::new(file.unwrap_or_else(|error| panic!("{ANSWERS} names {}: {error}", folder.display()))))
});

/// The same service, whose answers are written down if somebody wants to see them.
pub(super) fn written_down(router: Router) -> Router {
    match &*FILE {
        Some(file) => router.layer(from_fn(move |request, next| pass(file, request, next))),
        None => router,
    }
}

async fn pass(file: &'static Mutex<File>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let (parts, body) = next.run(request).await.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        // A fault cuts it off: nobody sees the whole of it.
        return Response::from_parts(parts, cut_off());
    };
    let entry = entry(&method, &path, &parts, &body);
    append(&mut file.lock().unwrap_or_else(PoisonError::into_inner), &entry)
        .unwrap_or_else(|error| panic!("an answer cannot be written down: {error}"));
    Response::from_parts(parts, Body::from(body))
}

fn cut_off() -> Body {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>(error)]))
}

fn entry(method: &str, path: &str, parts: &Parts, body: &Bytes) -> Value {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    json!({
        "time": Timestamp::now(),
        "operation": parts.extensions.get::<Operation>().map(|operation| operation.name()),
        "request": format!("{method} {path}"),
        "status": parts.status.as_u16(),
        "headers": {
            CONTENT_TYPE.as_str(): header(CONTENT_TYPE.as_str()),
            "x-amzn-errortype": header("x-amzn-errortype"),
            "x-amzn-requestid": header("x-amzn-requestid"),
        },
        "body": String::from_utf8_lossy(body),
    })
}

fn open(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.jsonl", std::process::id()));
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    append(&mut file, &json!({ "operations": Operation::ALL.map(Operation::name) }))?;
    Ok(file)
}

/// In one write, so that the file holds whole lines whenever the process ends.
fn append(file: &mut File, entry: &Value) -> io::Result<()> {
    file.write_all(format!("{entry}\n").as_bytes())
}
