//! CloudFormation, as far as it tells what a stack is: `DescribeStacks` and `DescribeStackResources` of the one stack that
//! there is.
//!
//! The protocol is AWS's query protocol: a form is posted, XML comes back (API reference, `DescribeStacks`, version
//! 2010-05-15). Signatures are not verified, but unsigned requests are refused. Not here:
//! policies, as no function of the stack calls it.

use std::collections::BTreeMap;
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
use crate::template::{Stack, StackResource};

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
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    resources: Vec<StackResource>,
}

impl CloudFormation {
    /// Starts it, with one stack of which nothing but its outputs is known, on a free port of 127.0.0.1.
    pub async fn start(account: &Account, name: &str, outputs: BTreeMap<String, String>) -> io::Result<Self> {
        Self::serve(Deployed::new(account, name, outputs)).await
    }

    /// Starts it, with this stack.
    pub(crate) async fn of(account: &Account, stack: &Stack) -> io::Result<Self> {
        let mut deployed = Deployed::new(account, &stack.name, stack.outputs.clone());
        deployed.parameters.clone_from(&stack.parameters);
        deployed.resources.clone_from(&stack.resources);
        Self::serve(deployed).await
    }

    async fn serve(deployed: Deployed) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
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
    let describe = match parameter("Action") {
        "DescribeStacks" => Deployed::describe,
        "DescribeStackResources" => Deployed::describe_resources,
        action => {
            let message = format!("Could not find operation {action} for version 2010-05-15");
            return refusal(StatusCode::BAD_REQUEST, "InvalidAction", &message);
        }
    };
    match parameter("StackName") {
        "" => xml(StatusCode::OK, describe(&deployed)),
        name if name == deployed.name || name == deployed.id => xml(StatusCode::OK, describe(&deployed)),
        name => {
            let message = format!("Stack with id {name} does not exist");
            refusal(StatusCode::BAD_REQUEST, "ValidationError", &message)
        }
    }
}

impl Deployed {
    /// A stack of which nothing but its outputs is known.
    fn new(account: &Account, name: &str, outputs: BTreeMap<String, String>) -> Self {
        let id = account.arn("cloudformation", &format!("stack/{name}/{}", uuid::Uuid::new_v4()));
        Self {
            name: name.to_owned(),
            id,
            created: Timestamp::now(),
            parameters: BTreeMap::new(),
            outputs,
            resources: Vec::new(),
        }
    }

    fn describe(&self) -> String {
        format!(
            "<DescribeStacksResponse xmlns=\"{NAMESPACE}\"><DescribeStacksResult><Stacks><member>\
             <StackName>{}</StackName><StackId>{}</StackId><CreationTime>{}</CreationTime>\
             <StackStatus>CREATE_COMPLETE</StackStatus><DisableRollback>false</DisableRollback>\
             <Parameters>{}</Parameters><Outputs>{}</Outputs></member></Stacks></DescribeStacksResult>{}\
             </DescribeStacksResponse>",
            escaped(&self.name),
            escaped(&self.id),
            self.created_at(),
            members("Parameter", &self.parameters),
            members("Output", &self.outputs),
            metadata(),
        )
    }

    fn describe_resources(&self) -> String {
        let (name, id, at) = (escaped(&self.name), escaped(&self.id), self.created_at());
        let resources = self.resources.iter().map(|resource| {
            format!(
                "<member><StackName>{name}</StackName><StackId>{id}</StackId>\
                 <LogicalResourceId>{}</LogicalResourceId><PhysicalResourceId>{}</PhysicalResourceId>\
                 <ResourceType>{}</ResourceType><Timestamp>{at}</Timestamp>\
                 <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>",
                escaped(&resource.logical_id),
                escaped(&resource.physical_id),
                escaped(&resource.kind),
            )
        });
        format!(
            "<DescribeStackResourcesResponse xmlns=\"{NAMESPACE}\"><DescribeStackResourcesResult><StackResources>\
             {}</StackResources></DescribeStackResourcesResult>{}</DescribeStackResourcesResponse>",
            resources.collect::<String>(),
            metadata(),
        )
    }

    fn created_at(&self) -> String {
        self.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }
}

/// Keys and values, as members of a list.
fn members(of: &str, pairs: &BTreeMap<String, String>) -> String {
    let members = pairs.iter().map(|(key, value)| {
        let (key, value) = (escaped(key), escaped(value));
        format!("<member><{of}Key>{key}</{of}Key><{of}Value>{value}</{of}Value></member>")
    });
    members.collect()
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
