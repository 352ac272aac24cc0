//! What CloudFormation tells of a stack.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use crash_capture::service::ServiceError;

use crate::failure::Failure;

/// A stack that was deployed.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

/// A resource of a stack.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Its name in the template.
    pub(crate) logical_id: String,
    /// Its name in its service.
    pub(crate) physical_id: String,
}

impl Stack {
    pub(super) fn new(name: String, described: &[aws_sdk_cloudformation::types::Stack]) -> Self {
        let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
        let parameters = described.iter().flat_map(|stack| stack.parameters());
        let outputs = described.iter().flat_map(|stack| stack.outputs());
        Self {
            name,
            parameters: parameters.filter_map(|it| pair(it.parameter_key(), it.parameter_value())).collect(),
            outputs: outputs.filter_map(|it| pair(it.output_key(), it.output_value())).collect(),
        }
    }

    /// What the stack puts out under this name in the template's `Outputs`.
    pub(crate) fn output(&self, name: &str) -> Result<&str, Failure> {
        let Self { name: stack, outputs, .. } = self;
        outputs.get(name).map(String::as_str).ok_or_else(|| {
            Failure::not_found(format!("the stack {stack} has no output {name}: is it one of Crash Capture?"))
        })
    }

    /// A parameter's value; empty where the stack does not have it, as an older one does not have newer ones.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// The stack's resources of a type, such as `AWS::Events::Rule`. CloudFormation tells of a hundred at most; a stack of
    /// ours has about half as many.
    pub(crate) async fn resources(&self, config: &SdkConfig, kind: &str) -> Result<Vec<Resource>, Failure> {
        let request = Client::new(config).describe_stack_resources().stack_name(&self.name);
        let answer =
            request.send().await.map_err(|error| ServiceError::new("DescribeStackResources", &error))?;
        let resources = answer.stack_resources().iter().filter(|it| it.resource_type() == Some(kind));
        let resources = resources.filter_map(|resource| {
            let text = |text: Option<&str>| text.map(ToOwned::to_owned);
            Some(Resource {
                logical_id: text(resource.logical_resource_id())?,
                physical_id: text(resource.physical_resource_id())?,
            })
        });
        Ok(resources.collect())
    }
}
