use super::replay::Replay;
use super::summary;
use evaluation::{self, Log, PolicyTrace};
use learner::LearningPolicy;
use protocol::{PolicyResult, PolicySource};
use timestamp::Timestamp;

/// The policies of an evaluation, in the order of its report.
pub(super) struct Contest<'a> {
    replay: &'a Replay,
    contestants: Vec<Contestant>,
}

struct Contestant {
    name: String,
    /// The baselines are none that could be applied.
    arguments: Option<String>,
    source: PolicySource,
    trace: PolicyTrace,
}

/// The name of the policy that was served.
pub const ONLINE: &str = "online";
pub(super) const BASELINE: &str = "baseline1";
pub(super) const RANDOM: &str = "baselineRand";

impl<'a> Contest<'a> {
    /// What was served, and the baselines.
    pub fn new(replay: &'a Replay, online: &LearningPolicy) -> Self {
        let arguments = Some(online.arguments().to_owned());
        let mut contest = Self { replay, contestants: Vec::new() };
        contest.add(ONLINE, arguments, PolicySource::Online, replay.online());
        contest.add(BASELINE, None, PolicySource::Baseline, replay.first_action());
        contest.add(RANDOM, None, PolicySource::Random, replay.any_action());
        contest
    }

    /// Adds policies that the request names.
    pub fn add_custom(&mut self, policies: &[(String, LearningPolicy)], threads: usize) {
        let learners: Vec<_> = policies.iter().map(|(_, policy)| policy.clone()).collect();
        let traces = evaluation::validate(self.replay, &learners, threads);
        for ((name, policy), trace) in policies.iter().zip(traces) {
            let arguments = Some(policy.arguments().to_owned());
            self.add(name, arguments, PolicySource::Custom, trace);
        }
    }

    /// Adds policies that a search finds; they stand before all others.
    pub fn discover(&mut self, online: &LearningPolicy, threads: usize) {
        let known = std::mem::take(&mut self.contestants);
        for found in evaluation::discover(self.replay, online, threads) {
            let arguments = Some(found.policy.arguments().to_owned());
            self.add(&found.name, arguments, PolicySource::OfflineExperimentation, found.trace);
        }
        self.contestants.extend(known);
    }

    fn add(
        &mut self,
        name: &str,
        arguments: Option<String>,
        source: PolicySource,
        trace: PolicyTrace,
    ) {
        let name = name.to_owned();
        self.contestants.push(Contestant { name, arguments, source, trace });
    }

    /// The policy worth applying: the one with the highest lower bound among those that
    /// are convincingly better than what was served, which is what wins otherwise.
    pub fn optimal(&self) -> &str {
        let better = self.contestants.iter().filter(|contestant| self.convinces(contestant));
        let bound = |contestant: &Contestant| self.lower_bound(&contestant.trace, 0);
        better
            .map(|contestant| (bound(contestant), &contestant.name))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or(ONLINE, |(_, name)| name)
    }

    /// Whether the lower bound is above what was served. The best of many found policies
    /// is an optimistic choice, so that these must also be better on the last fifth of
    /// the events.
    fn convinces(&self, contestant: &Contestant) -> bool {
        let events = self.replay.len();
        let beats = |from: usize| {
            let online = self.replay.online().aggregate(self.replay, from..events).mean();
            self.lower_bound(&contestant.trace, from) > online
        };
        match contestant.source {
            PolicySource::Online | PolicySource::Baseline | PolicySource::Random => false,
            PolicySource::Custom => beats(0),
            PolicySource::OfflineExperimentation => beats(0) && beats(events - events / 5),
        }
    }

    /// The lower end of the interval of the mean over the events from one on.
    fn lower_bound(&self, trace: &PolicyTrace, from: usize) -> f64 {
        let sum = trace.aggregate(self.replay, from..self.replay.len());
        sum.mean() - sum.half_width()
    }

    /// The report; without events, names and arguments alone.
    pub fn results(&self, end: Timestamp) -> Vec<PolicyResult> {
        self.contestants.iter().map(|contestant| self.result(contestant, end)).collect()
    }

    fn result(&self, contestant: &Contestant, end: Timestamp) -> PolicyResult {
        let (replay, trace) = (self.replay, &contestant.trace);
        let online = contestant.source == PolicySource::Online;
        let shown = |row| if online { summary::observed(row) } else { row };
        let total = || shown(summary::total(replay, trace, end));
        PolicyResult {
            name: contestant.name.clone(),
            arguments: contestant.arguments.clone(),
            policy_source: Some(contestant.source),
            summary: summary::windows(&summary::by_window(replay, trace))
                .into_iter()
                .map(shown)
                .collect(),
            total_summary: (!replay.is_empty()).then(total),
        }
    }
}
