use std::fmt::Write;

use sha2::{Digest, Sha256};

use timestamp::Timestamp;

/// 32 hexadecimal digits derived from `parts`. The service draws a GUID; a derived one makes
/// runs reproducible.
pub(crate) fn identifier(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An event id as the service makes them: 32 digits, and when it was made.
pub(crate) fn event_id(app_id: &str, number: u64, now: Timestamp) -> String {
    let digits = identifier(&[app_id, "event", &number.to_string(), &now.to_string()]);
    format!("{digits}-{}", base_62(seconds_since_epoch(now)))
}

/// Whole seconds since 2017-09-16T00:00:00Z (learning-loop, `ULongEncoder`).
fn seconds_since_epoch(now: Timestamp) -> u64 {
    const EPOCH: Timestamp = Timestamp::from_unix_micros(1_505_520_000_000_000);
    now.since(EPOCH).as_secs()
}

/// Digits, small letters, capital letters; the most significant first.
fn base_62(mut number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut text = Vec::new();
    loop {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        text.push(char::from(DIGITS[digit]));
        number /= 62;
        if number == 0 {
            return text.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_the_one_that_the_service_recorded() {
        let recorded = "2022-08-10T08:58:36Z".parse().unwrap();
        assert_eq!(base_62(seconds_since_epoch(recorded)), "asH1i");
    }

    #[test]
    fn the_ends_of_parts_count() {
        assert_ne!(identifier(&["ab", "c"]), identifier(&["a", "bc"]));
        assert_eq!(identifier(&["ab", "c"]).len(), 32);
    }
}
