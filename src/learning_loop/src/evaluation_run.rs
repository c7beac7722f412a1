use super::evaluation_log::EvaluationLog;
use super::summary;
use evaluation::{self, Log, PolicyTrace};
use learner::LearningPolicy;
use protocol::{BASELINE_POLICY, ONLINE_POLICY, PolicyResult, PolicySource, RANDOM_POLICY};
use timestamp::Timestamp;

/// The policies of an evaluation, in the order of its report.
pub(crate) struct EvaluationRun<'a> {
    log: &'a EvaluationLog,
    policies: Vec<EvaluatedPolicy>,
}

struct EvaluatedPolicy {
    name: String,
    /// The baselines have none.
    arguments: Option<String>,
    source: PolicySource,
    trace: PolicyTrace,
}

impl<'a> EvaluationRun<'a> {
    /// A run with the served policy and the baselines.
    pub fn new(log: &'a EvaluationLog, online: &LearningPolicy) -> Self {
        let arguments = Some(online.arguments().to_owned());
        let mut run = Self { log, policies: Vec::new() };
        run.add(ONLINE_POLICY, arguments, PolicySource::Online, log.online());
        run.add(BASELINE_POLICY, None, PolicySource::Baseline, log.first_action());
        run.add(RANDOM_POLICY, None, PolicySource::Random, log.any_action());
        run
    }

    /// Adds the policies of the request.
    pub fn add_custom(&mut self, policies: &[(String, LearningPolicy)], threads: usize) {
        let learners: Vec<_> = policies.iter().map(|(_, policy)| policy.clone()).collect();
        let traces = evaluation::validate(self.log, &learners, threads);
        for ((name, policy), trace) in policies.iter().zip(traces) {
            let arguments = Some(policy.arguments().to_owned());
            self.add(name, arguments, PolicySource::Custom, trace);
        }
    }

    /// Adds the policies that a search finds, before all others.
    pub fn discover(&mut self, online: &LearningPolicy, threads: usize) {
        let known = std::mem::take(&mut self.policies);
        for found in evaluation::discover(self.log, online, threads) {
            let arguments = Some(found.policy.arguments().to_owned());
            self.add(&found.name, arguments, PolicySource::OfflineExperimentation, found.trace);
        }
        self.policies.extend(known);
    }

    fn add(
        &mut self,
        name: &str,
        arguments: Option<String>,
        source: PolicySource,
        trace: PolicyTrace,
    ) {
        let name = name.to_owned();
        self.policies.push(EvaluatedPolicy { name, arguments, source, trace });
    }

    /// The policy worth applying: the one with the highest lower bound among those that are
    /// convincingly better than the served policy; otherwise the served policy.
    pub fn optimal(&self) -> &str {
        let better = self.policies.iter().filter(|policy| self.convinces(policy));
        let bound = |policy: &EvaluatedPolicy| self.lower_bound(&policy.trace, 0);
        better
            .map(|policy| (bound(policy), &policy.name))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or(ONLINE_POLICY, |(_, name)| name)
    }

    /// Whether the lower bound is above the mean of the served policy. The best of many found
    /// policies is an optimistic choice, so these must also be better on the last fifth of the
    /// events.
    fn convinces(&self, policy: &EvaluatedPolicy) -> bool {
        let events = self.log.len();
        let beats = |from: usize| {
            let online = self.log.online().aggregate(self.log, from..events).mean();
            self.lower_bound(&policy.trace, from) > online
        };
        match policy.source {
            PolicySource::Online | PolicySource::Baseline | PolicySource::Random => false,
            PolicySource::Custom => beats(0),
            PolicySource::OfflineExperimentation => beats(0) && beats(events - events / 5),
        }
    }

    /// The lower end of the interval of the mean over the events from one on.
    fn lower_bound(&self, trace: &PolicyTrace, from: usize) -> f64 {
        let sum = trace.aggregate(self.log, from..self.log.len());
        sum.mean() - sum.half_width()
    }

    /// The report; without events, names and arguments alone.
    pub fn results(&self, end: Timestamp) -> Vec<PolicyResult> {
        self.policies.iter().map(|policy| self.result(policy, end)).collect()
    }

    fn result(&self, policy: &EvaluatedPolicy, end: Timestamp) -> PolicyResult {
        let (log, trace) = (self.log, &policy.trace);
        let online = policy.source == PolicySource::Online;
        let shown = |row| if online { summary::observed(row) } else { row };
        let total = || shown(summary::total(log, trace, end));
        PolicyResult {
            name: policy.name.clone(),
            arguments: policy.arguments.clone(),
            policy_source: Some(policy.source),
            summary: summary::windows(&summary::by_window(log, trace))
                .into_iter()
                .map(shown)
                .collect(),
            total_summary: (!log.is_empty()).then(total),
        }
    }
}
