//! A service by its address: the contract over reqwest.

mod call;

use std::time::Duration;

use reqwest::{Client, Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CallAddress, CallError, Target};
use crate::protocol::{
    ApplyFromEvaluation, Evaluation, EvaluationContract, ModelProperties, PolicyContract,
    RankRequest, RankResponse, RewardRequest, ServiceConfiguration,
};
use crate::record::FailureKind;
use crate::scenario::plan::{HttpPlan, Secret};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A service by its address.
pub struct HttpTarget {
    client: Client,
    base: Url,
    key: Option<Secret>,
}

impl HttpTarget {
    /// A client of the service at the plan's address. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(plan: &HttpPlan) -> Result<Self, CallError> {
        install_tls();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(plan.timeout)
            .no_proxy()
            .http1_only()
            .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| CallError::of(&error))?;
        Ok(Self { client, base: base_url(plan)?, key: plan.key.clone() })
    }

    /// The address of an operation; every segment is percent-encoded.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("a base that has a path").pop_if_empty().extend(segments);
        url
    }

    async fn get<A: DeserializeOwned>(&self, segments: &[&str]) -> Result<A, CallError> {
        self.ask(Method::GET, segments, None::<&()>).await
    }

    /// Makes a call that answers with a body.
    async fn ask<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: Option<&B>,
    ) -> Result<A, CallError> {
        let bytes = self.send(method, segments, body).await?;
        serde_json::from_slice(&bytes).map_err(|error| call::not_the_contract(&error, &bytes))
    }

    /// Makes a call and returns the body of its answer.
    async fn send<B: Serialize>(
        &self,
        method: Method,
        segments: &[&str],
        body: Option<&B>,
    ) -> Result<Vec<u8>, CallError> {
        let mut request = self.client.request(method, self.url(segments));
        if let Some(Secret(key)) = &self.key {
            request = request.header("Ocp-Apim-Subscription-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        call::answer(request).await.map_err(|error| self.naming(&error))
    }
}

impl HttpTarget {
    /// The failure with the service's origin: scheme, host and port, nothing secret.
    fn naming(&self, error: &CallError) -> CallError {
        let origin = self.base.origin().ascii_serialization();
        CallError { kind: error.kind, message: format!("{origin}: {}", error.message) }
    }
}

impl Target for HttpTarget {
    async fn rank(
        &self,
        _at: CallAddress,
        request: &RankRequest,
    ) -> Result<RankResponse, CallError> {
        self.ask(Method::POST, &["rank"], Some(request)).await
    }

    async fn reward(&self, _at: CallAddress, event_id: &str, value: f64) -> Result<(), CallError> {
        let body = RewardRequest { value };
        self.send(Method::POST, &["events", event_id, "reward"], Some(&body)).await.map(drop)
    }

    async fn activate(&self, event_id: &str) -> Result<(), CallError> {
        self.send(Method::POST, &["events", event_id, "activate"], None::<&()>).await.map(drop)
    }

    async fn model_properties(&self) -> Result<ModelProperties, CallError> {
        self.get(&["model", "properties"]).await
    }

    async fn delete_model(&self) -> Result<(), CallError> {
        self.send(Method::DELETE, &["model"], None::<&()>).await.map(drop)
    }

    async fn delete_logs(&self) -> Result<(), CallError> {
        self.send(Method::DELETE, &["logs"], None::<&()>).await.map(drop)
    }

    async fn configuration(&self) -> Result<ServiceConfiguration, CallError> {
        self.get(&["configurations", "service"]).await
    }

    async fn set_configuration(
        &self,
        configuration: &ServiceConfiguration,
    ) -> Result<ServiceConfiguration, CallError> {
        self.ask(Method::PUT, &["configurations", "service"], Some(configuration)).await
    }

    async fn policy(&self) -> Result<PolicyContract, CallError> {
        self.get(&["configurations", "policy"]).await
    }

    async fn set_policy(&self, policy: &PolicyContract) -> Result<PolicyContract, CallError> {
        self.ask(Method::PUT, &["configurations", "policy"], Some(policy)).await
    }

    async fn delete_policy(&self) -> Result<PolicyContract, CallError> {
        self.ask(Method::DELETE, &["configurations", "policy"], None::<&()>).await
    }

    async fn create_evaluation(
        &self,
        contract: &EvaluationContract,
    ) -> Result<Evaluation, CallError> {
        self.ask(Method::POST, &["evaluations"], Some(contract)).await
    }

    async fn evaluation(&self, id: &str) -> Result<Evaluation, CallError> {
        self.get(&["evaluations", id]).await
    }

    async fn apply_from_evaluation(
        &self,
        evaluation_id: &str,
        policy_name: &str,
    ) -> Result<(), CallError> {
        let body = ApplyFromEvaluation {
            evaluation_id: evaluation_id.to_owned(),
            policy_name: policy_name.to_owned(),
        };
        let segments = ["configurations", "applyFromEvaluation"];
        self.send(Method::POST, &segments, Some(&body)).await.map(drop)
    }

    /// A service keeps its log to itself.
    fn take_joined(&self, _everything: bool) -> Vec<String> {
        Vec::new()
    }
}

/// `{endpoint}/personalizer/{version}`
fn base_url(plan: &HttpPlan) -> Result<Url, CallError> {
    let invalid = |why: String| CallError {
        kind: FailureKind::Connect,
        message: format!("`{}` is not the address of a service: {why}", plan.url),
    };
    let mut url = Url::parse(&plan.url).map_err(|error| invalid(error.to_string()))?;
    let segments = url.path_segments_mut();
    let mut segments = segments.map_err(|()| invalid("it has no path".to_owned()))?;
    segments.pop_if_empty().extend(["personalizer", &plan.api]);
    drop(segments);
    Ok(url)
}

/// reqwest panics without a provider of cryptography, for plain http too.
#[cfg(feature = "tls")]
fn install_tls() {
    // An error means that one is installed already, which is as good.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(not(feature = "tls"))]
fn install_tls() {}
