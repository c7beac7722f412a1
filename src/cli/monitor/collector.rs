use std::fs;
use std::path::Path;

use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

/// An OpenTelemetry collector: where it listens, and what it wants of every message.
pub struct Collector {
    url: Url,
    client: Client,
}

/// How a collector is reached.
pub struct Access<'a> {
    /// Its address.
    pub url: Url,
    /// Headers as `NAME=VALUE,…`, with values in percent-encoding: the form of
    /// `OTEL_EXPORTER_OTLP_HEADERS` in the specification of OpenTelemetry.
    pub headers: Option<&'a str>,
    /// A file of certificates in PEM that are trusted besides those of the system.
    pub ca: Option<&'a Path>,
}

/// Reads an address; one without a path means `/v1/metrics`.
pub fn address(text: &str) -> Result<Url, String> {
    let expected = "expected an address such as `http://127.0.0.1:4318`";
    let mut url: Url = text.parse().map_err(|_| expected.to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(expected.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{expected}, without a user; a token belongs in `--otlp-headers`"));
    }
    if url.path() == "/" {
        url.set_path("/v1/metrics");
    }
    Ok(url)
}

impl Collector {
    /// A client of the collector.
    ///
    /// # Errors
    /// If a header or the file of certificates cannot be used; the message has no value of a header.
    pub fn new(access: Access<'_>) -> Result<Self, String> {
        // An error means that one is installed already, which is as good.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .default_headers(headers(access.headers.unwrap_or_default())?);
        if let Some(ca) = access.ca {
            builder = builder.tls_certs_merge(certificates(ca)?);
        }
        let client = builder.build().map_err(|error| format!("`--otlp`: {}", in_words(error)))?;
        Ok(Self { url: access.url, client })
    }

    /// `collector.example.com:4318`
    pub fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port_or_known_default().map_or(host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If it does not arrive, or is not accepted.
    pub async fn push(&self, body: String) -> Result<(), String> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let status = request.body(body).send().await.map_err(in_words)?.status();
        if status.is_success() { Ok(()) } else { Err(format!("it answered {status}")) }
    }
}

fn headers(text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (index, item) in text.split(',').enumerate().filter(|(_, item)| !item.trim().is_empty()) {
        let refuse = |what: &str| format!("`--otlp-headers`: header {} {what}", index + 1);
        let (name, value) = item
            .split_once('=')
            .ok_or_else(|| refuse("has no `=`; expected `NAME=VALUE`, with commas between"))?;
        let name: HeaderName =
            name.trim().parse().map_err(|_| refuse("has a name that no header can have"))?;
        let value: Vec<u8> = percent_decode_str(value.trim()).collect();
        let mut value = HeaderValue::from_bytes(&value)
            .map_err(|_| refuse("has a value that no header can have"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let refuse = |why: String| format!("`--otlp-ca {}`: {why}", path.display());
    let pem = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem);
    let certificates = certificates.map_err(|error| refuse(in_words(error)))?;
    if certificates.is_empty() {
        return Err(refuse("it has no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}

/// The innermost cause, without the address: that may hold a token.
fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_of_opentelemetry() {
        let read = headers("authorization=Bearer%20a%3Db, x-scope=one=two,").unwrap();
        assert_eq!(read["authorization"], "Bearer a=b");
        assert_eq!(read["x-scope"], "one=two");
        assert!(headers("").unwrap().is_empty());
        for (text, expected) in [
            ("a=1,canary", "header 2 has no `=`"),
            ("a b=canary", "header 1 has a name"),
            ("a=canary%0A", "header 1 has a value"),
        ] {
            let error = headers(text).unwrap_err();
            assert!(error.contains(expected) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn an_address_without_a_path_is_that_of_metrics() {
        for (text, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"),
            ("https://otel.example.com/", "https://otel.example.com/v1/metrics"),
            (
                "https://otel.example.com/otlp/v1/metrics",
                "https://otel.example.com/otlp/v1/metrics",
            ),
            ("http://[::1]:4318", "http://[::1]:4318/v1/metrics"),
        ] {
            assert_eq!(address(text).unwrap().as_str(), url);
        }
        for text in ["collector", "ftp://host", "127.0.0.1:4318", "http://me:canary@host", ""] {
            assert!(!address(text).unwrap_err().contains("canary"));
        }
    }
}
