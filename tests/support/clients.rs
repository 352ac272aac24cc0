//! S3, as somebody uses it who is no function.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// A client with the endpoint, the Region and the credentials of this environment.
pub(crate) fn s3_client(environment: &BTreeMap<String, String>) -> Client {
    let of = |name: &str| environment[name].clone();
    let credentials = Credentials::new(
        of("AWS_ACCESS_KEY_ID"),
        of("AWS_SECRET_ACCESS_KEY"),
        Some(of("AWS_SESSION_TOKEN")),
        None,
        "tests",
    );
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .http_client(HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .region(Region::new(of("AWS_REGION")))
        .credentials_provider(credentials)
        .force_path_style(true)
        .endpoint_url(of("AWS_ENDPOINT_URL_S3"));
    Client::from_conf(config.build())
}
