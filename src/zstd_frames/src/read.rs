use std::error::Error;
use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What a frame begins with.
pub const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Decodes a source of frames.
pub struct ZstdReader<R> {
    source: R,
    decoder: FrameDecoder,
    within_frame: bool,
    /// How many frames are still to be read, if not all.
    frames_left: Option<u64>,
}

impl<R: BufRead> ZstdReader<R> {
    /// Decodes all frames of a source.
    #[must_use]
    pub fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), within_frame: false, frames_left: None }
    }

    /// Decodes one frame, and leaves the source behind it.
    #[must_use]
    pub fn of_one_frame(source: R) -> Self {
        Self { frames_left: Some(1), ..Self::new(source) }
    }

    /// Goes on to the next frame; false at the end of the source.
    fn next_frame(&mut self) -> io::Result<bool> {
        if self.frames_left == Some(0) || self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        self.frames_left = self.frames_left.map(|left| left - 1);
        match self.decoder.reset(&mut self.source) {
            Ok(()) => self.within_frame = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
            }
            Err(error) => return Err(damaged(&error)),
        }
        Ok(true)
    }

    fn decode_block(&mut self) -> io::Result<()> {
        let strategy = BlockDecodingStrategy::UptoBlocks(1);
        self.decoder.decode_blocks(&mut self.source, strategy).map_err(|error| damaged(&error))?;
        self.within_frame = !self.decoder.is_finished();
        Ok(())
    }

    /// Compares the checksum of the last frame, once all of it was handed out.
    fn check(&self) -> io::Result<()> {
        let written = self.decoder.get_checksum_from_data();
        if written.is_some() && written != self.decoder.get_calculated_checksum() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the checksum of zstd is wrong",
            ));
        }
        Ok(())
    }
}

fn damaged(error: &FrameDecoderError) -> io::Error {
    let message = if is_end(error) {
        "its zstd data end too early: copy the file again".to_owned()
    } else {
        format!("its zstd data are damaged: {error}")
    };
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Whether the source ended, however deep that is in the error.
fn is_end(error: &(dyn Error + 'static)) -> bool {
    let of_reading = error.downcast_ref::<io::Error>();
    let is_end = of_reading.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
    is_end || error.source().is_some_and(self::is_end)
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            if self.within_frame {
                self.decode_block()?;
                continue;
            }
            self.check()?;
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn decoded(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        ZstdReader::new(bytes).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn frames_follow_each_other_and_others_are_skipped() {
        let long = "line\n".repeat(100_000);
        let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
        let bytes = [frame(&long), skipped, frame(""), frame("end\n")].concat();
        assert_eq!(decoded(&bytes).unwrap(), format!("{long}end\n"));
    }

    #[test]
    fn what_is_not_whole_or_damaged_is_an_error() {
        let frame = compress_to_vec(&b"some text"[..], CompressionLevel::Fastest);
        for length in 1..frame.len() {
            assert!(decoded(&frame[..length]).is_err(), "{length}");
        }
        let mut damaged = frame;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(decoded(&damaged).is_err());
    }
}
