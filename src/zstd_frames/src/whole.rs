use std::io::{self, Read};

use super::read::ZstdReader;

/// What the whole frames of a file hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WholeFrames {
    /// Their content.
    pub content: Vec<u8>,
    /// Where the last of them ends in the file, in bytes.
    pub end: usize,
}

/// The whole frames at the start of `bytes`; a torn one behind them is left out.
///
/// # Errors
/// When a frame is damaged that is not the last one.
pub fn whole_frames(bytes: &[u8]) -> io::Result<WholeFrames> {
    let mut whole = WholeFrames::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = whole.content.len();
        let mut reader = ZstdReader::of_one_frame(&mut rest);
        if let Err(error) = reader.read_to_end(&mut whole.content) {
            whole.content.truncate(before);
            // A torn frame is read up to the end of the file.
            return if rest.is_empty() { Ok(whole) } else { Err(error) };
        }
        whole.end = bytes.len() - rest.len();
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;

    #[test]
    fn a_file_that_is_cut_anywhere_has_its_whole_frames() {
        let rows = [&b"a,b\n"[..], b"", &b"1,2\n".repeat(50_000), b"3,4\n"];
        let frames = rows.map(frame);
        let file = frames.concat();
        let mut ends = vec![0];
        frames.iter().for_each(|frame| ends.push(ends[ends.len() - 1] + frame.len()));
        for cut in 0..=file.len() {
            let count = ends.iter().filter(|end| **end <= cut).count() - 1;
            let expected = WholeFrames { content: rows[..count].concat(), end: ends[count] };
            assert_eq!(whole_frames(&file[..cut]).unwrap(), expected, "{cut}");
        }
    }

    #[test]
    fn a_damaged_frame_before_the_last_one_is_an_error() {
        let mut file = [frame(b"first\n"), frame(b"second\n")].concat();
        file[frame(b"first\n").len() - 1] ^= 1;
        assert!(whole_frames(&file).is_err());
    }
}
