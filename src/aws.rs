//! The SDK's configuration: Region, credentials and endpoints, and one HTTPS client for all.
//!
//! All clients of a process share it, so that root certificates are read once and connections are pooled together. Each
//! attempt of a call may take 30 s, long enough for an 8 MiB range from S3 on a small function, and the connection 3 s.
//! The SDK makes three attempts.

use std::env;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The configuration on somebody's own machine: profiles, credentials and endpoints from wherever the SDK looks for them.
pub async fn sdk_config() -> SdkConfig {
    sdk_loader().load().await
}

/// The same before it is loaded, for whoever has a word on Region or profile.
#[must_use]
pub fn sdk_loader() -> ConfigLoader {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(client).timeout_config(timeouts())
}

/// The configuration in Lambda, which gives a function Region and credentials in its environment (Lambda developer guide,
/// "Defined runtime environment variables"). `AWS_ENDPOINT_URL`, that of a service (`AWS_ENDPOINT_URL_S3`),
/// `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` count as well.
///
/// Nothing else is looked for: the code that does is a megabyte (docs/decisions/0050).
#[must_use]
pub fn lambda_config() -> SdkConfig {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let flag = |name| env::var(name).ok().map(|value| value.eq_ignore_ascii_case("true"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(client)
        .timeout_config(timeouts())
        .region(env::var("AWS_REGION").ok().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .service_config(Environment);
    config.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    config.build()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(30))
        .build()
}

/// What the environment says of a service: in a variable whose name ends as the service is called, else in one for all of them.
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace([' ', '-'], "_");
        let names = [format!("{}_{service}", key.env()), key.env().to_owned()];
        names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }
}
