/// What may separate the fields of a table.
pub(crate) const SEPARATORS: [u8; 4] = *b",;\t|";

/// What separates the fields of a table in CSV: a comma, or what its header has instead of one.
#[must_use]
pub fn separator(beginning: &[u8]) -> u8 {
    let header = beginning.trim_ascii_start().split(|byte| *byte == b'\n').next();
    let mut is_quoted = false;
    let mut counts = SEPARATORS.map(|separator| (separator, 0));
    for byte in header.unwrap_or_default() {
        is_quoted ^= *byte == b'"';
        let known = counts.iter_mut().find(|(separator, _)| separator == byte && !is_quoted);
        known.into_iter().for_each(|(_, count)| *count += 1);
    }
    // The first of equally frequent ones: a comma, if there is none.
    let most = counts.into_iter().reduce(|best, other| if other.1 > best.1 { other } else { best });
    most.map_or(b',', |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::separator;

    #[test]
    fn the_header_says_what_separates_fields() {
        for (text, expected) in [
            ("a,b;c,d\n;;;;;", b','),
            ("a;b;c\n1,2;3;4", b';'),
            ("a\tb, c\td", b'\t'),
            ("a|b|c\n1,2,3,4", b'|'),
            ("\"a;b;c\",d", b','),
            ("alone", b','),
            ("", b','),
        ] {
            assert_eq!(separator(text.as_bytes()), expected, "{text}");
        }
    }
}
