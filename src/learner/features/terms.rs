use super::example::Feature;
use super::{CONSTANT_INDEX, CONSTANT_SLOT, Event, Interactions};

/// One product of features: where its weight is, and its value.
///
/// Interactions hash with FNV over the indices; as the factors between models and
/// the stride of a weight are powers of two, 32 bits of the unscaled hash are enough
/// to find any weight of any model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The hash; a model masks it to its bits.
    pub hash: u32,
    /// The value.
    pub value: f32,
}

/// Which features a policy looks at.
#[derive(Debug, Clone)]
pub struct TermMaker {
    pub interactions: Interactions,
    /// Slots that are read as empty: `--ignore`, `--keep`.
    pub ignored: Box<[bool; 256]>,
    /// Slots that count in interactions only: `--ignore_linear`.
    pub ignored_linear: Box<[bool; 256]>,
    pub constant: bool,
    /// The interactions over the slots that were present last.
    expanded: Expanded,
    merged: Merged,
}

/// Interactions over one set of slots.
#[derive(Debug, Clone, Default)]
struct Expanded {
    present: Vec<u8>,
    interactions: Vec<Vec<u8>>,
    known: bool,
}

/// An action with the features of the context, slot by slot.
#[derive(Debug, Clone, Default)]
struct Merged {
    letters: Vec<u8>,
    /// The features of a slot end where those of the next begin.
    starts: Vec<usize>,
    features: Vec<Feature>,
}

/// The prime of FNV (`interactions_predict.h`).
const FNV_PRIME: u32 = 16_777_619;

impl TermMaker {
    pub fn new(
        interactions: Interactions,
        ignored: Box<[bool; 256]>,
        ignored_linear: Box<[bool; 256]>,
        constant: bool,
    ) -> Self {
        let (expanded, merged) = (Expanded::default(), Merged::default());
        Self { interactions, ignored, ignored_linear, constant, expanded, merged }
    }

    /// Makes the terms of one action of an event, in VW's order: linear features slot by
    /// slot, then the interactions.
    pub fn make(&mut self, event: &Event, action: usize, terms: &mut Vec<Term>) {
        self.merge(event, action);
        terms.clear();
        self.push_linear(terms);
        if !self.interactions.is_empty() {
            self.expand();
            for interaction in &self.expanded.interactions {
                self.merged.push_interaction(interaction, terms);
            }
        }
    }

    /// The same without the interactions that wildcards stand for: `--regcb` and
    /// `--squarecb --elim` see the interactions as they are given.
    pub fn make_unexpanded(&mut self, event: &Event, action: usize, terms: &mut Vec<Term>) {
        self.merge(event, action);
        terms.clear();
        self.push_linear(terms);
        for interaction in self.interactions.given() {
            self.merged.push_interaction(interaction, terms);
        }
    }

    /// The terms of [`Self::make_unexpanded`] by indices of 64 bits, as `--rnd` seeds
    /// its random functions with them.
    pub fn whole_indices(
        &mut self,
        event: &Event,
        action: usize,
        whole: WholeIndices,
    ) -> Vec<(u64, f32)> {
        self.merge(event, action);
        let mut indices = Vec::new();
        for (position, letter) in self.merged.letters.iter().enumerate() {
            if !self.ignored_linear[usize::from(*letter)] {
                let features = self.merged.slot_at(position).iter();
                indices.extend(features.map(|feature| (whole.of(feature), feature.value)));
            }
        }
        for interaction in self.interactions.given() {
            self.merged.push_whole(interaction, None, (0, 1.0, 0), whole, &mut indices);
        }
        indices
    }

    /// Own slots, the constant, then the slots of the context; a slot that both have
    /// keeps its place, own features first.
    fn merge(&mut self, event: &Event, action: usize) {
        let own = &event.actions[action].slots;
        let shared = &event.shared.slots;
        self.merged.clear();
        for slot in own {
            self.merged.begin(slot.letter);
            self.merged.add(&slot.features, self.ignored[usize::from(slot.letter)]);
            if let Some(context) = shared.iter().find(|context| context.letter == slot.letter) {
                self.merged.add(&context.features, self.ignored[usize::from(slot.letter)]);
            }
        }
        if self.constant {
            self.merged.begin(CONSTANT_SLOT);
            let index = u64::from(CONSTANT_INDEX);
            self.merged.add(&[Feature { index, value: 1.0, masked: false }], false);
        }
        for slot in shared {
            if !own.iter().any(|own| own.letter == slot.letter) {
                self.merged.begin(slot.letter);
                self.merged.add(&slot.features, self.ignored[usize::from(slot.letter)]);
            }
        }
        self.merged.end();
    }

    fn push_linear(&self, terms: &mut Vec<Term>) {
        for (position, letter) in self.merged.letters.iter().enumerate() {
            if !self.ignored_linear[usize::from(*letter)] {
                terms.extend(self.merged.slot_at(position).iter().map(Term::linear));
            }
        }
    }

