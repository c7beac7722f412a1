//! Text files that users write: keys, policies, baselines, settings.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use diagnostic::text_of;
use scenario::where_it_may_be;

/// More than any of them needs.
pub const LARGEST: u64 = 64 << 20;

/// The text of a file, without the byte order mark that some editors put before it.
///
/// # Errors
/// If it does not exist, which names the place and what may have been meant, cannot be read, is
/// larger than 64 MiB or is no text, which names the line.
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
    let text = text_of(&bytes).map_err(|error| {
        let lines = || bytes[..error.at].split(|byte| *byte == b'\n');
        let (line, column) = (lines().count(), 1 + lines().next_back().map_or(0, <[u8]>::len));
        let message = format!("{error} in line {line}, byte {column}; {}", error.help());
        io::Error::new(ErrorKind::InvalidData, message)
    })?;
    Ok(text.to_owned())
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
        std::fs::write(&path, b"a\nab\xff").unwrap();
        let said = "not UTF-8 in line 2, byte 3; save the file in UTF-8";
        assert_eq!(read(&path).unwrap_err().to_string(), said);
    }
}
