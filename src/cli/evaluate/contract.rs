use std::time::Duration;

use super::Evaluated;
use evaluation::comparison::{Shown, Verdict};
use evaluation::stream::{Player, Source};
use learning_loop::{ONLINE, summary};
use protocol::{
    Evaluation, EvaluationStatus, EvaluationType, PolicyResult, PolicyResultSummary, PolicySource,
};
use timestamp::Timestamp;

/// The evaluation as `GET /evaluations/{evaluationId}` answers it.
pub fn show(evaluated: &Evaluated) -> String {
    let (start_time, end_time) =
        evaluated.account.times.unwrap_or((Timestamp::NEVER, Timestamp::NEVER));
    let id = "offline".to_owned();
    let evaluation = Evaluation {
        job_id: id.clone(),
        id,
        name: "runner evaluate".to_owned(),
        start_time,
        end_time,
        status: EvaluationStatus::Completed,
        policy_results: evaluated.players.iter().map(|player| result(player, end_time)).collect(),
        feature_importance: Vec::new(),
        evaluation_type: Some(EvaluationType::Manual),
        optimal_policy: Some(optimal(evaluated).to_owned()),
        creation_time: None,
    };
    serde_json::to_string_pretty(&evaluation).expect("an evaluation is JSON") + "\n"
}

/// The policy that earns most among those shown to be better than the online one, on the
/// held-out events too where there are any.
fn optimal(evaluated: &Evaluated) -> &str {
    let confidence = evaluated.reading.confidence;
    let is_better = |verdict: &&Verdict| {
        let findings = [Some(&verdict.whole), verdict.held_out.as_ref()];
        findings.into_iter().flatten().all(|found| {
            found.to_online.is_some_and(|compared| compared.shown(confidence) == Shown::Better)
        })
    };
    let learned = evaluated.verdicts.iter().filter(|verdict| verdict.arguments.is_some());
    let value = |verdict: &Verdict| verdict.whole.ips.map_or(f64::MIN, |ips| ips.value);
    let best = learned.filter(is_better).max_by(|a, b| value(a).total_cmp(&value(b)));
    best.map_or(ONLINE, |verdict| &verdict.name)
}

fn result(player: &Player, end: Timestamp) -> PolicyResult {
    let is_online = player.source == Source::Online;
    let shown = |row: PolicyResultSummary| if is_online { summary::observed(row) } else { row };
    PolicyResult {
        name: player.name.clone(),
        arguments: player.policy().map(|policy| policy.arguments().to_owned()),
        policy_source: Some(match player.source {
            Source::Online => PolicySource::Online,
            Source::FirstAction => PolicySource::Baseline,
            Source::AnyAction => PolicySource::Random,
            Source::Given => PolicySource::Custom,
            Source::Discovered => PolicySource::OfflineExperimentation,
        }),
        summary: summary::windows(&player.windows).into_iter().map(shown).collect(),
        total_summary: Some(shown(summary::row(end, Duration::ZERO, &player.whole.aggregate))),
    }
}
