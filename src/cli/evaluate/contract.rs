use std::time::Duration;

use super::importance;
use super::judge::LogEvaluation;
use evaluation::analysis::{PolicyReport, Verdict};
use evaluation::run::{Origin, PolicyEvaluator, PolicySums};
use learning_loop::summary;
use protocol::{
    Evaluation, EvaluationStatus, EvaluationType, ONLINE_POLICY, PolicyResult, PolicyResultSummary,
    PolicySource,
};
use timestamp::Timestamp;

/// The evaluation as `GET /evaluations/{evaluationId}` answers it.
pub fn show(evaluation: &LogEvaluation) -> String {
    let (start_time, end_time) =
        evaluation.found.summary.times.unwrap_or((Timestamp::NEVER, Timestamp::NEVER));
    let policies = &evaluation.found.evaluators;
    let id = "offline".to_owned();
    let answer = Evaluation {
        job_id: id.clone(),
        id,
        name: "runner evaluate".to_owned(),
        start_time,
        end_time,
        status: EvaluationStatus::Completed,
        policy_results: policies
            .iter()
            .map(|policy| result(policy, evaluation.held_out_from.is_some(), end_time))
            .collect(),
        feature_importance: importance::lists(evaluation),
        evaluation_type: Some(EvaluationType::Manual),
        optimal_policy: Some(optimal(evaluation).to_owned()),
        creation_time: None,
    };
    serde_json::to_string_pretty(&answer).expect("an evaluation is JSON") + "\n"
}

/// The policy with the highest lower bound among those shown to be better than the online one; what a
/// search found must be better on the held-out events.
fn optimal(evaluation: &LogEvaluation) -> &str {
    let confidence = evaluation.analysis.confidence;
    let findings = |report: &PolicyReport| match report.origin {
        Origin::Discovered => report.held_out.clone(),
        _ => Some(report.whole.clone()),
    };
    let better = |report: &PolicyReport| {
        let found = findings(report).filter(|_| report.arguments.is_some())?;
        let is_better = found.to_online?.verdict(confidence) == Verdict::Better;
        found.cressie_read.ok().filter(|_| is_better).map(|estimate| estimate.lower)
    };
    let bounds = evaluation.reports.iter().filter_map(|report| Some((better(report)?, report)));
    let best = bounds.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or(ONLINE_POLICY, |(_, report)| &report.name)
}

fn result(policy: &PolicyEvaluator, held_out: bool, end: Timestamp) -> PolicyResult {
    let is_online = policy.origin == Origin::Online;
    let shown = |row: PolicyResultSummary| if is_online { summary::observed(row) } else { row };
    let sums = |sums: &PolicySums| shown(summary::row(end, Duration::ZERO, &sums.aggregate));
    PolicyResult {
        name: policy.name.clone(),
        arguments: policy.policy().map(|policy| policy.arguments().to_owned()),
        policy_source: Some(match policy.origin {
            Origin::Online => PolicySource::Online,
            Origin::FirstAction => PolicySource::Baseline,
            Origin::AnyAction => PolicySource::Random,
            Origin::Given | Origin::Logged => PolicySource::Custom,
            Origin::Discovered => PolicySource::OfflineExperimentation,
        }),
        summary: summary::windows(&policy.windows).into_iter().map(shown).collect(),
        total_summary: Some(sums(&policy.whole)),
        held_out_summary: held_out.then(|| sums(&policy.held_out)),
        failure: None,
    }
}
