use std::sync::Arc;

use super::example::{Feature, NamespaceFeatures};
use super::numbering::Numbering;
use super::products::{FNV_PRIME, Layout, Product, ProductCache, Products};
use super::{CONSTANT_INDEX, CONSTANT_NAMESPACE, Event, Example, Interactions};

/// A feature, or a product of features, as a model sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Where its weight is, in the first of several models; those of the others follow.
    pub index: u32,
    /// The value.
    pub value: f32,
}

/// The terms of an action.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub terms: Vec<Term>,
    /// The squared norm of the features, where an update rule asks for it.
    pub squared_norm: f32,
}

impl AsRef<[Term]> for Terms {
    fn as_ref(&self) -> &[Term] {
        &self.terms
    }
}

/// How the squared norm of features is summed up for learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NormRule {
    /// Whether VW has merged the context into the actions before, to predict.
    pub merged_before: bool,
    /// When the interactions that wildcards stand for count.
    pub expansion: Expansion,
}

/// When the norm for learning counts the interactions that wildcards stand for. VW keeps a norm
/// until features are merged into an action or taken out, and bounds need one without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// Nothing else needs a norm.
    Always,
    /// Features of the context are merged again after the bounds.
    WithContext,
    /// Bounds and learning follow each other.
    Never,
}

/// Where hashes have their weights.
#[derive(Debug, Clone, Copy)]
pub struct WeightIndexing {
    models_factor: u32,
    mask: u32,
}

impl WeightIndexing {
    /// Of 2^`bits` weights, so many follow each other for one feature.
    pub fn new(bits: u32, models_factor: u32) -> Self {
        Self { models_factor, mask: u32::MAX >> (32 - bits) }
    }

    pub(super) fn of(self, product: Product) -> Term {
        let index = product.hash.wrapping_mul(self.models_factor) & self.mask;
        Term { index, value: product.value }
    }
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
    norm_rule: Option<NormRule>,
    places: WeightIndexing,
    numbering: Option<Numbering>,
    expanded: ProductCache,
    given: ProductCache,
    merged: Merged<Product>,
    /// The context that was merged last, if the next may keep its place.
    context: Option<Arc<Example>>,
    partials: Vec<Product>,
}

/// An action with the features of the context, namespace by namespace, as `T`.
#[derive(Debug, Clone)]
struct Merged<T> {
    layout: Layout,
    features: Vec<T>,
    /// How many namespaces are the action's own, if the context has none of them.
    own: Option<usize>,
}

impl TermMaker {
    pub fn new(
        interactions: Interactions,
        ignored: Box<[bool; 256]>,
        ignored_linear: Box<[bool; 256]>,
        constant: bool,
        places: WeightIndexing,
        norm_rule: Option<NormRule>,
        numbering: Option<Numbering>,
    ) -> Self {
        Self {
            norm_rule,
            numbering,
            places,
            interactions,
            ignored,
            ignored_linear,
            constant,
            expanded: ProductCache::default(),
            given: ProductCache::default(),
            merged: Merged::default(),
            context: None,
            partials: Vec::new(),
        }
    }

    /// From now on the number of the place to fill interacts with all else.
    pub fn interact_with_slot_index(&mut self) {
        self.interactions = self.interactions.with_slot_index();
        self.expanded = ProductCache::default();
        self.given = ProductCache::default();
    }

    /// Makes the terms of one action of an event, in VW's order: linear features namespace by
    /// namespace, then the interactions.
    pub fn make(&mut self, event: &Event, action: usize, terms: &mut Terms) {
        self.merge(event, action);
        if let Some(NormRule { merged_before, expansion }) = self.norm_rule {
            let expanded = match expansion {
                Expansion::Always => true,
                Expansion::WithContext => {
                    self.numbering.is_none()
                        && event.shared.letters().any(|letter| !self.ignored[usize::from(letter)])
                }
                Expansion::Never => false,
            };
            let interactions = if expanded {
                self.interactions.over(&self.merged.layout.letters)
            } else {
                self.interactions.given().to_vec()
            };
            terms.squared_norm = self.squared_norm(event, action, &interactions, merged_before);
        }
        self.multiply(terms);
    }

