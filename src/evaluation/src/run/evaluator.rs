use std::collections::BTreeMap;

use super::batch::{Batch, Row};
use super::choice::LoggedProbability;
use super::coverage::Covered;
use super::failure::PolicyFailure;
use super::sums::{Judged, PolicySums, Scored};
use super::{Candidate, LogPlace};
use crate::replayer::{FailureCause, Replayer, guarded};
use crate::{Aggregate, window};
use learner::{Label, LearningPolicy, Prediction};
use policy::Policy;
use statistics::off_policy::{Example, Modelled};

/// Where a policy came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It wrote the log.
    Online,
    /// It always takes the first action.
    FirstAction,
    /// It takes every action with the same probability.
    AnyAction,
    /// It was given.
    Given,
    /// A search found it.
    Discovered,
    /// Its probabilities stand in the log.
    Logged,
}

/// A policy, what it did on the last batch, and the sums of what it did so far.
pub struct PolicyEvaluator {
    /// Its name.
    pub name: String,
    /// Where the policy came from.
    pub origin: Origin,
    /// The sums over all labelled events.
    pub whole: PolicySums,
    /// Those over the events held out.
    pub held_out: PolicySums,
    /// By windows of five minutes since 1970, where they are wanted.
    pub windows: BTreeMap<i64, Aggregate>,
    /// For each breakdown, the sums of each part by its number.
    pub(super) segments: Vec<Vec<Judged>>,
    /// Why it was not replayed to the end, if so.
    pub(super) failure: Option<PolicyFailure>,
    decides: Decides,
    /// For each row, the probability of the action taken, zero without label, and how far the
    /// log covers the policy.
    replayed: Vec<(f32, Covered)>,
}

/// So many events are added to one sum after the other.
const SCORED: usize = 64;

/// How a policy decides.
enum Decides {
    /// As its origin says.
    Fixed,
    /// As the log says, of the candidate with this number.
    Logged(usize),
    /// By what it learned.
    Learned(Box<Learned>),
}

/// A policy that learns.
struct Learned {
    replayer: Replayer,
    /// Which of a row's views is for it.
    view: usize,
    /// For each row, what the model expects, if it says.
    expected: Vec<Modelled>,
    /// Whole distributions, row after row, if they are wanted.
    pmfs: Option<Vec<EventPmfs>>,
}

/// What a policy predicts of an event before it learns it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPmfs {
    /// The distribution over the actions; of an event with slots, that for the first slot.
    pub pmf: Vec<f32>,
    /// The distribution for each slot, over all actions of the event; none without slots.
    pub slots: Vec<Vec<f32>>,
}

/// Which sums are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sections {
    /// From which labelled event on events are held out.
    pub held_out_from: Option<u64>,
    /// Whether sums are kept for windows of five minutes.
    pub windows: bool,
}

impl PolicyEvaluator {
    /// The policies that do not learn, as the service names them.
    pub fn fixed() -> Vec<Self> {
        let fixed = |name: &str, origin| Self::new(name.to_owned(), origin, Decides::Fixed);
        vec![
            fixed("online", Origin::Online),
            fixed("baseline1", Origin::FirstAction),
            fixed("baselineRand", Origin::AnyAction),
        ]
    }

    /// A policy that learns; `view` says which of a row's views is for it.
    pub(super) fn learning(candidate: Candidate, view: usize, keeps_pmfs: bool) -> Self {
        let Candidate { name, policy, origin, model } = candidate;
        let replayer = Replayer::new(policy, model);
        let pmfs = keeps_pmfs.then(Vec::new);
        let learned = Learned { replayer, view, expected: Vec::new(), pmfs };
        Self::new(name, origin, Decides::Learned(Box::new(learned)))
    }

    /// A candidate whose probabilities stand in the log.
    pub(super) fn logged(name: String, number: usize) -> Self {
        Self::new(name, Origin::Logged, Decides::Logged(number))
    }

    fn new(name: String, origin: Origin, decides: Decides) -> Self {
        let whole = PolicySums::new(false, false);
        let (held_out, windows) = (whole.clone(), BTreeMap::new());
        let (segments, replayed) = (Vec::new(), Vec::new());
        let failure = None;
        Self { name, origin, whole, held_out, windows, segments, failure, decides, replayed }
    }

