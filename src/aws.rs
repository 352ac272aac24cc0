//! The SDK's configuration: Region, credentials and endpoints from the environment, and one HTTPS client for all.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Loads the configuration that every client of a process shares, so that root certificates are read once and
/// connections are pooled together.
///
/// Each attempt of a call may take 30 s, long enough for an 8 MiB range from S3 on a small function, and the connection
/// 3 s. The SDK makes three attempts.
pub async fn sdk_config() -> SdkConfig {
    sdk_loader().load().await
}

/// The same before it is loaded, for whoever has a word on Region or profile.
#[must_use]
pub fn sdk_loader() -> ConfigLoader {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(30))
        .build();
    aws_config::defaults(BehaviorVersion::latest()).http_client(client).timeout_config(timeouts)
}
