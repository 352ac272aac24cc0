//! One request and its answer over HTTP, around what answers it: request id, access log, byte counts.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, CONTENT_RANGE, HeaderValue, RANGE};
use hyper::http::Extensions;
use hyper::{Request, Response, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use s3s::service::S3Service;
use s3s::{Body, HttpError, StdError};
use tokio::time::{Sleep, sleep};

use super::access_log::{AccessLog, AccessLogEntry, Record};
use super::error::Refusal;
use super::events::Origin;
use super::foreign::Foreign;
use super::shape::{Connection, Paced};
use crate::faults::Blow;

/// What S3 knows of a request apart from what it asks for; it travels in the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) record: Arc<Record>,
    peer: SocketAddr,
}

impl Exchange {
    pub(super) fn of(extensions: &Extensions) -> &Self {
        extensions.get().expect("`answer` gives each request an exchange")
    }

    /// Who did it, for events. All callers belong to the account.
    pub(super) fn origin(&self, account_id: &str) -> Origin {
        Origin {
            requester: account_id.to_owned(),
            request_id: self.record.request_id().to_owned(),
            source_ip: self.peer.ip().to_string(),
        }
    }
}

/// What answers requests.
#[derive(Debug, Clone)]
pub(super) enum Service {
    Own(S3Service),
    Foreign(Arc<Foreign>),
}

/// Answers a request and keeps the log of it.
pub(super) async fn answer(
    service: Service,
    log: Arc<AccessLog>,
    shape: Connection,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Counted<Paced<Body>>>, HttpError> {
    let arrival = arrival(&request);
    let record = log.enter(arrival.clone());
    let blow = log.faults.strike(&arrival).await;
    match blow {
        Some(Blow::Reset) => return Err(breaks()),
        Some(Blow::Refuse(refusal)) => {
            let response = refused(refusal);
            record.set_answer(response.status().as_u16(), error_code(&response));
            return Ok(response.map(|body| Counted {
                body: shape.pace(body),
                record,
                count: Record::add_sent,
            }));
        }
        _ => {}
    }
    shape.first_byte().await;
    request.extensions_mut().insert(Exchange { record: Arc::clone(&record), peer });
    let counted = |body| Counted { body, record: Arc::clone(&record), count: Record::add_received };
    let request = request.map(|body| Body::http_body(counted(body)));
    let mut response = match service {
        Service::Own(service) => service.call(request).await?,
        Service::Foreign(foreign) => foreign.call(request).await,
    };
    // s3s sees to that for GET, not for HEAD.
    if response.status() == StatusCode::OK && response.headers().contains_key(CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    record.set_answer(response.status().as_u16(), error_code(&response));
    if let Ok(id) = HeaderValue::from_str(record.request_id()) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Body::empty();
    }
    let response = match blow {
        Some(Blow::Unanswer) => return Err(breaks()),
        Some(Blow::CutOff) => cut_off(response)?,
        _ => response,
    };
    Ok(response.map(|body| Counted { body: shape.pace(body), record, count: Record::add_sent }))
}

/// An answer that a fault gives.
fn refused(refusal: Refusal) -> Response<Body> {
    let (status, code) = refusal.answer();
    let message = "A fault of the local cloud.";
    let document = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = status;
    response
}

/// What makes the server hang up.
fn breaks() -> HttpError {
    HttpError::new(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)))
}

/// The same answer, of which one half of the body arrives.
fn cut_off(response: Response<Body>) -> Result<Response<Body>, HttpError> {
    let declared =
        response.headers().get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let Some(whole @ 1..) = declared.or(HttpBody::size_hint(response.body()).exact()) else {
        return Err(breaks());
    };
    Ok(response.map(|body| {
        Body::http_body_unsync(CutOff { body, left: whole / 2, whole, pause: Box::pin(sleep(PAUSE)) })
    }))
}

/// How long an answer takes at least that breaks off.
const PAUSE: Duration = Duration::from_millis(50);

/// A body that breaks off.
struct CutOff {
    body: Body,
    left: u64,
    whole: u64,
    /// Time for the half to be sent: a connection whose body fails sends no more of what it has.
    pause: Pin<Box<Sleep>>,
}

impl HttpBody for CutOff {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.left == 0 {
            ready!(self.pause.as_mut().poll(context));
            let error = io::Error::from(io::ErrorKind::ConnectionReset);
            return Poll::Ready(Some(Err(error.into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map_ok(|frame| {
            let mut data = frame.into_data().unwrap_or_default();
            data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= data.len() as u64;
            Frame::data(data)
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.whole)
    }
}

/// What is known of a request before anybody has looked at it.
fn arrival(request: &Request<Incoming>) -> AccessLogEntry {
    let (place, bucket, key) = locate(request.uri().path());
    let resource = match place {
        Place::Service => "SERVICE",
        Place::Bucket => "BUCKET",
        Place::Object => "OBJECT",
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    AccessLogEntry {
        time: Timestamp::now(),
        request_id: request_id(),
        operation: format!("REST.{}.{resource}", request.method()),
        bucket: some(bucket),
        key: some(key),
        range: header(request, &RANGE).map(str::to_owned),
        status: None,
        error_code: None,
        bytes_sent: 0,
        bytes_received: 0,
        access_key_id: access_key_id(request),
    }
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Service,
    Bucket,
    Object,
}

/// What a path names, its bucket and its key, decoded.
pub(super) fn locate(path: &str) -> (Place, String, String) {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let place = match (bucket, key) {
        ("", _) => Place::Service,
        (_, "") => Place::Bucket,
        _ => Place::Object,
    };
    (place, bucket.to_owned(), key.to_owned())
}

/// Sixteen capital letters and digits, as S3's.
pub(super) fn request_id() -> String {
    (0..16)
        .map(|_| char::from(*fastrand::choice(b"ABCDEFGHJKMNPQRSTVWXYZ0123456789").unwrap_or(&b'0')))
        .collect()
}

/// The access key in the `Authorization` header or in a presigned URL; boto3 presigns with version 2 unless told
/// otherwise.
fn access_key_id(request: &Request<Incoming>) -> Option<String> {
    let parameter = |name: &str| request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix(name));
    let credential = match header(request, &AUTHORIZATION) {
        Some(value) => value.split_once("Credential=")?.1,
        None => parameter("X-Amz-Credential=").or_else(|| parameter("AWSAccessKeyId="))?,
    };
    let scope = percent_decode_str(credential).decode_utf8().ok()?;
    scope.split('/').next().map(str::to_owned)
}

fn header<'a>(request: &'a Request<Incoming>, name: &hyper::header::HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The code in the error document that s3s has made of an error.
fn error_code(response: &Response<Body>) -> Option<String> {
    let status = response.status();
    if status.is_success() {
        return None;
    }
    let document = response.body().bytes()?;
    let document = std::str::from_utf8(&document).ok()?;
    let (code, _) = document.split_once("<Code>")?.1.split_once("</Code>")?;
    Some(code.to_owned())
}

/// A body whose bytes are counted as they pass.
pub(super) struct Counted<B> {
    body: B,
    record: Arc<Record>,
    count: fn(&Record, u64),
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            (self.count)(&self.record, data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
