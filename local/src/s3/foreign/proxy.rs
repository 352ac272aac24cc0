//! Callers' requests, on their way to the other S3 and back.

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use hyper::http::uri::PathAndQuery;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use s3s::{Body, StdError};

use super::{Foreign, operation};
use crate::s3::events::{Created, Origin};
use crate::s3::exchange::{Exchange, locate};

pub(super) type HttpClient<B> = Client<HttpConnector, B>;

/// A client that takes a connection for each request: servers that tests are run against close idle ones at any time.
pub(super) fn client() -> HttpClient<Body> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http()
}

/// A request that makes an object, if it succeeds.
struct Write {
    bucket: String,
    key: String,
    reason: &'static str,
    size: Option<u64>,
    origin: Origin,
}

impl Foreign {
    /// Passes a request on, and gives the answer. The access log learns which operation it is.
    pub(in crate::s3) async fn call(&self, request: Request<Body>) -> Response<Body> {
        let exchange = Exchange::of(request.extensions());
        let (place, bucket, key) = locate(request.uri().path());
        let query = request.uri().query().unwrap_or_default();
        let name = operation::name(request.method(), place, query, request.headers());
        if let Some(name) = name {
            exchange.record.set_operation(name);
        }
        let write = name.filter(|name| CREATING.contains(name)).map(|reason| Write {
            bucket,
            key,
            reason,
            size: content_length(request.headers()),
            origin: exchange.origin(&self.account_id),
        });
        match self.forward(request).await {
            Ok(response) => {
                if let Some(write) = write.filter(|_| response.status().is_success()) {
                    self.tell(&write, response.headers()).await;
                }
                response
            }
            Err(error) => unreachable(&error),
        }
    }

    async fn forward(&self, mut request: Request<Body>) -> Result<Response<Body>, StdError> {
        let mut uri = self.endpoint.clone().into_parts();
        uri.path_and_query = request.uri().path_and_query().cloned().or(Some(PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(uri)?;
        for hop_by_hop in [CONNECTION, TRANSFER_ENCODING, EXPECT] {
            request.headers_mut().remove(hop_by_hop);
        }
        let (mut parts, body) = self.http.request(request).await?.into_parts();
        for hop_by_hop in [CONNECTION, TRANSFER_ENCODING] {
            parts.headers.remove(hop_by_hop);
        }
        let body = if parts.status.is_success() { Body::http_body(body) } else { whole(body).await?.into() };
        Ok(Response::from_parts(parts, body))
    }

    /// Sends the event of an object that was made. What the answer does not say, is asked.
    async fn tell(&self, write: &Write, answer: &HeaderMap) {
        let text = |name| answer.get(name).and_then(|value| value.to_str().ok());
        if let ("PutObject", Some(size), Some(etag)) = (write.reason, write.size, text("etag")) {
            let version_id = text("x-amz-version-id");
            let created = Created { key: &write.key, size, etag: etag.trim_matches('"'), version_id };
            return self.announce(&write.bucket, &created, write.reason, &write.origin);
        }
        match self.head(&write.bucket, &write.key).await {
            Ok(head) => {
                let created = Created {
                    key: &write.key,
                    size: head.content_length().and_then(|size| size.try_into().ok()).unwrap_or_default(),
                    etag: head.e_tag().unwrap_or_default().trim_matches('"'),
                    version_id: head.version_id(),
                };
                self.announce(&write.bucket, &created, write.reason, &write.origin);
            }
            Err(error) => tracing::warn!(%error, key = write.key, "gone before its event could be made"),
        }
    }
}

/// The operations that send an Object Created event, by the name of its `reason`.
const CREATING: [&str; 3] = ["PutObject", "CompleteMultipartUpload", "CopyObject"];

/// The content's length in bytes, without the framing of `aws-chunked`.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let header = headers.get("x-amz-decoded-content-length").or_else(|| headers.get(CONTENT_LENGTH))?;
    header.to_str().ok()?.parse().ok()
}

/// An error's document, which the access log looks into.
async fn whole(body: Incoming) -> Result<Bytes, StdError> {
    Ok(axum::body::to_bytes(axum::body::Body::new(body), usize::MAX).await?)
}

fn unreachable(error: &StdError) -> Response<Body> {
    tracing::error!(%error, "the other S3 cannot be reached");
    let message = format!("the other S3 cannot be reached: {error}");
    let mut response = Response::new(Body::from(Bytes::from(message)));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
