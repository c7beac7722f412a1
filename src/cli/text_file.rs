//! Text files that users write: keys, policies, baselines, settings.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use scenario::where_it_may_be;

/// More than any of them needs.
const LARGEST: u64 = 64 << 20;

/// The text of a file, without the byte order mark that some editors put before it.
///
/// # Errors
/// If it does not exist, which names the place and what may have been meant, cannot be read, is
/// larger than 64 MiB or is not UTF-8.
pub fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            io::Error::new(error.kind(), format!("it does not exist; {}", where_it_may_be(path)))
        }
        _ => error,
    });
    file?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is larger than 64 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::new(ErrorKind::InvalidData, format!("byte {at} is not UTF-8"))
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        for (bytes, expected) in [(&b"\xef\xbb\xbfkey"[..], "key"), (b"key", "key"), (b"", "")] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path).unwrap(), expected);
        }
        std::fs::write(&path, b"ab\xff").unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "byte 2 is not UTF-8");
    }
}
