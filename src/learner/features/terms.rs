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
    merged: Merged<Term>,
}

/// Interactions over one set of slots.
#[derive(Debug, Clone, Default)]
struct Expanded {
    present: Vec<u8>,
    interactions: Vec<Loops>,
    known: bool,
}

/// The nested loops of an interaction, the outermost first.
type Loops = Vec<Loop>;

/// One loop of an interaction.
#[derive(Debug, Clone, Copy)]
struct Loop {
    /// The place of the slot among those present.
    position: usize,
    /// Whether the loop around it goes over the same slot: then this one starts where that
    /// one stands (combinations with repetition).
    is_repeated: bool,
}

/// An action with the features of the context, slot by slot, as `T`.
#[derive(Debug, Clone)]
struct Merged<T> {
    letters: Vec<u8>,
    /// The features of a slot end where those of the next begin.
    starts: Vec<usize>,
    features: Vec<T>,
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
            for loops in &self.expanded.interactions {
                self.merged.push_products(loops, Partial::START, terms);
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
            if let Some(loops) = loops(interaction, &self.merged.letters) {
                self.merged.push_products(&loops, Partial::START, terms);
            }
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
        let mut merged: Merged<Feature> = Merged::default();
        merged.merge(event, action, &self.ignored, self.constant);
        let mut indices = Vec::new();
        for (position, letter) in merged.letters.iter().enumerate() {
            if !self.ignored_linear[usize::from(*letter)] {
                let features = merged.slot_at(position).iter();
                indices.extend(features.map(|feature| (whole.of(feature), feature.value)));
            }
        }
        for interaction in self.interactions.given() {
            merged.push_whole(interaction, None, (0, 1.0, 0), whole, &mut indices);
        }
        indices
    }

    fn merge(&mut self, event: &Event, action: usize) {
        self.merged.merge(event, action, &self.ignored, self.constant);
    }

    fn push_linear(&self, terms: &mut Vec<Term>) {
        for (position, letter) in self.merged.letters.iter().enumerate() {
            if !self.ignored_linear[usize::from(*letter)] {
                terms.extend_from_slice(self.merged.slot_at(position));
            }
        }
    }

    /// Events of one scenario have the same slots nearly always.
    fn expand(&mut self) {
        if self.expanded.known && self.expanded.present == self.merged.letters {
            return;
        }
        self.expanded.present.clone_from(&self.merged.letters);
        let present = &self.merged.letters;
        let over_present = self.interactions.over(present);
        self.expanded.interactions =
            over_present.iter().filter_map(|interaction| loops(interaction, present)).collect();
        self.expanded.known = true;
    }
}

/// The loops of an interaction; none if one of its slots is not there.
fn loops(interaction: &[u8], present: &[u8]) -> Option<Loops> {
    let position = |letter: &u8| present.iter().position(|present| present == letter);
    let mut outer = None;
    let next = |letter: &u8| {
        let is_repeated = outer.replace(*letter) == Some(*letter);
        Some(Loop { position: position(letter)?, is_repeated })
    };
    interaction.iter().map(next).collect()
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

impl From<Feature> for Term {
    #[expect(clippy::cast_possible_truncation, reason = "a model has at most 2^31 weights")]
    fn from(feature: Feature) -> Self {
        Self { hash: feature.index as u32, value: feature.value }
    }
}

impl<T> Default for Merged<T> {
    fn default() -> Self {
        Self { letters: Vec::new(), starts: Vec::new(), features: Vec::new() }
    }
}

impl<T: From<Feature>> Merged<T> {
    /// Own slots, the constant, then the slots of the context; a slot that both have
    /// keeps its place, own features first.
    fn merge(&mut self, event: &Event, action: usize, ignored: &[bool; 256], constant: bool) {
        let own = &event.actions[action].slots;
        let shared = &event.shared.slots;
        self.clear();
        for slot in own {
            self.begin(slot.letter);
            self.add(&slot.features, ignored[usize::from(slot.letter)]);
            if let Some(context) = shared.iter().find(|context| context.letter == slot.letter) {
                self.add(&context.features, ignored[usize::from(slot.letter)]);
            }
        }
        if constant {
            self.begin(CONSTANT_SLOT);
            let index = u64::from(CONSTANT_INDEX);
            self.add(&[Feature { index, value: 1.0, masked: false }], false);
        }
        for slot in shared {
            if !own.iter().any(|own| own.letter == slot.letter) {
                self.begin(slot.letter);
                self.add(&slot.features, ignored[usize::from(slot.letter)]);
            }
        }
        self.starts.push(self.features.len());
    }

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
            self.features.extend(features.iter().copied().map(T::from));
        }
    }

    fn slot_at(&self, position: usize) -> &[T] {
        &self.features[self.starts[position]..self.starts[position + 1]]
    }
}

impl Merged<Term> {
    /// The products of the features of nested loops. Slots are short: what matters is that
    /// little happens around the innermost loop.
    fn push_products(&self, loops: &[Loop], partial: Partial, terms: &mut Vec<Term>) {
        match loops {
            [] => {}
            [last] => partial.push_each(self.of(last, partial.from), terms),
            [first, last] => {
                for partial in self.partials(first, partial) {
                    partial.push_each(self.of(last, partial.from), terms);
                }
            }
            [first, inner @ ..] => {
                for partial in self.partials(first, partial) {
                    self.push_products(inner, partial, terms);
                }
            }
        }
    }

    /// The features that a loop goes over.
    fn of(&self, level: &Loop, from: usize) -> &[Term] {
        let slot = self.slot_at(level.position);
        if level.is_repeated { &slot[from..] } else { slot }
    }

    /// The products of `partial` and each feature that a loop goes over.
    fn partials(&self, level: &Loop, partial: Partial) -> impl Iterator<Item = Partial> {
        let from = if level.is_repeated { partial.from } else { 0 };
        let features = &self.slot_at(level.position)[from..];
        (from..).zip(features).map(move |(from, feature)| {
            let Term { hash, value } = partial.times(*feature);
            Partial { hash: FNV_PRIME.wrapping_mul(hash), value, from }
        })
    }
}

impl Merged<Feature> {
    fn slot(&self, letter: u8) -> &[Feature] {
        let position = self.letters.iter().position(|present| *present == letter);
        position.map_or(&[], |position| self.slot_at(position))
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
}

/// The product of the outer loops.
#[derive(Clone, Copy)]
struct Partial {
    hash: u32,
    value: f32,
    from: usize,
}

impl Partial {
    /// Outside all loops. A first feature times one is that feature, to the last bit.
    const START: Self = Self { hash: 0, value: 1.0, from: 0 };

    /// The products with each of `features`, one by one: they are few.
    #[inline]
    fn push_each(self, features: &[Term], terms: &mut Vec<Term>) {
        for feature in features {
            terms.push(self.times(*feature));
        }
    }

    #[inline]
    fn times(self, term: Term) -> Term {
        Term { hash: self.hash ^ term.hash, value: self.value * term.value }
    }
}
