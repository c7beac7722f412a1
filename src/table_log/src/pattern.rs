//! Patterns of column names.

/// Stands for the id of an action.
pub const ACTION: &str = "{action}";

/// Whether a pattern stands for several columns.
pub fn is_wildcard(pattern: &str) -> bool {
    pattern.contains('*')
}

/// Whether a pattern, in which `*` stands for any text, matches a name.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

/// The id of an action for which a name stands, by a pattern with `{action}`.
pub fn action<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let (before, behind) = pattern.split_once(ACTION)?;
    let id = name.strip_prefix(before)?.strip_suffix(behind)?;
    (!id.is_empty()).then_some(id)
}

/// The name of a feature of every action: the pattern without `{action}`.
pub fn feature(pattern: &str) -> String {
    let name = pattern.replace(ACTION, "");
    name.trim_matches(['_', '-', '.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("user_*", "user_age", true),
            ("user_*", "user_", true),
            ("user_*", "item_user_", false),
            ("*_id", "item_id", true),
            ("*", "", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("age", "age", true),
            ("age", "ages", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_column_of_an_action_names_it() {
        assert_eq!(action("affinity_{action}", "affinity_17"), Some("17"));
        assert_eq!(action("p({action})", "p(a)"), Some("a"));
        assert_eq!(action("p_{action}", "p_"), None);
        assert_eq!(feature("user-item_affinity_{action}"), "user-item_affinity");
    }
}
