//! Logs of which the right answer is known: exact logs, logs without overlap or exploration,
//! tiny and impossible ones, and those that Vowpal Wabbit judged.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use evaluation::analysis::{Analysis, Doubt, PolicyReport, Verdict};
use evaluation::run::{
    BatchObserver, Candidate, Evaluated, EvaluationRun, Origin, PolicyEvaluator, Rejection, Row,
    RunSettings,
};
use learner::{DropReason, LearningPolicy};
use serde_json::Value;
use statistics::Confidence;
use statistics::off_policy::Unusable;

const POLICY: &str = "--cb_explore_adf --epsilon 0.1";

struct Silent;

impl BatchObserver for Silent {
    fn batch(&mut self, _: &[Row], _: &[PolicyEvaluator]) -> io::Result<()> {
        Ok(())
    }
}

fn run(log: &str, policies: &[&str]) -> Evaluated {
    let candidate = |arguments: &&str| Candidate {
        name: (*arguments).to_owned(),
        policy: LearningPolicy::parse(arguments).unwrap().into(),
        origin: Origin::Given,
        model: None,
    };
    let candidates = policies.iter().map(candidate).collect();
    let settings = RunSettings { threads: 1, ..RunSettings::default() };
    let mut run = EvaluationRun::new(candidates, settings);
    run.read("log", log.as_bytes(), &mut Silent).unwrap();
    run.finish()
}

fn reports(found: &Evaluated) -> Vec<PolicyReport> {
    Analysis::of(&found.summary).reports(&found.evaluators, None)
}

fn verdict(report: &PolicyReport) -> Verdict {
    report.whole.to_online.unwrap().verdict(Confidence::P95)
}

