use std::hash::Hash;
use std::sync::Arc;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use metrics::Packed;
use record::{IterationRecord, ObserveError, Observer, Progress};

/// Who turned up in each iteration and what was chosen: enough to say where two runs part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The contexts, in the order in which they first turned up.
    pub contexts: Vec<Vec<String>>,
    /// The actions, in the order in which they were first chosen.
    pub actions: Vec<String>,
    /// The iterations of each phase that made some.
    phases: Vec<PhaseTrace>,
}

/// SHA-256 of every context and every choice: equal for equal traces alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

/// The iterations of one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PhaseTrace {
    phase: String,
    /// Which of the contexts, four bytes an iteration.
    contexts: Packed,
    /// Which of the actions, four bytes an iteration; [`NOTHING`] where none was chosen.
    actions: Packed,
}

/// Stands for no action.
const NOTHING: u32 = u32::MAX;

/// One iteration of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced<'a> {
    /// The phase.
    pub phase: &'a str,
    /// Its index within the phase.
    pub iteration: u64,
    /// Who turned up.
    pub context: &'a [String],
    /// What was chosen.
    pub chosen: Option<&'a str>,
}

impl Trace {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        let Self { contexts, actions, phases } = self;
        part(&contexts.len().to_le_bytes());
        for context in contexts {
            part(&context.len().to_le_bytes());
            context.iter().for_each(|value| part(value.as_bytes()));
        }
        part(&actions.len().to_le_bytes());
        actions.iter().for_each(|action| part(action.as_bytes()));
        for PhaseTrace { phase, contexts, actions } in phases {
            [phase.as_bytes(), &contexts.0, &actions.0].into_iter().for_each(&mut part);
        }
        Fingerprint(digest.finalize().into())
    }

    /// The iterations, phase by phase.
    pub fn iterations(&self) -> impl Iterator<Item = Traced<'_>> {
        self.phases.iter().flat_map(|phase| {
            let indices = numbers(&phase.contexts).zip(numbers(&phase.actions));
            (0_u64..).zip(indices).map(|(iteration, (context, action))| Traced {
                phase: &phase.phase,
                iteration,
                context: at(&self.contexts, context).map_or(&[], Vec::as_slice),
                chosen: at(&self.actions, action).map(String::as_str),
            })
        })
    }
}

fn numbers(packed: &Packed) -> impl Iterator<Item = u32> + '_ {
    packed.0.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

fn at<T>(values: &[T], index: u32) -> Option<&T> {
    usize::try_from(index).ok().and_then(|index| values.get(index))
}

/// Traces a run.
#[derive(Debug)]
pub struct Tracer {
    phases: Vec<String>,
    trace: Trace,
    contexts: Indices<[String]>,
    actions: Indices<str>,
}

/// The indices of values. A value that is shared is known by where it is, which costs less
/// than to look at it.
#[derive(Debug)]
struct Indices<T: ?Sized> {
    values: HashMap<Arc<T>, u32>,
    /// Where the values above are.
    addresses: HashMap<usize, u32>,
}

impl<T: ?Sized + Hash + Eq> Indices<T> {
    fn get(&self, value: &Arc<T>) -> Option<u32> {
        let index = self.addresses.get(&address(value)).or_else(|| self.values.get(value));
        index.copied()
    }

    fn insert(&mut self, value: &Arc<T>, index: u32) {
        self.values.insert(value.clone(), index);
        self.addresses.insert(address(value), index);
    }
}

impl<T: ?Sized> Default for Indices<T> {
    fn default() -> Self {
        Self { values: HashMap::default(), addresses: HashMap::default() }
    }
}

fn address<T: ?Sized>(value: &Arc<T>) -> usize {
    Arc::as_ptr(value).cast::<()>().addr()
}

impl Tracer {
    /// Traces a run of these phases.
    #[must_use]
    pub fn new(phases: impl IntoIterator<Item = String>) -> Self {
        let phases = phases.into_iter().collect();
        let (contexts, actions) = (Indices::default(), Indices::default());
        Self { phases, trace: Trace::default(), contexts, actions }
    }

    /// What was traced.
    #[must_use]
    pub fn into_trace(mut self) -> Trace {
        // It is kept for as long as the experiment runs.
        for PhaseTrace { contexts, actions, .. } in &mut self.trace.phases {
            contexts.0.shrink_to_fit();
            actions.0.shrink_to_fit();
        }
        self.trace
    }

    /// Takes in an iteration.
    pub fn push(&mut self, record: &IterationRecord) {
        let context = self.context(&record.context);
        let action = record.chosen.as_ref().map_or(NOTHING, |action| self.action(action));
        let phase = self.phase(record.phase);
        phase.contexts.0.extend(context.to_le_bytes());
        phase.actions.0.extend(action.to_le_bytes());
    }

    /// The trace of a phase. Iterations of parallel phases arrive in turn.
    fn phase(&mut self, number: usize) -> &mut PhaseTrace {
        let (name, phases) = (&self.phases[number], &mut self.trace.phases);
        let known = phases.iter().rposition(|phase| phase.phase == *name);
        let position = known.unwrap_or_else(|| {
            let (contexts, actions) = (Packed::default(), Packed::default());
            phases.push(PhaseTrace { phase: name.clone(), contexts, actions });
            phases.len() - 1
        });
        &mut phases[position]
    }

    fn context(&mut self, context: &Arc<[String]>) -> u32 {
        if let Some(index) = self.contexts.get(context) {
            return index;
        }
        let index = count(&self.trace.contexts);
        self.trace.contexts.push(context.to_vec());
        self.contexts.insert(context, index);
        index
    }

    fn action(&mut self, action: &Arc<str>) -> u32 {
        if let Some(index) = self.actions.get(action) {
            return index;
        }
        let index = count(&self.trace.actions);
        self.trace.actions.push(action.to_string());
        self.actions.insert(action, index);
        index
    }
}

fn count<T>(values: &[T]) -> u32 {
    u32::try_from(values.len()).unwrap_or(NOTHING)
}

impl Observer for Tracer {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        if let Progress::Iteration(record) = progress {
            self.push(record);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::sample::iteration;

    /// The iterations of two phases that run in parallel.
    #[test]
    fn a_trace_says_who_turned_up_and_what_was_chosen() {
        let mut tracer = Tracer::new(["a".to_owned(), "b".to_owned()]);
        let mut unanswered = iteration(1, 0, true);
        unanswered.chosen = None;
        for record in [iteration(0, 0, true), unanswered, iteration(0, 1, false)] {
            tracer.observe(&Progress::Iteration(record)).unwrap();
        }
        let text = serde_json::to_string(&tracer.into_trace()).unwrap();
        let trace: Trace = serde_json::from_str(&text).unwrap();
        let seen: Vec<_> = trace
            .iterations()
            .map(|at| (at.phase, at.iteration, at.context.len(), at.chosen))
            .collect();
        let expected = [("a", 0, 2, Some("latte")), ("a", 1, 2, Some("mocha")), ("b", 0, 2, None)];
        assert_eq!(seen, expected);
    }
}