    /// Events of one scenario have the same slots nearly always.
    fn expand(&mut self) {
        if self.expanded.known && self.expanded.present == self.merged.letters {
            return;
        }
        self.expanded.present.clone_from(&self.merged.letters);
        self.expanded.interactions = self.interactions.over(&self.merged.letters);
        self.expanded.known = true;
    }
}

/// How indices of 64 bits are made of features.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct WholeIndices {
    pub bits: u32,
    /// Weights from one feature to the next.
    pub scale: u64,
}

impl WholeIndices {
    fn of(self, feature: &Feature) -> u64 {
        let mask = if feature.masked { (1 << self.bits) - 1 } else { u64::MAX };
        (feature.index & mask).wrapping_mul(self.scale)
    }
}

impl Term {
    #[expect(clippy::cast_possible_truncation, reason = "a model has at most 2^31 weights")]
    fn linear(feature: &Feature) -> Self {
        Self { hash: feature.index as u32, value: feature.value }
    }
}

impl Merged {
    fn clear(&mut self) {
        self.letters.clear();
        self.starts.clear();
        self.features.clear();
    }

    fn begin(&mut self, letter: u8) {
        self.letters.push(letter);
        self.starts.push(self.features.len());
    }

    fn add(&mut self, features: &[Feature], ignored: bool) {
        if !ignored {
            self.features.extend_from_slice(features);
        }
    }

    fn end(&mut self) {
        self.starts.push(self.features.len());
    }

    fn slot_at(&self, position: usize) -> &[Feature] {
        &self.features[self.starts[position]..self.starts[position + 1]]
    }

    fn slot(&self, letter: u8) -> &[Feature] {
        let position = self.letters.iter().position(|present| *present == letter);
        position.map_or(&[], |position| self.slot_at(position))
    }

    /// Nested loops over the slots; a slot that repeats its neighbour starts where the
    /// outer loop stands (combinations with repetition).
    fn push_interaction(&self, interaction: &[u8], terms: &mut Vec<Term>) {
        if let [a, b] = *interaction {
            self.push_pairs(a, b, terms);
        } else {
            let start = Partial { hash: 0, value: 1.0, from: 0 };
            self.push_nested(interaction, None, start, terms);
        }
    }

    fn push_pairs(&self, a: u8, b: u8, terms: &mut Vec<Term>) {
        let (outer, inner) = (self.slot(a), self.slot(b));
        for (position, first) in outer.iter().enumerate() {
            let first = Term::linear(first);
            let hash = FNV_PRIME.wrapping_mul(first.hash);
            let from = if a == b { position } else { 0 };
            terms.extend(inner[from..].iter().map(Term::linear).map(|second| Term {
                hash: hash ^ second.hash,
                value: first.value * second.value,
            }));
        }
    }

    fn push_whole(
        &self,
        interaction: &[u8],
        outer: Option<u8>,
        (hash, value, from): (u64, f32, usize),
        whole: WholeIndices,
        indices: &mut Vec<(u64, f32)>,
    ) {
        let Some((&letter, rest)) = interaction.split_first() else { return };
        let from = if outer == Some(letter) { from } else { 0 };
        for (position, feature) in self.slot(letter).iter().enumerate().skip(from) {
            let index = hash ^ whole.of(feature);
            let value = if outer.is_none() { feature.value } else { value * feature.value };
            if rest.is_empty() {
                indices.push((index, value));
            } else {
                let hash = u64::from(FNV_PRIME).wrapping_mul(index);
                self.push_whole(rest, Some(letter), (hash, value, position), whole, indices);
            }
        }
    }

    fn push_nested(
        &self,
        interaction: &[u8],
        outer: Option<u8>,
        partial: Partial,
        terms: &mut Vec<Term>,
    ) {
        let Some((&letter, rest)) = interaction.split_first() else { return };
        let from = if outer == Some(letter) { partial.from } else { 0 };
        for (position, feature) in self.slot(letter).iter().enumerate().skip(from) {
            let term = partial.times(Term::linear(feature), outer.is_none());
            if rest.is_empty() {
                terms.push(term);
            } else {
                let hash = FNV_PRIME.wrapping_mul(term.hash);
                let next = Partial { hash, value: term.value, from: position };
                self.push_nested(rest, Some(letter), next, terms);
            }
        }
    }
}

/// The product of the outer loops.
#[derive(Clone, Copy)]
struct Partial {
    hash: u32,
    value: f32,
    from: usize,
}

impl Partial {
    fn times(self, term: Term, is_first: bool) -> Term {
        let value = if is_first { term.value } else { self.value * term.value };
        Term { hash: self.hash ^ term.hash, value }
    }
}
