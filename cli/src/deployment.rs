//! Which deployment: a stack by name, or a bucket; and the SDK's configuration to reach it.

mod stack;

pub(crate) use stack::{Resource, Stack};

use std::env;

use aws_config::{Region, SdkConfig};
use crash_capture::aws::sdk_loader;
use crash_capture::service::ServiceError;

use crate::captures::Captures;
use crate::failure::Failure;

/// The stack that is meant where nobody names one: the name in `samconfig.example.toml`.
const DEFAULT_STACK: &str = "crash-capture";

/// The stack's output that names its bucket.
pub(crate) const BUCKET_OUTPUT: &str = "CaptureBucketName";

const STACK_VARIABLE: &str = "CRASH_CAPTURE_STACK";
const BUCKET_VARIABLE: &str = "CRASH_CAPTURE_BUCKET";

const STACK_HELP: &str = "The CloudFormation stack [default: $CRASH_CAPTURE_STACK, or crash-capture]";
const BUCKET_HELP: &str =
    "Its bucket, so that the stack is not asked for it [default: $CRASH_CAPTURE_BUCKET]";
const PROFILE_HELP: &str = "The profile of AWS's configuration files [default: $AWS_PROFILE]";
const REGION_HELP: &str = "The stack's Region [default: $AWS_REGION, or the profile's]";

/// Which deployment. Options win over the environment, and a bucket over a stack.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Which deployment")]
pub(crate) struct Deployment {
    /// The CloudFormation stack.
    #[arg(long, global = true, value_name = "NAME", help = STACK_HELP)]
    stack: Option<String>,
    /// Its bucket.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "stack", help = BUCKET_HELP)]
    bucket: Option<String>,
    /// The profile of AWS's configuration files.
    #[arg(long, global = true, value_name = "NAME", help = PROFILE_HELP)]
    profile: Option<String>,
    /// The stack's Region.
    #[arg(long, global = true, value_name = "REGION", help = REGION_HELP)]
    region: Option<String>,
}

impl Deployment {
    /// The SDK's configuration: Region, credentials and endpoints from the options, the environment and AWS's own files.
    pub(crate) async fn sdk_config(&self) -> Result<SdkConfig, Failure> {
        let mut loader = sdk_loader();
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        if config.region().is_none_or(|region| region.as_ref().is_empty()) {
            return Err(Failure::usage(
                "no Region is set: give --region, set AWS_REGION, or choose a profile that has one",
            ));
        }
        Ok(config)
    }

    /// The deployment's captures.
    pub(crate) async fn captures(&self) -> Result<Captures, Failure> {
        let config = self.sdk_config().await?;
        let bucket = match self.named_bucket() {
            Some(bucket) => bucket,
            None => self.describe(&config).await?.output(BUCKET_OUTPUT)?.to_owned(),
        };
        Ok(Captures::new(&config, bucket))
    }

    /// What CloudFormation tells of the stack.
    pub(crate) async fn describe(&self, config: &SdkConfig) -> Result<Stack, Failure> {
        let stack = self.stack();
        let client = aws_sdk_cloudformation::Client::new(config);
        let answer = client.describe_stacks().stack_name(&stack).send().await.map_err(|error| {
            let error = ServiceError::new("DescribeStacks", &error);
            // CloudFormation says it like this (API reference, DescribeStacks).
            if error.code == "ValidationError" && error.message.contains("does not exist") {
                let region = config.region().map_or("", Region::as_ref);
                return Failure::not_found(format!(
                    "there is no stack {stack} in {region}: name it with --stack or {STACK_VARIABLE}, or its bucket \
                     with --bucket or {BUCKET_VARIABLE}"
                ));
            }
            error.into()
        })?;
        Ok(Stack::new(stack, answer.stacks()))
    }

    /// The name of the stack.
    pub(crate) fn stack(&self) -> String {
        self.stack.clone().or_else(|| variable(STACK_VARIABLE)).unwrap_or_else(|| DEFAULT_STACK.to_owned())
    }

    /// The bucket, if it is named itself. A stack that is named as an option is meant, whatever the environment says.
    fn named_bucket(&self) -> Option<String> {
        let from_environment = || if self.stack.is_some() { None } else { variable(BUCKET_VARIABLE) };
        self.bucket.clone().or_else(from_environment)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
