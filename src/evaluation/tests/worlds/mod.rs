//! Logs of which the truth is known, evaluated as `runner evaluate` does.

use std::fmt::Write as _;
use std::io;

use evaluation::analysis::{Analysis, PolicyReport, Verdict};
use evaluation::run::{
    BatchObserver, Candidate, EvaluationRun, Origin, PolicyEvaluator, Row, RunSettings,
};
use learner::LearningPolicy;
use seed::{PhaseKey, Purpose, Seed};

/// How the logging policy explores, and how rewards are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Every action with the same probability.
    WellExplored,
    /// The same, and a reward in 3 of 100 events.
    RareRewards,
    /// A greedy action with 95 %, so that weights go up to 80.
    HeavyWeights,
    /// The first action with 97 %, each other with 1 %.
    RareActions,
    /// One action a context, always.
    NoExploration,
    /// Epsilon-greedy on the means so far, exploring less and less.
    LearningLogger,
}

pub const WORLDS: [World; 6] = [
    World::WellExplored,
    World::RareRewards,
    World::HeavyWeights,
    World::RareActions,
    World::NoExploration,
    World::LearningLogger,
];

/// Whether policies can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Every action earns the same in a context.
    Equal,
    /// The best action of a context earns more than three times the worst.
    Different,
}

const ACTIONS: usize = 4;
const CONTEXTS: usize = 3;

/// What is judged besides the two fixed policies.
const POLICIES: [&str; 3] = [
    "--cb_explore_adf --epsilon 0.1",
    "--cb_explore_adf --epsilon 0.1 -q ui",
    "--cb_explore_adf --epsilon 0 --cb_type ips -q ui",
];

/// A logged event and what its actions earn on average.
struct Event {
    distribution: [f64; ACTIONS],
    means: [f64; ACTIONS],
}

/// What was found of one policy, against the truth.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    pub verdict: Verdict,
    /// What it earns more than the online policy, over the contexts of the log.
    pub truth: f64,
    /// Whether the interval of the difference holds that; none without an interval.
    pub holds: Option<bool>,
}

impl Checked {
    /// Better or worse, and it is not.
    pub fn is_false(&self) -> bool {
        match self.verdict {
            Verdict::Better => self.truth <= 1e-9,
            Verdict::Worse => self.truth >= -1e-9,
            Verdict::NotShown | Verdict::NotJudged => false,
        }
    }
}

impl World {
    pub fn name(self) -> &'static str {
        match self {
            Self::WellExplored => "well explored",
            Self::RareRewards => "rare rewards",
            Self::HeavyWeights => "heavy weights",
            Self::RareActions => "rare actions",
            Self::NoExploration => "no exploration",
            Self::LearningLogger => "a logger that learns",
        }
    }

    fn mean(self, truth: Truth, context: usize, action: usize) -> f64 {
        let level = if self == Self::RareRewards { 0.03 } else { [0.2, 0.3, 0.4][context] };
        match truth {
            Truth::Equal => level,
            Truth::Different => level * [0.5, 0.9, 1.3, 1.7][(action + context) % ACTIONS],
        }
    }

    fn distribution(
        self,
        event: usize,
        context: usize,
        earned: &[(f64, f64); ACTIONS],
    ) -> [f64; ACTIONS] {
        let greedy = |epsilon: f64, best: usize| {
            let mut distribution = [epsilon / 4.0; ACTIONS];
            distribution[best] += 1.0 - epsilon;
            distribution
        };
        match self {
            Self::WellExplored | Self::RareRewards => greedy(1.0, 0),
            Self::HeavyWeights => greedy(0.05, context),
            Self::RareActions => [0.97, 0.01, 0.01, 0.01],
            Self::NoExploration => greedy(0.0, context),
            Self::LearningLogger => {
                let mean = |action: &usize| earned[*action].0 / earned[*action].1.max(1.0);
                let best = (0..ACTIONS).rev().max_by(|a, b| mean(a).total_cmp(&mean(b)));
                #[expect(clippy::cast_precision_loss, reason = "a small number")]
                let epsilon = (20.0 / (event as f64 + 1.0)).clamp(0.1, 1.0);
                greedy(epsilon, best.unwrap_or(0))
            }
        }
    }

    /// A log of so many events.
    fn log(self, truth: Truth, events: usize, seed: u64) -> (String, Vec<Event>) {
        let (mut text, mut known) = (String::new(), Vec::new());
        let mut earned = [[(0.0, 0.0); ACTIONS]; CONTEXTS];
        for event in 0..events {
            let address = PhaseKey::new(self.name());
            let mut draws = Seed(seed).draws(address, event as u64, Purpose::World);
            let context = usize::try_from(draws.below(CONTEXTS as u64)).unwrap();
            let distribution = self.distribution(event, context, &earned[context]);
            let mut rest = draws.unit();
            let found = distribution.iter().position(|probability| {
                rest -= probability;
                rest < 0.0
            });
            let last = distribution.iter().rposition(|probability| *probability > 0.0);
            let action = found.or(last).unwrap();
            let means = std::array::from_fn(|action| self.mean(truth, context, action));
            let cost = if draws.chance(means[action]) { -1.0 } else { 0.0 };
            earned[context][action].0 -= cost;
            earned[context][action].1 += 1.0;
            line(&mut text, context, action, cost, &distribution);
            known.push(Event { distribution, means });
        }
        (text, known)
    }

    /// Every policy of an evaluation of a log, but for the one that wrote it.
    pub fn check(self, truth: Truth, events: usize, seed: u64) -> Vec<Checked> {
        let (text, known) = self.log(truth, events, seed);
        let candidate = |arguments: &&str| Candidate {
            name: (*arguments).to_owned(),
            policy: LearningPolicy::parse(arguments).unwrap().into(),
            origin: Origin::Given,
            model: None,
        };
        let candidates = POLICIES.iter().map(candidate).collect();
        let settings = RunSettings { threads: 1, predictions: true, ..RunSettings::default() };
        let mut run = EvaluationRun::new(candidates, settings);
        let mut truths = Truths { known: &known, sums: Vec::new() };
        run.read("log", text.as_bytes(), &mut truths).unwrap();
        let found = run.finish();
        assert_eq!(found.summary.labelled, events as u64);
        let reports = Analysis::of(&found.summary).reports(&found.evaluators, None);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let truths = truths.sums.iter().map(|sum| sum / events as f64);
        reports.iter().zip(truths).skip(1).map(|(report, truth)| checked(report, truth)).collect()
    }
}