    /// The same without the features of the context.
    pub fn make_own(&mut self, event: &Event, action: usize, terms: &mut Terms) {
        let own = &event.actions[action].namespaces;
        let parts = Parts { own, shared: &[], seen: &[] };
        self.merged.merge(parts, &self.ignored, self.constant);
        self.context = None;
        self.multiply(terms);
    }

    fn multiply(&mut self, terms: &mut Terms) {
        let Self { interactions, ignored_linear, places, expanded, merged, partials, .. } = self;
        let products = expanded.of(&merged.layout, || {
            let interactions = interactions.over(&merged.layout.letters);
            Products::new(
                &merged.layout,
                |namespace| !ignored_linear[usize::from(namespace)],
                &interactions,
            )
        });
        products.multiply(&merged.features, *places, partials, &mut terms.terms);
    }

    /// The same without the interactions that wildcards stand for: `--regcb` and
    /// `--squarecb --elim` see the interactions as they are given.
    pub fn make_unexpanded(&mut self, event: &Event, action: usize, terms: &mut Terms) {
        self.merge(event, action);
        if self.norm_rule.is_some() {
            let interactions = self.interactions.given();
            terms.squared_norm = self.squared_norm(event, action, interactions, false);
        }
        let Self { interactions, ignored_linear, places, given, merged, partials, .. } = self;
        let products = given.of(&merged.layout, || {
            let linear = |namespace| !ignored_linear[usize::from(namespace)];
            Products::new(&merged.layout, linear, interactions.given())
        });
        products.multiply(&merged.features, *places, partials, &mut terms.terms);
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
        merged.merge(self.parts(event, action), &self.ignored, self.constant);
        let whole = match &self.numbering {
            None => whole,
            Some(numbering) => numbering.place_whole(&mut merged.features, action, whole),
        };
        let mut indices = Vec::new();
        for (position, letter) in merged.layout.linear_letters() {
            if !self.ignored_linear[usize::from(letter)] {
                let features = merged.namespace_at(position).iter();
                indices.extend(features.map(|feature| (whole.of(feature), feature.value)));
            }
        }
        for interaction in self.interactions.given() {
            merged.push_whole(interaction, None, (0, 1.0, 0), whole, &mut indices);
        }
        indices
    }

    fn merge(&mut self, event: &Event, action: usize) {
        let mut merged = std::mem::take(&mut self.merged);
        let is_same = |context: &Arc<Example>| Arc::ptr_eq(context, &event.shared);
        if self.numbering.is_none()
            && self.context.as_ref().is_some_and(is_same)
            && merged.replace_own(&event.actions[action].namespaces, &self.ignored)
        {
            self.merged = merged;
            return;
        }
        self.context = Some(event.shared.clone());
        merged.merge(self.parts(event, action), &self.ignored, self.constant);
        if let Some(numbering) = &self.numbering {
            numbering.place(&mut merged.features, action);
        }
        self.merged = merged;
    }

    /// What the terms of an action are made of: under `--cb_explore`, each action has the
    /// features of the context for its own.
    pub(super) fn parts<'e>(&'e self, event: &'e Event, action: usize) -> Parts<'e> {
        match &self.numbering {
            None => Parts {
                own: &event.actions[action].namespaces,
                shared: &event.shared.namespaces,
                seen: &[],
            },
            Some(numbering) => {
                Parts { own: &event.shared.namespaces, shared: &[], seen: numbering.seen() }
            }
        }
    }

    /// Whether terms depend on the events before.
    pub fn depends_on_past(&self) -> bool {
        self.numbering.is_some()
    }

    /// Turns to another event.
    pub fn see(&mut self, event: &Event) {
        if let Some(numbering) = &mut self.numbering {
            numbering.see(&event.shared);
        }
    }
}

/// The features that the terms of an action are made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'e> {
    pub own: &'e [NamespaceFeatures],
    pub shared: &'e [NamespaceFeatures],
    /// What earlier events had: interactions alone see it, where this event lacks a namespace.
    pub seen: &'e [NamespaceFeatures],
}

/// How indices of 64 bits are made of features.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct WholeIndices {
    pub bits: u32,
    /// Weights from one feature to the next.
    pub scale: u64,
}

