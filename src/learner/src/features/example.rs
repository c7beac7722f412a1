use smallvec::SmallVec;

use super::Hashing;

/// The features of the context or of one action, hashed, by namespace.
///
/// A namespace is the first byte of a namespace's name; namespaces stand in the order in which
/// VW lists them (`json_parser.h`: a namespace joins when the first object closes that put
/// features into it). Those of a catalogue lie all over the memory, so that few are in one piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Example {
    pub(crate) namespaces: SmallVec<[NamespaceFeatures; 2]>,
}

/// The features of one namespace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamespaceFeatures {
    pub letter: u8,
    pub features: SmallVec<[Feature; 3]>,
    /// The sum of their squares, as VW adds it up while features come and go.
    pub squares: f32,
}

/// One feature. The index is not yet masked to the model's bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feature {
    pub index: u64,
    pub value: f32,
    /// Whether VW masks the index when it reads the feature. It does not mask positions
    /// in arrays, and `--rnd` sees the difference.
    pub masked: bool,
}

/// Makes an [`Example`] of features that come in the order of a JSON text.
#[derive(Debug)]
pub struct ExampleBuilder {
    hashing: Hashing,
    /// Features by namespace, in the order of first appearance.
    namespaces: SmallVec<[NamespaceFeatures; 2]>,
    /// Slots in the order in which they joined the example.
    joined: Vec<u8>,
    open: Vec<Namespace>,
    /// The index of the next element of an array.
    element: u64,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Namespace {
    /// None for names that VW cannot hold: their first byte is above 127.
    letter: Option<u8>,
    hash: u32,
    has_features: bool,
}

impl Example {
    /// The namespaces that hold features.
    pub fn letters(&self) -> impl Iterator<Item = u8> + '_ {
        self.namespaces.iter().map(|namespace| namespace.letter)
    }

    /// Adds features to a namespace, at the end if it is not there.
    pub(crate) fn append(&mut self, letter: u8, features: &[Feature]) {
        let namespace = namespace(&mut self.namespaces, letter);
        namespace.features.extend_from_slice(features);
        namespace.squares += squares(features);
    }

    /// What it leaves behind that features were in a namespace and were taken out again.
    pub(crate) fn append_and_remove(&mut self, letter: u8, features: &[Feature]) {
        if let Some(namespace) = self.namespaces.iter_mut().find(|known| known.letter == letter) {
            namespace.squares += squares(features);
            namespace.squares -= squares(features);
        }
    }
}

impl ExampleBuilder {
    /// An empty example, in the default namespace.
    #[must_use]
    pub fn new(hashing: Hashing) -> Self {
        let hash = hashing.namespace(b" ");
        let default = Namespace { letter: Some(b' '), hash, has_features: false };
        let (namespaces, joined, text) = (SmallVec::new(), Vec::new(), Vec::new());
        Self { hashing, namespaces, joined, open: vec![default], element: 0, text }
    }

    /// Opens the namespace `name`; only the innermost name counts.
    pub fn open(&mut self, name: impl AsRef<[u8]>) {
        let name = name.as_ref();
        let first = name.first().copied().unwrap_or(0);
        let letter = Some(first).filter(u8::is_ascii);
        let hash = self.hashing.namespace(name);
        self.open.push(Namespace { letter, hash, has_features: false });
    }

    /// Closes the namespace opened last.
    ///
    /// # Panics
    /// If none is open.
    pub fn close(&mut self) {
        let namespace = self.open.pop().expect("a namespace that was opened");
        let Some(letter) = namespace.letter.filter(|_| namespace.has_features) else { return };
        if !self.joined.contains(&letter) {
            self.joined.push(letter);
        }
    }

    /// A string feature of the current namespace: key and value, concatenated, with
    /// value 1.
    pub fn text(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (key, value) = (key.as_ref(), value.as_ref());
        let namespace = self.current().hash;
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let index = if self.hashing.chain {
            push_escaped(&mut text, value);
            self.hashing.text(&text, self.hashing.text(key, namespace))
        } else {
            text.extend_from_slice(key);
            push_escaped(&mut text, value);
            self.hashing.text(&text, namespace)
        };
        self.text = text;
        self.push(u64::from(index), 1.0, true);
    }

    /// A numeric feature of the current namespace; zero is none.
    pub fn number(&mut self, key: impl AsRef<[u8]>, value: f64) {
        let index = self.hashing.text(key.as_ref(), self.current().hash);
        self.push(u64::from(index), narrow(value), true);
    }

    /// A boolean feature of the current namespace; false is none.
    pub fn flag(&mut self, key: impl AsRef<[u8]>, value: bool) {
        self.number(key, f64::from(u8::from(value)));
    }

    /// Opens the namespace `name` for the elements of an array.
    pub fn open_array(&mut self, name: impl AsRef<[u8]>) {
        self.open(name);
        self.element = u64::from(self.current().hash);
    }

    /// A number in an array: a feature of the current namespace by its position. As in VW,
    /// positions go on behind those of an array inside this one.
    pub fn element(&mut self, value: f64) {
        self.push(self.element, narrow(value), false);
        self.element = self.element.wrapping_add(1);
    }

    /// A token of a `_text` property: a feature of the current namespace with value 1.
    pub fn token(&mut self, token: impl AsRef<[u8]>) {
        let mut text = Vec::new();
        push_escaped(&mut text, token.as_ref());
        let index = self.hashing.text(&text, self.current().hash);
        self.push(u64::from(index), 1.0, true);
    }

    /// The example.
    #[must_use]
    pub fn finish(mut self) -> Example {
        while !self.open.is_empty() {
            self.close();
        }
        let position = |letter: u8| self.joined.iter().position(|joined| *joined == letter);
        self.namespaces.sort_by_key(|namespace| position(namespace.letter));
        Example { namespaces: self.namespaces }
    }

    fn current(&self) -> &Namespace {
        self.open.last().expect("the default namespace")
    }

    fn push(&mut self, index: u64, value: f32, masked: bool) {
        let namespace = self.open.last_mut().expect("the default namespace");
        let Some(letter) = namespace.letter else { return };
        if value == 0.0 {
            return;
        }
        namespace.has_features = true;
        let feature = Feature { index, value, masked };
        let namespace = self::namespace(&mut self.namespaces, letter);
        namespace.features.push(feature);
        namespace.squares += value * value;
    }
}

/// A namespace, at the end if it is not there.
fn namespace(
    namespaces: &mut SmallVec<[NamespaceFeatures; 2]>,
    letter: u8,
) -> &mut NamespaceFeatures {
    let known = namespaces.iter().position(|namespace| namespace.letter == letter);
    let position = known.unwrap_or_else(|| {
        namespaces.push(NamespaceFeatures { letter, features: SmallVec::new(), squares: 0.0 });
        namespaces.len() - 1
    });
    &mut namespaces[position]
}

fn squares(features: &[Feature]) -> f32 {
    features.iter().fold(0.0, |sum, feature| sum + feature.value * feature.value)
}

/// VW's text format gives these bytes a meaning, so its JSON reader replaces them.
fn push_escaped(text: &mut Vec<u8>, value: &[u8]) {
    let escape = |byte| if matches!(byte, b' ' | b'\t' | b'|' | b':') { b'_' } else { byte };
    text.extend(value.iter().copied().map(escape));
}

#[expect(clippy::cast_possible_truncation, reason = "VW keeps features as f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}