fn checked(report: &PolicyReport, truth: f64) -> Checked {
    let comparison = report.whole.to_online.unwrap();
    let holds = comparison.compared.ok().filter(|_| comparison.doubt.is_none()).map(|compared| {
        let difference = compared.difference;
        difference.lower <= truth + 1e-9 && truth <= difference.upper + 1e-9
    });
    Checked { verdict: comparison.verdict(statistics::Confidence::P95), truth, holds }
}

fn line(text: &mut String, context: usize, action: usize, cost: f64, pmf: &[f64; ACTIONS]) {
    let ranking = std::iter::once(action).chain((0..ACTIONS).filter(|other| *other != action));
    let ranking: Vec<usize> = ranking.collect();
    let actions: Vec<_> = ranking.iter().map(|action| action + 1).collect();
    let probabilities: Vec<_> = ranking.iter().map(|action| pmf[*action]).collect();
    let multi: Vec<_> = (0..ACTIONS).map(|i| format!(r#"{{"i":{{"id":"{i}"}}}}"#)).collect();
    writeln!(
        text,
        r#"{{"_label_cost":{cost},"_label_probability":{},"_labelIndex":{action},"a":{actions:?},"c":{{"u":{{"x":"{context}"}},"_multi":[{}]}},"p":{probabilities:?}}}"#,
        pmf[action],
        multi.join(","),
    )
    .unwrap();
}

/// Adds up what each policy earns more than the one that wrote the log.
struct Truths<'a> {
    known: &'a [Event],
    sums: Vec<f64>,
}

impl BatchObserver for Truths<'_> {
    fn batch(&mut self, rows: &[Row], evaluators: &[PolicyEvaluator]) -> io::Result<()> {
        self.sums.resize(evaluators.len(), 0.0);
        for (position, row) in rows.iter().enumerate() {
            let event = &self.known[usize::try_from(row.index).unwrap()];
            for (sum, policy) in self.sums.iter_mut().zip(evaluators) {
                let pmf = pmf(policy, position, event);
                let gains = pmf.iter().zip(event.distribution).zip(event.means);
                *sum += gains.map(|((ours, logged), mean)| (ours - logged) * mean).sum::<f64>();
            }
        }
        Ok(())
    }
}

fn pmf(policy: &PolicyEvaluator, position: usize, event: &Event) -> [f64; ACTIONS] {
    match policy.origin {
        Origin::Online => event.distribution,
        Origin::FirstAction => std::array::from_fn(|action| if action == 0 { 1.0 } else { 0.0 }),
        Origin::AnyAction => [0.25; ACTIONS],
        Origin::Given | Origin::Discovered | Origin::Logged => {
            let pmf = &policy.pmfs().unwrap()[position].pmf;
            std::array::from_fn(|action| f64::from(pmf[action]))
        }
    }
}
