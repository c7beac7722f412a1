//! The object stores of Amazon, Azure and Google, configured by the environment.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

/// Opens the store of a provider. Sends nothing.
///
/// # Errors
/// When the provider is unknown, or the environment does not configure it.
pub(crate) fn open(scheme: &ObjectStoreScheme, url: Url) -> Opened {
    // Both `rustls` users of this process share one provider; the first installs it.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    match scheme {
        ObjectStoreScheme::AmazonS3 => amazon(url),
        ObjectStoreScheme::MicrosoftAzure => azure(url),
        ObjectStoreScheme::GoogleCloudStorage => google(url),
        other => Err(object_store::Error::Generic {
            store: "object store",
            source: format!("{other:?} is not supported").into(),
        }),
    }
}

/// What the environment says to a kind of store. What is empty is not set: a pipeline hands on
/// secrets that it does not have as empty variables.
fn settings<K: FromStr>(prefix: &'static str) -> impl Iterator<Item = (K, String)> {
    std::env::vars_os().filter_map(move |(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        if value.is_empty() || !name.starts_with(prefix) {
            return None;
        }
        Some((name.to_ascii_lowercase().parse().ok()?, value))
    })
}

type Opened = Result<Arc<dyn ObjectStore>, object_store::Error>;

fn amazon(url: Url) -> Opened {
    let builder = settings("AWS_")
        .fold(AmazonS3Builder::new(), |builder, (key, value)| builder.with_config(key, value));
    Ok(Arc::new(builder.with_url(url).with_retry(retries()).build()?))
}

fn azure(url: Url) -> Opened {
    let mut builder = settings("AZURE_")
        .fold(MicrosoftAzureBuilder::new(), |builder, (key, value)| {
            builder.with_config(key, value)
        });
    // Where the machine is told of its identity.
    if let Ok(endpoint) = std::env::var("IDENTITY_ENDPOINT") {
        builder = builder.with_msi_endpoint(endpoint);
    }
    Ok(Arc::new(builder.with_url(url).with_retry(retries()).build()?))
}

fn google(url: Url) -> Opened {
    let builder = GoogleCloudStorageBuilder::new();
    let builder =
        settings("GOOGLE_").fold(builder, |builder, (key, value)| builder.with_config(key, value));
    Ok(Arc::new(builder.with_url(url).with_retry(retries()).build()?))
}

/// A store that cannot be reached is known to be so before long; one that hiccups is not
/// given up at once.
fn retries() -> RetryConfig {
    RetryConfig { max_retries: 6, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() }
}
