use std::fmt;

/// A number with its unit, such as `50/s`, `10%` or `0.2`.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    pub value: f64,
    pub unit: String,
}

impl Amount {
    /// Reads a number with its unit.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_numeric = |character: char| character.is_ascii_digit() || "._-".contains(character);
        let end = text.find(|character| !is_numeric(character)).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let value = number.replace('_', "").parse::<f64>().ok().filter(|value| *value >= 0.0);
        let value = value.ok_or_else(|| {
            format!("expected a number that is not negative, with its unit, such as `50/s`, found `{text}`")
        })?;
        Ok(Self { value, unit: unit.to_owned() })
    }

    /// Another number of the same unit.
    pub fn of(&self, value: f64) -> Self {
        Self { value, unit: self.unit.clone() }
    }
}

/// With four significant digits, as it is tried.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", rounded(self.value), self.unit)
    }
}

/// A value with four significant digits.
pub fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = libm::pow(10.0, 3.0 - libm::floor(libm::log10(value.abs())));
    let scaled = (value * scale).round();
    if scale >= 1.0 { scaled / scale } else { scaled * libm::round(1.0 / scale) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_they_are_read() {
        for text in ["50/s", "10%", "0.2", "5m", "1234/s", "0/s"] {
            assert_eq!(Amount::parse(text).unwrap().to_string(), text);
        }
        let rate = Amount::parse("1_000/s").unwrap();
        assert_eq!(rate.of(123.456).to_string(), "123.5/s");
        assert_eq!(rate.of(0.012_345_6).to_string(), "0.01235/s");
        assert_eq!(rate.of(123_456.0).to_string(), "123500/s");
        assert!(Amount::parse("fast").is_err() && Amount::parse("-1/s").is_err());
    }
}
