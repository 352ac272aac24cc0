//! What people ask of AWS about a stack: Lambda, EventBridge, SQS and CloudWatch, by the few operations that the command
//! line calls, at one endpoint.
//!
//! Only people call it, who are administrators: neither signatures nor permissions are looked at. An operation that is not
//! here is answered as by a service that does not know it.
//!
//! - `functions`: Lambda invokes, and tells how a function is set up
//! - `metrics`: CloudWatch, of the metrics that the functions have logged
//! - `json`: EventBridge and SQS, which speak AWS JSON

mod functions;
mod json;
mod metrics;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::delivery::Mailboxes;
use crate::eventbridge::Bus;
use crate::lambda::Lambda;
use crate::template::Stack;

/// The services that can be asked here, by their names in `AWS_ENDPOINT_URL_…`.
const SERVICES: [&str; 4] = ["CLOUDWATCH", "EVENTBRIDGE", "LAMBDA", "SQS"];

/// What can be asked about.
#[derive(Debug)]
pub(crate) struct Managed {
    pub(crate) stack: Stack,
    pub(crate) lambda: Lambda,
    pub(crate) bus: Bus,
    pub(crate) mailboxes: Mailboxes,
}

/// The endpoint. It closes when this is dropped.
#[derive(Debug)]
pub struct Management {
    address: SocketAddr,
    server: AbortHandle,
}

impl Management {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) async fn start(managed: Managed) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/", post(json::answer))
            .route("/2015-03-31/functions/{function}/invocations", post(functions::invoke))
            .route("/2015-03-31/functions/{function}/configuration", get(functions::configuration))
            .route(metrics::PATH, post(metrics::answer))
            .with_state(Arc::new(managed));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, server: server.abort_handle() })
    }

    /// The variables by which an SDK finds it.
    pub(crate) fn endpoints(&self) -> BTreeMap<String, String> {
        let endpoint = |service| (format!("AWS_ENDPOINT_URL_{service}"), format!("http://{}", self.address));
        SERVICES.into_iter().map(endpoint).collect()
    }
}

impl Drop for Management {
    fn drop(&mut self) {
        self.server.abort();
    }
}
