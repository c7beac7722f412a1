use foldhash::HashMap;

/// Two ids that are told apart and are probably one: they differ in blanks or in capitals, or are
/// the same number.
#[must_use]
pub fn alike<'a>(ids: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let mut known: HashMap<String, &str> = HashMap::default();
    ids.into_iter().find_map(|id| {
        let before = known.insert(plain(id), id)?;
        (before != id).then_some((before, id))
    })
}

fn plain(id: &str) -> String {
    let words: Vec<&str> = id.split_whitespace().collect();
    let plain = words.join(" ").to_lowercase();
    match plain.parse::<f64>() {
        Ok(number) if number.is_finite() => number.to_string(),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_alike_that_people_take_for_one() {
        for (one, other) in
            [("tea", "tea "), ("Tea", "tea"), ("1", "1.0"), ("green tea", "green  tea")]
        {
            assert_eq!(alike(["juice", one, "2", other]), Some((one, other)));
        }
        assert_eq!(
            alike(["tea", "tee", "1", "10", "1.5", "-1", "nan", "inf", "NaN "]),
            Some(("nan", "NaN "))
        );
        assert_eq!(alike(["a", "b", "a"]), None);
    }
}
