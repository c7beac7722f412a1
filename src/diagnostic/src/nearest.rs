/// The candidate that was probably meant by `name`, if one is near enough.
///
/// Near enough is a third of the length of the name in Damerau–Levenshtein steps, one
/// at least, and none for a single letter; the case of letters and `-` for `_` do not count.
///
/// ```
/// use diagnostic::nearest;
/// assert_eq!(nearest("concurency", ["rate", "concurrency"]), Some("concurrency"));
/// assert_eq!(nearest("bananas", ["rate", "concurrency"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(name);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &plain(candidate));
    let length = wanted.chars().count();
    let limit = (length / 3).max(usize::from(length > 1));
    let measured = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let (steps, candidate) = measured.min_by_key(|(steps, _)| *steps)?;
    (steps <= limit).then_some(candidate)
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn case_dashes_and_swapped_letters_are_near() {
        let names = ["iterations", "think_time", "rate"];
        assert_eq!(nearest("Think-Time", names), Some("think_time"));
        assert_eq!(nearest("itreations", names), Some("iterations"));
        assert_eq!(nearest("raet", names), Some("rate"));
    }

    #[test]
    fn short_names_are_near_only_by_one_step() {
        assert_eq!(nearest("x", ["yz"]), None);
        assert_eq!(nearest("p", ["1", "", "P"]), Some("P"));
        assert_eq!(nearest("p", ["1", ""]), None);
        assert_eq!(nearest("it", ["at"]), Some("at"));
        assert_eq!(nearest("", Vec::new()), None);
    }

    #[test]
    fn the_first_of_equally_near_candidates_wins() {
        assert_eq!(nearest("cat", ["bat", "hat"]), Some("bat"));
    }
}
