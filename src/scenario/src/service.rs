//! The plan of a service, as a scenario describes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::format::by_default;
use super::model::{HeaderFile, KeepAlive, Path, Paths, ServiceFile, Timeout, TimeoutParts};
use plan::{ConnectionPlan, HttpPlan, Mapping, Operation, Secret, Timeouts};

/// A service of the contract at `url`, reached as usual.
#[must_use]
pub fn usual_service(url: &str) -> HttpPlan {
    let usual = service(&ServiceFile::usual(), None);
    HttpPlan { url: url.trim_end_matches('/').to_owned(), ..usual }
}

/// The service that a scenario describes.
pub(super) fn service(service: &ServiceFile, mapping: Option<Mapping>) -> HttpPlan {
    // What a mapping renders for each call is no header of the plan.
    let is_rendered = |header: &HeaderFile| mapping.is_some() && header.is_template();
    let headers = service.headers.iter().flatten().map(|named| &named.value);
    let headers = headers.filter(|header| !is_rendered(header));
    HttpPlan {
        url: service.url.clone(),
        key: service.key.clone(),
        key_header: service.key_header.clone(),
        api: service.api.value.to_owned(),
        headers: headers.map(|header| header.header.clone()).collect(),
        paths: paths(&service.paths),
        mapping: mapping.map(Arc::new),
        timeouts: timeouts(&service.timeout),
        retries: service.retries,
        connection: connection(service),
    }
}

/// The operations that are elsewhere.
fn paths(paths: &Paths) -> BTreeMap<Operation, Option<String>> {
    let all = [
        (Operation::Rank, &paths.rank),
        (Operation::Reward, &paths.reward),
        (Operation::Activate, &paths.activate),
        (Operation::RankSlots, &paths.rank_slots),
        (Operation::RewardSlots, &paths.reward_slots),
        (Operation::ModelProperties, &paths.model_properties),
        (Operation::Model, &paths.model),
        (Operation::Logs, &paths.logs),
        (Operation::Configuration, &paths.configuration),
        (Operation::Policy, &paths.policy),
        (Operation::Evaluations, &paths.evaluations),
        (Operation::ApplyFromEvaluation, &paths.apply_from_evaluation),
    ];
    let written = all.into_iter().filter_map(|(operation, path)| match path.as_ref()? {
        Path::None => Some((operation, None)),
        Path::At(path) => Some((operation, Some(path.clone()))),
    });
    written.collect()
}

/// A connection takes no longer than the whole call, unless that is asked for.
fn timeouts(timeout: &Timeout) -> Timeouts {
    let usual = by_default::<TimeoutParts>();
    let parts = match timeout {
        Timeout::Whole(whole) => &TimeoutParts { whole: *whole, ..usual },
        Timeout::Parts(parts) => parts,
    };
    let connect = if parts.connect.is_written {
        parts.connect.value
    } else {
        parts.connect.value.min(parts.whole)
    };
    Timeouts { connect, first_byte: parts.first_byte, whole: parts.whole }
}

fn connection(service: &ServiceFile) -> ConnectionPlan {
    ConnectionPlan {
        http2: service.http2,
        proxy: service.proxy.clone(),
        ca: service.ca.as_ref().map(|pem| pem.text().into()),
        client_certificate: service.client_certificate.as_ref().map(|pem| Secret::new(pem.text())),
        most: service.connections,
        keep_alive: match service.keep_alive {
            KeepAlive::For(time) => Some(time),
            KeepAlive::Is(true) => usual_service("").connection.keep_alive,
            KeepAlive::Is(false) => None,
        },
    }
}
