//! Which account, which region, and how is AWS spoken to?

use aws_config::BehaviorVersion;
pub use aws_config::SdkConfig;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// What the environment says, as every SDK of AWS reads it: the region, an endpoint if another one is to
/// be spoken to, and where credentials come from. Connections are [`http_client`]'s.
///
/// Credentials are looked for when the first call is made, so nothing fails here.
///
/// ```no_run
/// # async fn begin() {
/// let config = bursar_aws::load_config().await;
/// assert!(config.region().is_some(), "set AWS_REGION");
/// # }
/// ```
pub async fn load_config() -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    loader.http_client(http_client()).load().await
}

/// Connections whose TLS is rustls with ring and the certificates of the operating system. A
/// [`SdkConfig`] that is made by hand needs one: without it no call can be made, since the SDK's own is
/// left out for its aws-lc.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}
