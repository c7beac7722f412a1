//! Which namespaces interact (`interactions.h`, `interaction_generation.cc`).

use super::{SLOT_INDEX_NAMESPACE, SLOT_NAMESPACE};

/// The interactions of a policy: `-q`, `--cubic`, `--interactions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interactions {
    given: Vec<Vec<u8>>,
}

/// Stands for every namespace.
const WILDCARD: u8 = b':';

impl Interactions {
    /// The interactions named by `given`: quadratics, then cubics, then the others.
    pub fn new(mut given: Vec<Vec<u8>>) -> Self {
        given.sort_by(by_length_then_bytes);
        Self { given: without_repetition(given) }
    }

    /// The same, and each with the number of the place to fill, which also interacts with
    /// every namespace. They repeat themselves, as those of VW do until wildcards are expanded
    /// (`conditional_contextual_bandit.cc`, `insert_ccb_interactions`).
    pub fn with_slot_index(&self) -> Self {
        let mut given = self.given.clone();
        for element in &self.given {
            given.push([element.as_slice(), &[SLOT_INDEX_NAMESPACE]].concat());
            given.push(element.clone());
        }
        given.push(vec![WILDCARD, SLOT_INDEX_NAMESPACE]);
        Self { given }
    }

    /// As given, wildcards not expanded.
    pub fn given(&self) -> &[Vec<u8>] {
        &self.given
    }

    /// The interactions over the `present` namespaces.
    pub fn over(&self, present: &[u8]) -> Vec<Vec<u8>> {
        let printable = |letter: &u8| (32..=126).contains(letter) || *letter == SLOT_NAMESPACE;
        let mut printable: Vec<u8> = present.iter().copied().filter(printable).collect();
        printable.sort_unstable();
        if !self.given.iter().any(|element| element.contains(&WILDCARD)) {
            return self.given.clone();
        }
        let mut expanded: Vec<_> =
            self.given.iter().flat_map(|element| expand(element, &printable)).collect();
        expanded.sort_by(by_length_then_bytes);
        without_repetition(expanded)
    }
}

fn by_length_then_bytes(a: &Vec<u8>, b: &Vec<u8>) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Keeps the first of elements that are the same up to order; sorts elements that repeat
/// some letters and not others.
fn without_repetition(elements: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut kept = Vec::new();
    for element in elements {
        let mut sorted = element.clone();
        sorted.sort_unstable();
        if seen.contains(&sorted) {
            continue;
        }
        kept.push(if must_be_sorted(&sorted) { sorted.clone() } else { element });
        seen.push(sorted);
    }
    kept
}

/// Whether a sorted element mixes equal neighbours with different ones.
fn must_be_sorted(sorted: &[u8]) -> bool {
    let equal = sorted.windows(2).filter(|pair| pair[0] == pair[1]).count();
    sorted.len() <= 1 || (equal > 0 && equal < sorted.len() - 1)
}

/// Replaces the wildcards of an element by namespaces: two by all pairs in ascending order,
/// any other number by all multisets, each in descending order.
fn expand(element: &[u8], namespaces: &[u8]) -> Vec<Vec<u8>> {
    let is_wildcard = |letter: &&u8| **letter == WILDCARD;
    let wildcards = element.iter().filter(is_wildcard).count();
    let mut choices = multisets(namespaces, wildcards);
    if wildcards != 2 {
        choices.iter_mut().for_each(|choice| choice.reverse());
    }
    choices.iter().map(|choice| fill(element, choice)).collect()
}

/// All multisets of `size` namespaces, each ascending.
fn multisets(namespaces: &[u8], size: usize) -> Vec<Vec<u8>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let from = |start: usize| {
        multisets(&namespaces[start..], size - 1).into_iter().map(move |mut rest| {
            rest.insert(0, namespaces[start]);
            rest
        })
    };
    (0..namespaces.len()).flat_map(from).collect()
}

fn fill(element: &[u8], choice: &[u8]) -> Vec<u8> {
    let mut choice = choice.iter();
    let letter = |letter: &u8| match *letter {
        WILDCARD => *choice.next().expect("a namespace for every wildcard"),
        letter => letter,
    };
    element.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(given: &[&str], present: &str) -> Vec<String> {
        let given = given.iter().map(|element| element.as_bytes().to_vec()).collect();
        let expanded = Interactions::new(given).over(present.as_bytes());
        expanded.into_iter().map(|element| String::from_utf8(element).unwrap()).collect()
    }

    #[test]
    fn pairs_ascend_and_triples_of_different_namespaces_descend() {
        assert_eq!(over(&["::"], "jiF"), ["FF", "Fi", "Fj", "ii", "ij", "jj"]);
        let triples = over(&[":::"], "jiF");
        assert!(triples.contains(&"jiF".to_owned()) && triples.contains(&"FFi".to_owned()));
        assert_eq!(triples.len(), 10);
    }

    #[test]
    fn repetition_up_to_order_is_dropped_and_the_first_kept() {
        assert_eq!(over(&["ab", "ba", "ab"], "ab"), ["ab"]);
        assert_eq!(over(&["aba"], "ab"), ["aab"]);
        assert_eq!(over(&["cba"], "abc"), ["cba"]);
    }
}