/// A line: the action taken, from zero, and the distribution it was drawn from.
fn line(log: &mut String, action: usize, cost: f64, pmf: &[f64]) {
    let ranking: Vec<usize> =
        std::iter::once(action).chain((0..pmf.len()).filter(|other| *other != action)).collect();
    let probabilities: Vec<f64> = ranking.iter().map(|action| pmf[*action]).collect();
    let ranking: Vec<usize> = ranking.iter().map(|action| action + 1).collect();
    let actions: Vec<String> =
        (0..pmf.len()).map(|action| format!(r#"{{"i":{{"id":"{action}"}}}}"#)).collect();
    writeln!(
        log,
        r#"{{"_label_cost":{cost:?},"_label_probability":{:?},"_labelIndex":{action},"a":{ranking:?},"c":{{"u":{{"x":"a"}},"_multi":[{}]}},"p":{probabilities:?}}}"#,
        pmf[action],
        actions.join(","),
    )
    .unwrap();
}

/// Rewards that have nothing to do with actions.
fn cost(event: usize) -> f64 {
    if event * 7919 % 97 < 33 { -1.0 } else { 0.0 }
}

#[test]
fn exact_uniform_logs_pass_their_own_check() {
    for actions in 2..=50_u32 {
        for digits in [3, 4, 17] {
            let exact = 1.0 / f64::from(actions);
            let scale = 10_f64.powi(digits);
            let logged = if digits == 17 { exact } else { (exact * scale).round() / scale };
            let (mut log, choices) = (String::new(), usize::try_from(actions).unwrap());
            for event in 0..600 {
                line(&mut log, event % choices, cost(event), &vec![logged; choices]);
            }
            let found = run(&log, &[]);
            let summary = &found.summary;
            assert!(!summary.probabilities_are_off(), "{actions} {digits}: {summary:?}");
            for report in reports(&found) {
                let doubts = &report.whole.doubts;
                let is_off =
                    |doubt: &Doubt| matches!(doubt, Doubt::MeanWeight(_) | Doubt::Probabilities);
                assert!(!doubts.iter().any(is_off), "{actions} {digits}: {doubts:?}");
                // The uniform policy wrote the log.
                if report.origin == Origin::AnyAction && digits == 17 {
                    let compared = report.whole.to_online.unwrap().compared.unwrap();
                    assert_eq!((compared.difference.value, compared.p), (0.0, 1.0), "{actions}");
                }
            }
        }
    }
}

#[test]
fn probabilities_that_are_not_those_of_the_actions_leave_no_verdict() {
    let mut log = String::new();
    for event in 0..2000 {
        // Said to be rare, and taken every other time.
        line(&mut log, event % 2, cost(event), &[0.95, 0.05]);
    }
    let found = run(&log, &[POLICY]);
    assert!(found.summary.probabilities_are_off());
    for report in &reports(&found)[1..] {
        assert_eq!(verdict(report), Verdict::NotJudged, "{}", report.name);
    }
}

#[test]
fn a_log_without_exploration_is_not_judged_but_by_its_own_policy() {
    let mut log = String::new();
    (0..200).for_each(|event| line(&mut log, 0, cost(event), &[1.0, 0.0]));
    let found = run(&log, &[POLICY]);
    assert!(!found.summary.probabilities_are_off());
    let reports = reports(&found);
    let [online, first, any, learned] = &reports[..] else { panic!("four policies") };
    assert!(online.whole.to_online.is_none());
    let compared = first.whole.to_online.unwrap().compared.unwrap();
    assert_eq!((compared.difference.value, compared.p), (0.0, 1.0));
    for report in [any, learned] {
        assert_eq!(report.whole.cressie_read, Err(Unusable::NoExploration));
        assert_eq!(verdict(report), Verdict::NotJudged);
    }
}

#[test]
fn without_overlap_there_is_no_verdict() {
    let mut log = String::new();
    (0..200).for_each(|event| line(&mut log, 1, cost(event), &[0.5, 0.5]));
    let reports = reports(&run(&log, &[POLICY]));
    assert_eq!(reports[1].whole.cressie_read, Err(Unusable::NoOverlap));
    assert_eq!(verdict(&reports[1]), Verdict::NotJudged);
    // Of 200 fair choices none was the first action: these probabilities are wrong.
    assert_eq!(verdict(&reports[3]), Verdict::NotJudged);
}

#[test]
fn few_events_get_words() {
    for events in 1..=20 {
        let mut log = String::new();
        (0..events).for_each(|event| line(&mut log, event % 2, -1.0, &[0.5, 0.5]));
        for report in &reports(&run(&log, &[POLICY]))[1..] {
            assert_eq!(verdict(report), Verdict::NotJudged, "{events} {}", report.name);
            assert!(report.whole.to_online.unwrap().reason().is_some());
        }
    }
}

#[test]
fn one_action_is_one_policy() {
    let mut log = String::new();
    (0..200).for_each(|event| line(&mut log, 0, cost(event), &[1.0]));
    for report in &reports(&run(&log, &[POLICY]))[1..] {
        let compared = report.whole.to_online.unwrap().compared.unwrap();
        assert_eq!((compared.difference.value, compared.p), (0.0, 1.0), "{}", report.name);
        assert_eq!(verdict(report), Verdict::NotShown);
    }
}

#[test]
fn impossible_numbers_are_dropped_with_reason_and_place() {
    let mut log = String::new();
    line(&mut log, 0, -1.0, &[1.5, -0.5]);
    line(&mut log, 0, -1.0, &[1e-38, 1.0]);
    line(&mut log, 0, -1e39, &[0.5, 0.5]);
    line(&mut log, 0, -1.0, &[0.0, 1.0]);
    (0..60).for_each(|event| line(&mut log, event % 2, cost(event), &[0.5, 0.5]));
    let found = run(&log, &[POLICY]);
    let dropped: Vec<_> = found
        .summary
        .dropped
        .iter()
        .map(|(reason, lines)| (*reason, lines.count, lines.first.line))
        .collect();
    let line = Rejection::Line;
    assert_eq!(
        dropped,
        [
            (line(DropReason::Probability), 1, 4),
            (line(DropReason::Cost), 1, 3),
            (Rejection::ProbabilityAboveOne, 1, 1),
            (Rejection::ProbabilityTooLow, 1, 2),
        ]
    );
    assert_eq!(found.summary.labelled, 60);
    for report in reports(&found) {
        let estimate = report.whole.cressie_read.unwrap();
        assert!(estimate.lower <= estimate.value && estimate.value <= estimate.upper);
        assert!(report.whole.mle.unwrap().is_finite());
    }
}

/// `fixtures/make_losses.py` asked VW for its average loss, which is printed to six digits.
#[test]
fn propensity_scores_are_minus_the_average_losses_of_vw() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let losses = std::fs::read_to_string(fixtures.join("losses.json")).unwrap();
    let losses: Value = serde_json::from_str(&losses).unwrap();
    for (log, losses) in losses.as_object().unwrap() {
        let text = std::fs::read_to_string(fixtures.join(format!("{log}.dsjson"))).unwrap();
        for (policy, loss) in losses.as_object().unwrap() {
            let reports = reports(&run(&text, &[policy]));
            let ips = reports[3].whole.ips.unwrap().value;
            let loss = loss.as_f64().unwrap();
            assert!((ips + loss).abs() <= 6e-7, "{log}: {policy}: {ips} is not minus {loss}");
        }
    }
}

/// Of every ten events without a reward one was kept: the online policy earned .12, not .6.
#[test]
fn a_thinned_log_is_worth_what_the_whole_log_was() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let text = std::fs::read_to_string(fixtures.join("thinned.dsjson")).unwrap();
    let found = run(&text, &[]);
    let rewarded = text.lines().filter(|line| !line.contains("\"pdrop\"")).map(|_| 1.0);
    let earned: f64 = rewarded.sum();
    let online = reports(&found)[0].whole.cressie_read.unwrap();
    assert!((online.value - earned / found.summary.events).abs() < 1e-6);
    assert!((found.summary.events - 300.0).abs() < 60.0, "{}", found.summary.events);
    assert!(online.value < 0.5);
}

/// Two names for one policy are one comparison, and their p-values are corrected once.
#[test]
fn policies_that_are_one_count_as_one() {
    let mut log = String::new();
    for event in 0..2000 {
        let action = event * 31 % 3;
        let cost = if action == event % 2 { cost(event) } else { 0.0 };
        line(&mut log, action, cost, &[1.0 / 3.0; 3]);
    }
    let once = reports(&run(&log, &[POLICY]));
    let twice = reports(&run(&log, &[POLICY, "--cb_explore_adf --epsilon 0.1 --cb_type mtr"]));
    let p = |report: &PolicyReport| report.whole.to_online.unwrap().p_holm;
    assert_eq!(p(&once[3]), p(&twice[3]));
    assert_eq!(p(&twice[3]), p(&twice[4]));
    assert!(p(&once[3]).is_some());
}
