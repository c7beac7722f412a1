//! The header: version, range of labels, bits, options, checksum.

use super::VwModelError;
use super::bytes::{Reader, Writer};
use super::options;
use crate::learner::Learner;

/// The version that is read and written.
const VERSION: &str = "9.11.9";

/// The length of VW's longest version, and more than that of any other text here.
const LONGEST_VERSION: usize = 32;

/// What the header says.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub lowest_label: f32,
    pub highest_label: f32,
    pub bits: u32,
    /// The options that VW keeps.
    pub options: String,
    /// The state of the generator, which VW keeps as `--random_seed`.
    pub random_state: u64,
}

impl Header {
    /// The header of a learner.
    pub fn of(learner: &mut Learner) -> Self {
        let random_state = learner.random_state();
        let range = learner.online_state();
        Self {
            lowest_label: range.lowest,
            highest_label: range.highest,
            bits: learner.policy().settings.bits,
            options: options::of(learner.policy().arguments()),
            random_state,
        }
    }

    pub fn read(reader: &mut Reader<'_>) -> Result<Self, VwModelError> {
        version(reader)?;
        // What came before is not part of the hash.
        reader.hash = 0;
        reader.text("name")?;
        if reader.u8("header")? != b'm' {
            return Err(VwModelError::Foreign);
        }
        let (lowest_label, highest_label) = (reader.f32("header")?, reader.f32("header")?);
        let bits = reader.u32("header")?;
        let [lda, ngrams, skips] =
            [reader.u32("header")?, reader.u32("header")?, reader.u32("header")?];
        for (count, option) in [(lda, "--lda"), (ngrams, "--ngram"), (skips, "--skips")] {
            if count > 0 {
                return Err(VwModelError::Unsupported(format!("`{option}`")));
            }
        }
        let text = reader.text("options")?;
        let expected = reader.hash;
        if reader.u32("checksum")? != 4 || reader.u32("checksum")? != expected {
            return Err(VwModelError::Checksum);
        }
        let (options, random_state) = options::without_random_state(text)?;
        Ok(Self { lowest_label, highest_label, bits, options, random_state })
    }

    /// Whether the model was one for slots.
    pub fn fills_slots(&self) -> bool {
        self.options.split(' ').any(|word| word == "--ccb_explore_adf")
    }

    pub fn write(&self, writer: &mut Writer) {
        writer.text(VERSION);
        writer.hash = 0;
        writer.text("");
        writer.put(b"m");
        writer.f32(self.lowest_label);
        writer.f32(self.highest_label);
        writer.u32(self.bits);
        (0..3).for_each(|_| writer.u32(0));
        let state = match self.random_state {
            0 => String::new(),
            state => format!(" --random_seed {state}"),
        };
        writer.text(&format!("{}{state}", self.options));
        let hash = writer.hash;
        writer.u32(4);
        writer.u32(hash);
    }
}

fn version(reader: &mut Reader<'_>) -> Result<(), VwModelError> {
    let mut ahead = reader.clone();
    let length = ahead.u32("version").map_err(|_| VwModelError::Foreign)? as usize;
    if !(2..=LONGEST_VERSION).contains(&length) {
        return Err(VwModelError::Foreign);
    }
    let version = reader.text("version")?;
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match (is_version, version == VERSION) {
        (false, _) => Err(VwModelError::Foreign),
        (true, false) => Err(VwModelError::Version(version.to_owned())),
        (true, true) => Ok(()),
    }
}
