//! Answers that a service compressed, although nobody asked for it.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use hyper::body::Bytes;
use reqwest::header::HeaderValue;

use super::failed::{CallFailure, LARGEST_ANSWER};
use record::{FailureKind, Violation};
use zstd_frames::ZstdReader;

/// The body without its `Content-Encoding`: a list of what was applied, the last of them last (RFC
/// 9110, 8.4).
pub(super) fn decompress(encoding: &HeaderValue, body: &Bytes) -> Result<Bytes, CallFailure> {
    let mut names = encoding.to_str().unwrap_or_default().split(',').rev();
    names.try_fold(body.clone(), |body, name| decoded(name.trim(), body))
}

fn decoded(name: &str, body: Bytes) -> Result<Bytes, CallFailure> {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        _ if body.is_empty() => Ok(body),
        "" | "identity" => Ok(body),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), &name),
        // Many services leave out the header of zlib that RFC 9110, 8.4.1.2 asks for.
        "deflate" if !has_zlib_header(&body) => read(DeflateDecoder::new(&*body), &name),
        "deflate" => read(ZlibDecoder::new(&*body), &name),
        "zstd" => read(ZstdReader::new(&*body), &name),
        _ => {
            let message = format!(
                "the answer is compressed as `{}`, which is not read: ask for another coding, as with \
                 `headers: {{ Accept-Encoding: identity }}`",
                name.escape_debug()
            );
            Err(violation(message))
        }
    }
}

/// Whether a stream begins as those of zlib do (RFC 1950, 2.2).
fn has_zlib_header(body: &[u8]) -> bool {
    let [first, second, ..] = *body else { return false };
    first & 0xf == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

fn read(decoder: impl Read, name: &str) -> Result<Bytes, CallFailure> {
    let mut body = Vec::new();
    let limit = LARGEST_ANSWER as u64 + 1;
    match decoder.take(limit).read_to_end(&mut body) {
        Ok(_) if body.len() > LARGEST_ANSWER => Err(CallFailure::large_answer()),
        Ok(_) => Ok(body.into()),
        Err(error) => {
            Err(violation(format!("the answer is not the `{name}` that it says: {error}")))
        }
    }
}

fn violation(message: String) -> CallFailure {
    CallFailure::new(FailureKind::Protocol(Violation::Encoding), message)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decompressed(encoding: &'static str, body: &[u8]) -> Result<Bytes, FailureKind> {
        let body = Bytes::copy_from_slice(body);
        let bytes = decompress(&HeaderValue::from_static(encoding), &body);
        bytes.map_err(|failed| failed.error.kind)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_known_is_read_and_what_is_not_is_a_violation() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"{}").unwrap();
        assert_eq!(decompressed("gzip", &gzip(b"{}")).unwrap(), "{}");
        assert_eq!(decompressed("deflate", &zlib.finish().unwrap()).unwrap(), "{}");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"{}").unwrap();
        let raw = raw.finish().unwrap();
        assert_eq!(decompressed("deflate", &raw).unwrap(), "{}");
        assert_eq!(decompressed("Deflate, identity,gzip", &gzip(&raw)).unwrap(), "{}");
        assert_eq!(decompressed("zstd", &zstd_frames::frame(b"{}")).unwrap(), "{}");
        assert_eq!(decompressed("identity", b"{}").unwrap(), "{}");
        assert_eq!(decompressed("br", b"").unwrap(), "");
        let encoding = Err(FailureKind::Protocol(Violation::Encoding));
        assert_eq!(decompressed("br", b"x"), encoding);
        assert_eq!(decompressed("gzip", b"{}"), encoding);
        assert_eq!(decompressed("gzip, br", b"{}"), encoding);
        assert_eq!(decompressed("zstd", b"{}"), encoding);
        assert_eq!(decompressed("zstd", &zstd_frames::frame(b"{}")[..9]), encoding);
        assert_eq!(decompressed("gzip, deflate", &gzip(&raw)), encoding);
    }

    #[test]
    fn a_bomb_is_too_large() {
        let bomb = gzip(&vec![0; LARGEST_ANSWER + 1]);
        assert!(bomb.len() < LARGEST_ANSWER / 100);
        assert_eq!(decompressed("gzip", &bomb), Err(FailureKind::Protocol(Violation::TooLarge)));
    }
}
