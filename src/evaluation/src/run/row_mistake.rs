/// Why the row of a table is no choice. The order is that of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowMistake {
    /// It cannot be read, or is no object of JSON.
    Unreadable,
    /// It is not UTF-8.
    NotUtf8,
    /// It has a NUL byte.
    Nul,
    /// It has another number of fields than the header.
    Fields,
    /// It names no action.
    NoAction,
    /// Its action is none of the list.
    UnknownAction,
    /// The list of the actions that could be chosen cannot be read, or names one twice.
    Available,
    /// Its action is none of those that could be chosen.
    Unavailable,
    /// Its reward is no finite number.
    Reward,
    /// Its probability is missing or no number in (0, 1].
    Probability,
}

impl RowMistake {
    /// What is wrong with the row.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "cannot be read",
            Self::NotUtf8 => "is not UTF-8",
            Self::Nul => "has a NUL byte",
            Self::Fields => "has another number of fields than the header",
            Self::NoAction => "names no action",
            Self::UnknownAction => "has an action that is not in the list",
            Self::Available => "does not list the actions that could be chosen, each once",
            Self::Unavailable => "has an action that is none of those that could be chosen",
            Self::Reward => "has a reward that is not a finite number",
            Self::Probability => "has a probability that is not a number in (0, 1]",
        }
    }

    /// What to do about it, where what was found tells.
    pub(super) fn remedy(self, found: &str) -> Option<&'static str> {
        match self {
            Self::Available => Some("write a list in JSON, or ids separated by `|`"),
            Self::Reward => remedy_of_number(found),
            Self::Probability => remedy_of_number(found).or_else(|| remedy_of_probability(found)),
            _ => None,
        }
    }
}

/// Numbers that people and their tools write otherwise than as digits and a point.
fn remedy_of_number(found: &str) -> Option<&'static str> {
    const NOT_KNOWN: [&str; 8] = ["nan", "na", "n/a", "null", "none", "nil", "\\n", "-"];
    const ANSWERS: [&str; 6] = ["yes", "no", "y", "n", "t", "f"];
    let found = found.trim().to_ascii_lowercase();
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    if NOT_KNOWN.contains(&found.as_str()) {
        return Some("leave the field empty where the number is not known");
    }
    if ANSWERS.contains(&found.as_str()) {
        return Some("write 1 and 0");
    }
    if found.strip_suffix('%').is_some_and(|share| is_number(share.trim_end())) {
        return Some("write shares of one, 0.5 for 50 %");
    }
    let is_grouped = found.contains(',') && is_number(&found.replace(',', ""));
    is_grouped.then_some("write a point before the decimals, and nothing between thousands")
}

fn remedy_of_probability(found: &str) -> Option<&'static str> {
    let number: f64 = found.trim().parse().ok()?;
    if number < 0.0 {
        Some("of a logarithm take `exp(x)`, of a logit `1 / (1 + exp(-x))`")
    } else {
        (number > 1.0 && number <= 100.0).then_some("write shares of one, 0.5 for 50 %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_tells_what_to_write() {
        use RowMistake::{Available, Fields, Probability, Reward};
        for (mistake, found, said) in [
            (Reward, "0,5", "a point"),
            (Reward, "1,000", "nothing between thousands"),
            (Reward, "NaN", "leave the field empty"),
            (Reward, "\\N", "leave the field empty"),
            (Reward, "Yes", "1 and 0"),
            (Reward, "50 %", "0.5 for 50 %"),
            (Probability, "50%", "0.5 for 50 %"),
            (Probability, "50.0", "0.5 for 50 %"),
            (Probability, "-0.69", "`exp(x)`"),
            (Probability, "0,25", "a point"),
            (Available, "['a', 'b']", "in JSON"),
        ] {
            let remedy = mistake.remedy(found).unwrap_or_default();
            assert!(remedy.contains(said), "{found}: {remedy}");
        }
        for (mistake, found) in [
            (Reward, "many"),
            (Reward, "inf"),
            (Reward, "[0,1]"),
            (Probability, "0"),
            (Probability, "1e9"),
            (Fields, "50%"),
        ] {
            assert_eq!(mistake.remedy(found), None, "{found}");
        }
    }
}