impl WholeIndices {
    pub(super) fn of(self, feature: &Feature) -> u64 {
        let mask = if feature.masked { (1 << self.bits) - 1 } else { u64::MAX };
        (feature.index & mask).wrapping_mul(self.scale)
    }
}

impl From<Feature> for Product {
    #[expect(clippy::cast_possible_truncation, reason = "a model has at most 2^31 weights")]
    fn from(feature: Feature) -> Self {
        Self { hash: feature.index as u32, value: feature.value }
    }
}

impl<T> Default for Merged<T> {
    fn default() -> Self {
        Self { layout: Layout::default(), features: Vec::new(), own: None }
    }
}

impl<T: From<Feature>> Merged<T> {
    /// Own namespaces, the constant, then the namespaces of the context; a namespace that both have
    /// keeps its place, own features first.
    fn merge(
        &mut self,
        Parts { own, shared, seen }: Parts<'_>,
        ignored: &[bool; 256],
        constant: bool,
    ) {
        self.clear();
        for namespace in own {
            self.begin(namespace.letter);
            self.add(&namespace.features, ignored[usize::from(namespace.letter)]);
            if let Some(context) = shared.iter().find(|context| context.letter == namespace.letter)
            {
                self.add(&context.features, ignored[usize::from(namespace.letter)]);
            }
        }
        if constant {
            self.begin(CONSTANT_NAMESPACE);
            let index = u64::from(CONSTANT_INDEX);
            self.add(&[Feature { index, value: 1.0, masked: false }], false);
        }
        for namespace in shared {
            if !own.iter().any(|own| own.letter == namespace.letter) {
                self.begin(namespace.letter);
                self.add(&namespace.features, ignored[usize::from(namespace.letter)]);
            }
        }
        self.layout.linear = self.layout.letters.len();
        for namespace in seen {
            if !own.iter().any(|own| own.letter == namespace.letter) {
                self.begin(namespace.letter);
                self.add(&namespace.features, ignored[usize::from(namespace.letter)]);
            }
        }
        self.end_namespace();
        let is_own =
            |namespace: &NamespaceFeatures| own.iter().any(|own| own.letter == namespace.letter);
        self.own = (!shared.iter().any(is_own)).then_some(own.len());
    }

    /// Replaces the action's features by those of another action, if both have the same namespaces
    /// with equal numbers of features, as most actions of an event do. Returns whether it did.
    fn replace_own(&mut self, own: &[NamespaceFeatures], ignored: &[bool; 256]) -> bool {
        let Self { layout, features, own: merged } = self;
        let read = |namespace: &NamespaceFeatures| {
            if ignored[usize::from(namespace.letter)] { 0 } else { namespace.features.len() }
        };
        let lies_alike = |(position, namespace): (usize, &NamespaceFeatures)| {
            layout.letters[position] == namespace.letter
                && layout.range(position).len() == read(namespace)
        };
        if *merged != Some(own.len()) || !own.iter().enumerate().all(lies_alike) {
            return false;
        }
        let read = own.iter().flat_map(|namespace| &namespace.features[..read(namespace)]);
        features.iter_mut().zip(read).for_each(|(place, feature)| *place = T::from(*feature));
        true
    }

    fn clear(&mut self) {
        self.layout.letters.clear();
        self.layout.starts.clear();
        self.features.clear();
    }

    fn begin(&mut self, letter: u8) {
        self.layout.letters.push(letter);
        self.end_namespace();
    }

    /// The next namespace begins here.
    fn end_namespace(&mut self) {
        let end = u32::try_from(self.features.len()).expect("fewer than 2^32 features");
        self.layout.starts.push(end);
    }

    fn add(&mut self, features: &[Feature], ignored: bool) {
        if !ignored {
            self.features.extend(features.iter().copied().map(T::from));
        }
    }

    fn namespace_at(&self, position: usize) -> &[T] {
        let range = self.layout.range(position);
        &self.features[range.start as usize..range.end as usize]
    }
}

impl Merged<Feature> {
    fn namespace(&self, letter: u8) -> &[Feature] {
        let position = self.layout.letters.iter().position(|present| *present == letter);
        position.map_or(&[], |position| self.namespace_at(position))
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
        for (position, feature) in self.namespace(letter).iter().enumerate().skip(from) {
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