    /// Whether to compare with a baseline, and how many breakdowns there are.
    pub(super) fn prepare(&mut self, has_baseline: bool, breakdowns: usize) {
        // The doubly robust estimate needs what a model of rewards expects.
        let has_model = self.vowpal_wabbit().is_some();
        self.whole = PolicySums::new(has_model, has_baseline);
        self.held_out = self.whole.clone();
        self.segments = vec![Vec::new(); breakdowns];
    }

    /// The policy, if it learns.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.learned().map(|learned| learned.replayer.policy())
    }

    /// The policy, if it is one of Vowpal Wabbit.
    #[must_use]
    pub fn vowpal_wabbit(&self) -> Option<&LearningPolicy> {
        self.policy().and_then(Policy::vowpal_wabbit)
    }

    /// The model as it stands, in the format of VW, if it is one of Vowpal Wabbit.
    pub fn vw_model(&mut self) -> Option<Vec<u8>> {
        let Decides::Learned(learned) = &mut self.decides else { return None };
        learned.replayer.vw_model()
    }

    /// For each row of the last batch, the distributions before the event was learned; none for policies that do not learn or failed, or if predictions are not
    /// wanted.
    #[must_use]
    pub fn pmfs(&self) -> Option<&[EventPmfs]> {
        self.learned().filter(|_| self.failure.is_none())?.pmfs.as_deref()
    }

    fn learned(&self) -> Option<&Learned> {
        match &self.decides {
            Decides::Learned(learned) => Some(learned),
            Decides::Fixed | Decides::Logged(_) => None,
        }
    }

    /// The sums of a part of a breakdown; none if none of its events was judged.
    pub(crate) fn segment(&self, breakdown: usize, part: usize) -> Option<&Judged> {
        let judged = self.segments.get(breakdown)?.get(part)?;
        (judged.estimates.examples() > 0).then_some(judged)
    }

    /// For each row of the last batch, the probability of the action taken.
    pub(super) fn probabilities(&self) -> Vec<f32> {
        self.replayed.iter().map(|(probability, _)| *probability).collect()
    }

    /// Predicts and then learns each event of a batch. Whatever stops it stops no other policy.
    pub(super) fn replay(&mut self, batch: &Batch) {
        self.replayed.clear();
        if self.failure.is_some() {
            return;
        }
        let (replayed, origin) = (&mut self.replayed, self.origin);
        let done = match &mut self.decides {
            Decides::Fixed => {
                replayed.extend(batch.rows.iter().map(|row| fixed(origin, row)));
                return;
            }
            Decides::Logged(number) => {
                let mut rows = batch.rows.iter().map(|row| logged(*number, row));
                rows.try_for_each(|row| row.map(|row| replayed.push(row)))
            }
            Decides::Learned(learned) => guarded(|| learned.replay(&batch.rows, replayed)),
        };
        if let Err(cause) = done {
            let line = batch.rows[self.replayed.len()].line;
            self.fail(&batch.log, line, cause);
        }
    }

    fn fail(&mut self, log: &str, line: u64, cause: FailureCause) {
        let place = LogPlace { log: log.to_owned(), line, column: 1 };
        self.failure = Some(PolicyFailure { policy: self.name.clone(), place, cause });
    }

    /// Ends a program; one that has more to say than answers fails.
    pub(super) fn end(&mut self, log: &str, line: u64) {
        let Decides::Learned(learned) = &mut self.decides else { return };
        if self.failure.is_none()
            && let Err(cause) = learned.replayer.end()
        {
            self.fail(log, line, cause);
        }
    }

    /// Adds what was replayed to the sums.
    pub(super) fn judge(&mut self, batch: &Batch, baseline: Option<&[f32]>, sections: Sections) {
        if self.failure.is_some() {
            return;
        }
        let mut scored = Vec::with_capacity(SCORED);
        for (number, rows) in batch.rows.chunks(SCORED).enumerate() {
            let places = number * SCORED..;
            let labelled = || {
                let numbered = places.clone().zip(rows);
                numbered.filter_map(|(place, row)| Some((place, row, row.label.as_ref()?)))
            };
            scored.clear();
            scored.extend(
                labelled().map(|(place, row, label)| self.scored(place, row, label, baseline)),
            );
            self.whole.add(&scored);
            if self.has_parts(sections) {
                let rows = labelled().map(|(_, row, _)| row);
                rows.zip(&scored)
                    .for_each(|(row, scored)| self.add_to_parts(row, scored, sections));
            }
        }
    }

    /// Whether there are other sums than those over all events.
    fn has_parts(&self, sections: Sections) -> bool {
        sections.windows || sections.held_out_from.is_some() || !self.segments.is_empty()
    }

    fn add_to_parts(&mut self, row: &Row, scored: &Scored, sections: Sections) {
        let events = std::slice::from_ref(scored);
        if let Some(time) = row.time.filter(|_| sections.windows) {
            self.windows.entry(window(time)).or_default().add(&scored.example);
        }
        if sections.held_out_from.is_some_and(|first| row.labelled >= first) {
            self.held_out.add(events);
        }
        for (parts, part) in self.segments.iter_mut().zip(&row.segments) {
            parts.resize_with(parts.len().max(part + 1), Judged::default);
            parts[*part].add(events);
        }
    }

    fn scored(
        &self,
        position: usize,
        row: &Row,
        label: &Label,
        baseline: Option<&[f32]>,
    ) -> Scored {
        let (probability, covered) = self.replayed[position];
        let logged = f64::from(label.probability);
        let (reward, count) = (-f64::from(label.cost), f64::from(row.count));
        Scored {
            example: Example { weight: f64::from(probability) / logged, reward, count },
            baseline: baseline.map(|baseline| f64::from(baseline[position]) / logged),
            expected: self.learned().and_then(|learned| learned.expected.get(position)).copied(),
            covered,
            highest: row.highest_weight,
        }
    }
}

