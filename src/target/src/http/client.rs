use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy, Request, Response};

use super::answer::Answer;
use super::failed::{CallFailure, LARGEST_ANSWER};
use plan::{HttpPlan, Secret};
use record::FailureKind;

/// A client for what needs more than HTTP/1.1 without TLS.
pub(super) fn client(plan: &HttpPlan) -> Result<Client, CallFailure> {
    install_tls();
    let connection = &plan.connection;
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(plan.timeouts.connect)
        .no_proxy()
        .pool_idle_timeout(connection.keep_alive)
        .pool_max_idle_per_host(if connection.keep_alive.is_some() { usize::MAX } else { 0 });
    builder = match (connection.http2, plan.url.starts_with("https:")) {
        (false, _) => builder.http1_only(),
        (true, false) => builder.http2_prior_knowledge(),
        (true, true) => builder,
    };
    if let Some(proxy) = &connection.proxy {
        let proxy = Proxy::all(proxy.reveal());
        builder = builder.proxy(proxy.map_err(|error| unusable("the proxy", error))?);
    }
    let builder = with_certificates(builder, plan)?;
    builder.build().map_err(|error| unusable("the connection", error))
}

fn with_certificates(
    mut builder: ClientBuilder,
    plan: &HttpPlan,
) -> Result<ClientBuilder, CallFailure> {
    if let Some(pem) = &plan.connection.ca {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes());
        let certificates = certificates.map_err(|error| unusable("the file of `ca`", error))?;
        if certificates.is_empty() {
            let message = "the file of `ca` has no certificate in PEM";
            return Err(CallFailure::new(FailureKind::Tls, message));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(pem) = &plan.connection.client_certificate {
        builder = builder.identity(identity(pem)?);
    }
    Ok(builder)
}

fn identity(pem: &Secret) -> Result<Identity, CallFailure> {
    let identity = Identity::from_pem(pem.reveal().as_bytes());
    identity.map_err(|error| unusable("the client certificate", error))
}

fn unusable(what: &str, error: reqwest::Error) -> CallFailure {
    let mut failed = CallFailure::of(&error.without_url(), FailureKind::Tls);
    failed.error.message = format!("{what} cannot be used: {}", failed.error.message);
    failed
}

/// Sends a request, and waits for the head of its answer.
pub(super) async fn send(client: &Client, request: Request) -> Result<Response, CallFailure> {
    client.execute(request).await.map_err(failed)
}

/// Reads the rest of an answer.
pub(super) async fn answer(response: Response) -> Result<Answer, CallFailure> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(response).await?;
    Ok(Answer { status, headers, body: body.into() })
}

async fn read(mut response: Response) -> Result<Vec<u8>, CallFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed_body)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(CallFailure::large_answer());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Without the address: it is told once, by the target.
fn failed(error: reqwest::Error) -> CallFailure {
    let otherwise = kind_of(&error);
    CallFailure::of(&error.without_url(), otherwise)
}

fn failed_body(error: reqwest::Error) -> CallFailure {
    let otherwise = kind_of(&error);
    CallFailure::of_body(&error.without_url(), otherwise)
}

fn kind_of(error: &reqwest::Error) -> FailureKind {
    if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_connect() {
        FailureKind::Connect
    } else {
        FailureKind::Transport
    }
}

/// reqwest panics without a provider of cryptography, for plain http too.
fn install_tls() {
    // An error means that one is installed already, which is as good.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
