//! CloudFormation, as far as it tells what a stack puts out: `DescribeStacks` of the one stack that there is.
//!
//! The protocol is AWS's query protocol: a form is posted, XML comes back (API reference, `DescribeStacks`, version
//! 2010-05-15). Signatures are not verified, but unsigned requests are refused. Not here:
//! policies, as no function of the stack calls it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Router};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::account::Account;

const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// A running CloudFormation. It stops when this is dropped.
#[derive(Debug)]
pub struct CloudFormation {
    address: SocketAddr,
    server: AbortHandle,
}

/// The stack that is there.
#[derive(Debug)]
struct Deployed {
    name: String,
    id: String,
    created: Timestamp,
    outputs: BTreeMap<String, String>,
}

impl CloudFormation {
    /// Starts it, with one stack, on a free port of 127.0.0.1.
    pub async fn start(account: &Account, name: &str, outputs: BTreeMap<String, String>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let id = account.arn("cloudformation", &format!("stack/{name}/{}", uuid::Uuid::new_v4()));
        let deployed = Deployed { name: name.to_owned(), id, created: Timestamp::now(), outputs };
        let router = Router::new().route("/", post(answer)).with_state(Arc::new(deployed));
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { address, server })
    }

    /// For `AWS_ENDPOINT_URL_CLOUDFORMATION`: `http://127.0.0.1:` and a port.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for CloudFormation {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(deployed): State<Arc<Deployed>>,
    headers: HeaderMap,
    Form(parameters): Form<BTreeMap<String, String>>,
) -> Response {
    let parameter = |name: &str| parameters.get(name).map_or("", String::as_str);
    if !headers.contains_key(header::AUTHORIZATION) {
        let message = "Request is missing Authentication Token";
        return refusal(StatusCode::FORBIDDEN, "MissingAuthenticationToken", message);
    }
    match parameter("Action") {
        "DescribeStacks" => match parameter("StackName") {
            "" => xml(StatusCode::OK, deployed.describe()),
            name if name == deployed.name || name == deployed.id => xml(StatusCode::OK, deployed.describe()),
            name => {
                let message = format!("Stack with id {name} does not exist");
                refusal(StatusCode::BAD_REQUEST, "ValidationError", &message)
            }
        },
        action => {
            let message = format!("Could not find operation {action} for version 2010-05-15");
            refusal(StatusCode::BAD_REQUEST, "InvalidAction", &message)
        }
    }
}

impl Deployed {
    fn describe(&self) -> String {
        let mut outputs = String::new();
        for (key, value) in &self.outputs {
            let (key, value) = (escaped(key), escaped(value));
            write!(
                outputs,
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            )
            .ok();
        }
        format!(
            "<DescribeStacksResponse xmlns=\"{NAMESPACE}\"><DescribeStacksResult><Stacks><member>\
             <StackName>{}</StackName><StackId>{}</StackId><CreationTime>{}</CreationTime>\
             <StackStatus>CREATE_COMPLETE</StackStatus><DisableRollback>false</DisableRollback>\
             <Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult>{}</DescribeStacksResponse>",
            escaped(&self.name),
            escaped(&self.id),
            self.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
            metadata(),
        )
    }
}

fn metadata() -> String {
    format!("<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>", uuid::Uuid::new_v4())
}

/// The query protocol's error.
fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let message = escaped(message);
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
        uuid::Uuid::new_v4(),
    );
    xml(status, body)
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
