use super::configuration::default_arguments;
use super::evaluation_log::EvaluationLog;
use super::summary;
use evaluation::{self, Log, PolicyTrace};
use policy::Policy;
use protocol::{BASELINE_POLICY, ONLINE_POLICY, PolicyResult, PolicySource, RANDOM_POLICY};
use timestamp::Timestamp;

/// The policies of an evaluation, in the order of its report.
pub(crate) struct EvaluationRun<'a> {
    log: &'a EvaluationLog,
    policies: Vec<EvaluatedPolicy>,
    /// The first event that the search has not seen; `None` without a search.
    held_out_from: Option<usize>,
}

struct EvaluatedPolicy {
    name: String,
    /// The baselines have none.
    arguments: Option<String>,
    source: PolicySource,
    /// What it would have done, or why it was not judged.
    trace: Result<PolicyTrace, String>,
}

impl<'a> EvaluationRun<'a> {
    /// A run with the served policy and the baselines.
    pub fn new(log: &'a EvaluationLog, online: &Policy) -> Self {
        let arguments = Some(online.arguments().to_owned());
        let mut run = Self { log, policies: Vec::new(), held_out_from: None };
        run.add(ONLINE_POLICY, arguments, PolicySource::Online, Ok(log.online()));
        run.add(BASELINE_POLICY, None, PolicySource::Baseline, Ok(log.first_action()));
        run.add(RANDOM_POLICY, None, PolicySource::Random, Ok(log.any_action()));
        run
    }

    /// Adds the policies of the request. One that cannot be replayed is not judged, and ends no
    /// other.
    pub fn add_custom(&mut self, policies: &[(String, Policy)], threads: usize) {
        let all: Vec<Policy> = policies.iter().map(|(_, policy)| policy.clone()).collect();
        let traces = evaluation::validate(self.log, &all, threads);
        for ((name, policy), trace) in policies.iter().zip(traces) {
            let arguments = Some(policy.arguments().to_owned());
            let failed = |(index, cause)| match self.log.event_id(index) {
                Some(id) => format!("event `{id}`: {cause}"),
                None => format!("{cause}"),
            };
            let trace = trace.map_err(failed);
            self.add(name, arguments, PolicySource::Custom, trace);
        }
    }

    /// Adds the policies that a search finds, before all others.
    pub fn discover(&mut self, online: &Policy, threads: usize) {
        let known = std::mem::take(&mut self.policies);
        let searched = evaluation::held_out_from(self.log.len());
        self.held_out_from = (searched < self.log.len()).then_some(searched);
        // What is found explores as the served policy, or as that of a new service.
        let new = default_arguments(false);
        let explores = online.vowpal_wabbit().unwrap_or(&new);
        for found in evaluation::discover(self.log, searched, explores, threads) {
            let arguments = Some(found.policy.arguments().to_owned());
            self.add(&found.name, arguments, PolicySource::OfflineExperimentation, Ok(found.trace));
        }
        self.policies.extend(known);
    }

    fn add(
        &mut self,
        name: &str,
        arguments: Option<String>,
        source: PolicySource,
        trace: Result<PolicyTrace, String>,
    ) {
        let name = name.to_owned();
        self.policies.push(EvaluatedPolicy { name, arguments, source, trace });
    }

    /// The policy worth applying: among those that are convincingly better than the served
    /// policy, the one whose lower bound exceeds it most; otherwise the served policy.
    pub fn optimal(&self) -> &str {
        let gains = self.policies.iter().filter_map(|policy| Some((self.gain(policy)?, policy)));
        gains
            .filter(|(gain, _)| *gain > 0.0)
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or(ONLINE_POLICY, |(_, policy)| &policy.name)
    }

    /// By how much the lower bound of a policy exceeds the mean of the served policy: on all
    /// events, or for a policy that a search found on those that the search has not seen.
    fn gain(&self, policy: &EvaluatedPolicy) -> Option<f64> {
        let from = match policy.source {
            PolicySource::Online | PolicySource::Baseline | PolicySource::Random => return None,
            PolicySource::Custom => 0,
            PolicySource::OfflineExperimentation => self.held_out_from?,
        };
        let events = from..self.log.len();
        let online = self.log.online().aggregate(self.log, events.clone()).mean();
        let sum = policy.trace.as_ref().ok()?.aggregate(self.log, events);
        Some(sum.mean() - sum.half_width() - online)
    }

    /// The report; without events, names and arguments alone.
    pub fn results(&self, end: Timestamp) -> Vec<PolicyResult> {
        self.policies.iter().map(|policy| self.result(policy, end)).collect()
    }

    fn result(&self, policy: &EvaluatedPolicy, end: Timestamp) -> PolicyResult {
        let named = PolicyResult {
            name: policy.name.clone(),
            arguments: policy.arguments.clone(),
            policy_source: Some(policy.source),
            summary: Vec::new(),
            total_summary: None,
            held_out_summary: None,
            failure: None,
        };
        let log = self.log;
        let trace = match &policy.trace {
            Ok(trace) => trace,
            Err(why) => return PolicyResult { failure: Some(why.clone()), ..named },
        };
        let online = policy.source == PolicySource::Online;
        let shown = |row| if online { summary::observed(row) } else { row };
        let sums = |from| shown(summary::sums(log, trace, from, end));
        let windows = summary::windows(&summary::by_window(log, trace));
        PolicyResult {
            summary: windows.into_iter().map(shown).collect(),
            total_summary: (!log.is_empty()).then(|| sums(0)),
            held_out_summary: self.held_out_from.map(sums),
            ..named
        }
    }
}