impl Row {
    /// The reward of the action taken, with all its digits; zero without label.
    fn reward(&self) -> f64 {
        self.label.map_or(0.0, |label| -f64::from(label.cost))
    }

    fn covered(&self, policy: impl Iterator<Item = f32>) -> Covered {
        Covered::of(policy, self.distribution.as_deref(), self.highest_weight)
    }
}

/// With which probability a policy that does not learn takes the action taken, and how far
/// the log covers it.
fn fixed(origin: Origin, row: &Row) -> (f32, Covered) {
    let first = (0..row.choices).map(|action| f32::from(u8::from(action == 0)));
    let Some(label) = &row.label else { return (0.0, row.covered(first)) };
    #[expect(clippy::cast_precision_loss, reason = "a number of actions")]
    let any = 1.0 / row.choices as f32;
    match origin {
        Origin::FirstAction => (f32::from(u8::from(label.action == 0)), row.covered(first)),
        Origin::AnyAction => (any, row.covered(std::iter::repeat(any))),
        _ => {
            let logged = row.distribution.iter().flatten().copied();
            (label.probability, row.covered(logged))
        }
    }
}

/// The same of a candidate whose probabilities stand in the log.
fn logged(number: usize, row: &Row) -> Result<(f32, Covered), FailureCause> {
    match &row.candidates[number] {
        LoggedProbability::OfTaken(probability) => {
            let unknown = Covered::of(std::iter::empty(), None, row.highest_weight);
            Ok((*probability, unknown))
        }
        LoggedProbability::Distribution(pmf) => {
            let probability = row.label.map_or(0.0, |label| pmf[label.action]);
            Ok((probability, row.covered(pmf.iter().copied())))
        }
        LoggedProbability::Invalid(why) => Err(FailureCause::Logged(why.clone())),
    }
}

