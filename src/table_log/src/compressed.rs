use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use zstd_frames::ZstdReader;

/// What gzip begins with (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// How much is read at a time.
const BUFFER: usize = 1 << 18;

/// The content of a file, decompressed where it is compressed by gzip or Zstandard.
///
/// # Errors
/// If its beginning cannot be read.
pub fn decompressed(
    mut file: impl BufRead + Send + 'static,
) -> io::Result<Box<dyn BufRead + Send>> {
    let beginning = file.fill_buf()?;
    let (is_gzip, is_zstd) =
        (beginning.starts_with(GZIP), beginning.starts_with(zstd_frames::MAGIC));
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(BUFFER, Gzip(MultiGzDecoder::new(file))))
    } else if is_zstd {
        Box::new(BufReader::with_capacity(BUFFER, ZstdReader::new(file)))
    } else {
        Box::new(file)
    })
}

/// Says of gzip what is wrong with it.
struct Gzip<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let message = match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    "its gzip data end too early: copy the file again".to_owned()
                }
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    format!("its gzip data are damaged, or others follow them: {error}")
                }
                _ => return error,
            };
            io::Error::new(error.kind(), message)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompressed(io::Cursor::new(bytes))?.read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn parts_that_were_compressed_one_by_one_are_one_text() {
        let (one, other) = ("a,b\n1,".repeat(9_000), "2\n".repeat(100_000));
        let whole = format!("{one}{other}");
        let frames = [&one, &other].map(|part| zstd_frames::frame(part.as_bytes()));
        for bytes in
            [[gzip(&one), gzip(&other)].concat(), frames.concat(), whole.clone().into_bytes()]
        {
            assert_eq!(read(bytes).unwrap(), whole);
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_told() {
        let numbers: Vec<String> = (0..9_000).map(|number: u32| number.to_string()).collect();
        let text = numbers.join(",");
        let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
        let told = |bytes| read(bytes).unwrap_err().to_string();
        assert!(told(cut(gzip(&text))).contains("gzip data end too early"));
        assert!(told(cut(zstd_frames::frame(text.as_bytes()))).contains("zstd data end too early"));
        let behind = told([gzip(&text), b"more than a header is long".to_vec()].concat());
        assert!(behind.contains("others follow them"), "{behind}");
    }
}
