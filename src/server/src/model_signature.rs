use std::io::{Cursor, Read, Write};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use protocol::{ErrorCode, ServiceError};

/// Signs models and verifies its own signatures.
///
/// Services with the same key accept each other's models. Without a key, a signature is a
/// checksum.
pub(crate) struct ModelSigner(Ed25519KeyPair);

const MODEL: &str = "model.vw";
const SIGNER: &str = "signer.der";
const SIGNATURE: &str = "sha512_signature.bin";

/// The prefix of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The largest model in bytes, signed or not.
pub(crate) const LARGEST: usize = 128 << 20;

impl ModelSigner {
    /// The signer for a key of the service.
    pub fn new(key: &[u8]) -> Self {
        let seed = Sha256::new().chain_update(b"runner: signature of models").chain_update(key);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed.finalize());
        Self(pair.expect("every 32 bytes are the seed of a key"))
    }

    /// The model with its signature (Ed25519, which hashes with SHA-512) and the public
    /// key, as a zip.
    pub fn sign(&self, model: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(model);
        let files = [(MODEL, model), (SIGNER, &self.public()), (SIGNATURE, signature.as_ref())];
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, content) in files {
            archive.start_file(name, stored).expect("writing to memory does not fail");
            archive.write_all(content).expect("writing to memory does not fail");
        }
        archive.finish().expect("writing to memory does not fail").into_inner()
    }

    /// The model, if the signature is valid for the same key.
    pub fn open(&self, signed: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let mut archive = ZipArchive::new(Cursor::new(signed)).map_err(|error| {
            invalid_format(format!(
                "the body must be a zip as `GET /model?signed=true` gives: {error}"
            ))
        })?;
        let model = file(&mut archive, MODEL)?;
        let public = file(&mut archive, SIGNER)?;
        let signature = file(&mut archive, SIGNATURE)?;
        if public != self.public() {
            return Err(invalid_signature("the model was signed by a service with another key"));
        }
        UnparsedPublicKey::new(&ED25519, self.0.public_key())
            .verify(&model, &signature)
            .map_err(|_| invalid_signature("the signature is not that of this model"))?;
        Ok(model)
    }

    fn public(&self) -> Vec<u8> {
        [&SPKI[..], self.0.public_key().as_ref()].concat()
    }
}

fn file(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, ServiceError> {
    let unreadable = |why: String| invalid_format(format!("`{name}` in the zip: {why}"));
    let entry = archive.by_name(name).map_err(|error| unreadable(error.to_string()))?;
    let mut content = Vec::new();
    let most = LARGEST as u64 + 1;
    entry.take(most).read_to_end(&mut content).map_err(|error| unreadable(error.to_string()))?;
    if content.len() > LARGEST { Err(unreadable("too large".to_owned())) } else { Ok(content) }
}

fn invalid_format(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidModelImportFormat, message)
}

fn invalid_signature(message: &str) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidModelImportSignature, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        let signer = ModelSigner::new(b"key");
        let archive = signer.sign(b"a model");
        assert_eq!(signer.open(&archive).unwrap(), b"a model");
        let code = |signer: &ModelSigner, bytes: &[u8]| signer.open(bytes).unwrap_err().code;
        assert_eq!(
            code(&ModelSigner::new(b"other"), &archive),
            ErrorCode::InvalidModelImportSignature
        );
        assert_eq!(code(&signer, b"a model"), ErrorCode::InvalidModelImportFormat);
        assert_eq!(
            code(&signer, &archive[..archive.len() / 2]),
            ErrorCode::InvalidModelImportFormat
        );
    }

    #[test]
    fn a_model_that_was_changed_has_no_signature() {
        let signer = ModelSigner::new(b"");
        let forged = signer.sign(b"good");
        let other = signer.sign(b"evil");
        let place = |bytes: &[u8], word: &[u8]| bytes.windows(4).position(|found| found == word);
        let mut mixed = other.clone();
        let at = place(&other, b"evil").unwrap();
        mixed[at..at + 4].copy_from_slice(b"good");
        assert!(place(&forged, b"good").is_some());
        assert!(signer.open(&mixed).is_err());
    }
}