impl Learned {
    fn replay(
        &mut self,
        rows: &[Row],
        replayed: &mut Vec<(f32, Covered)>,
    ) -> Result<(), FailureCause> {
        self.expected.clear();
        if let Some(pmfs) = &mut self.pmfs {
            pmfs.clear();
        }
        let mut foreseen = 0;
        for (place, row) in rows.iter().enumerate() {
            foreseen = self.foresee(rows, place.max(foreseen));
            let label = row.label.as_ref();
            self.replayer.replay(&row.views[self.view], label, row.reward())?;
            let prediction = &self.replayer.prediction;
            let pmf = &prediction.pmf;
            if let Some(pmfs) = &mut self.pmfs {
                let slots = self.replayer.slots.iter().map(|slot| slot.pmf.clone()).collect();
                pmfs.push(EventPmfs { pmf: pmf.clone(), slots });
            }
            let probability = row.label.map_or(0.0, |label| pmf[label.action]);
            let covered = row.covered(pmf.iter().copied());
            let unlabelled = Modelled { policy: 0.0, action: 0.0 };
            let expected = label.map_or(unlabelled, |label| expected_reward(prediction, label));
            self.expected.push(expected);
            // Last: it counts the rows that are done.
            replayed.push((probability, covered));
        }
        Ok(())
    }

    /// Tells the policy of rows to come, those before `next` being told. Returns the next one.
    fn foresee(&mut self, rows: &[Row], next: usize) -> usize {
        let Self { replayer, view, .. } = self;
        let coming = rows[next..].iter().take(replayer.foresight());
        let told = coming.take_while(|row| {
            replayer.foresee(&row.views[*view], row.label.as_ref(), row.reward())
        });
        next + told.count()
    }
}

/// What a model expects of the policy and of the action taken. Its scores are costs.
fn expected_reward(prediction: &Prediction, label: &Label) -> Modelled {
    let Prediction { pmf, scores, .. } = prediction;
    let pairs = pmf.iter().zip(scores);
    let cost: f64 = pairs.map(|(p, score)| f64::from(*p) * f64::from(*score)).sum();
    Modelled { policy: -cost, action: -f64::from(scores[label.action]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Viewed;
    use learner::{DsjsonReader, Hashing};

    const LINE: &[u8] = b"{\"_label_cost\":-1,\"_label_probability\":0.5,\"_labelIndex\":0,\
        \"a\":[1,2],\"c\":{\"_multi\":[{\"i\":{\"a\":1}},{\"i\":{\"b\":1}}]}}";

    fn row(line: u64) -> Row {
        let logged = DsjsonReader::new(Hashing::default()).read(LINE).unwrap();
        Row {
            index: line - 1,
            line,
            id: None,
            time: None,
            labelled: line - 1,
            segments: Vec::new(),
            choices: 2,
            count: 1.0,
            views: vec![Viewed::Hashed(logged.event)],
            candidates: Vec::new(),
            label: logged.label,
            distribution: None,
            highest_weight: 2.0,
        }
    }

    fn evaluator(name: &str, view: usize) -> PolicyEvaluator {
        let policy = LearningPolicy::parse("--cb_explore_adf").unwrap();
        let (name, origin) = (name.to_owned(), Origin::Given);
        let candidate = Candidate { name, policy: policy.into(), origin, model: None };
        PolicyEvaluator::learning(candidate, view, true)
    }

    /// A view that is missing for a policy stands for any bug that panics.
    #[test]
    fn a_policy_that_panics_is_named_with_its_line_and_ends_no_other() {
        let mut policies = [evaluator("well", 0), evaluator("broken", 1)];
        let sections = Sections { held_out_from: None, windows: false };
        let mut batch = Batch { log: "log".to_owned(), rows: vec![row(1), row(2)] };
        let views = &mut batch.rows[0].views;
        views.push(views[0].clone());
        for policy in &mut policies {
            policy.replay(&batch);
            policy.judge(&batch, None, sections);
            // It is not asked again.
            policy.replay(&batch);
        }
        let [well, broken] = policies;
        assert!(well.failure.is_none() && well.pmfs().is_some_and(|pmfs| pmfs.len() == 2));
        assert_eq!(well.whole.judged.estimates.examples(), 2);
        let failure = broken.failure.as_ref().unwrap();
        assert_eq!((&*failure.policy, failure.place.line), ("broken", 2));
        assert!(
            matches!(&failure.cause, FailureCause::Panic(text) if text.contains("out of bounds"))
        );
        assert!(broken.pmfs().is_none());
        assert_eq!(broken.whole.judged.estimates.examples(), 0);
    }
}
