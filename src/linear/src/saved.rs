//! A model on disk: magic, version, the length of what follows, its SHA-256, and the model.

use sha2::{Digest, Sha256};

use crate::Model;

const MAGIC: [u8; 8] = *b"rnrlinea";
const VERSION: u16 = 1;
const HEADER: usize = 8 + 2 + 8 + 32;

/// Why bytes are not a linear model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// They begin otherwise.
    #[error("this is not a saved linear model")]
    Foreign,
    /// They were written by another version of the program.
    #[error("a saved linear model of version {0}, where version {VERSION} is read")]
    Version(u16),
    /// They are not what was written.
    #[error("a saved linear model that is damaged: its length or its checksum is wrong")]
    Damaged,
    /// The checksum is valid, the content is inconsistent.
    #[error("a saved linear model that cannot be read: {0}")]
    Content(String),
}

impl Model {
    /// The model as bytes.
    ///
    /// # Panics
    /// If memory runs out.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let content = postcard::to_stdvec(self).expect("a model has a length");
        let mut bytes = Vec::with_capacity(HEADER + content.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&Sha256::digest(&content));
        bytes.extend_from_slice(&content);
        bytes
    }

    /// Whether bytes begin as those of a saved linear model.
    #[must_use]
    pub fn is_saved(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// The model that was saved.
    ///
    /// # Errors
    /// When the bytes are not those of a saved linear model, or not all of them.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(LoadError::Foreign)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(LoadError::Damaged)?;
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            return Err(LoadError::Version(version));
        }
        let (length, rest) = rest.split_first_chunk::<8>().ok_or(LoadError::Damaged)?;
        let (checksum, content) = rest.split_first_chunk::<32>().ok_or(LoadError::Damaged)?;
        let is_whole = u64::from_le_bytes(*length) == content.len() as u64
            && Sha256::digest(content)[..] == checksum[..];
        if !is_whole {
            return Err(LoadError::Damaged);
        }
        let unreadable = |error: String| LoadError::Content(error);
        let model: Self =
            postcard::from_bytes(content).map_err(|error| unreadable(error.to_string()))?;
        model.check().map_err(unreadable)?;
        Ok(model)
    }
}
