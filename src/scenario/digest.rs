//! The identity of a plan.

use std::fmt::Write as _;
use std::io;

use sha2::{Digest, Sha256};

use super::plan::Plan;

/// SHA-256 over the plan as JSON, in hex digits.
///
/// The fields that do not decide what is sent, and secrets, are not in that JSON. It is
/// made of the plan and not of the file, so comments, notations, defaults and the
/// format of a data set make no difference.
pub(super) fn digest(plan: &Plan) -> String {
    let mut hash = Hash(Sha256::new());
    // Neither a hash nor the values of a plan can refuse.
    serde_json::to_writer(&mut hash, plan).unwrap_or_default();
    let mut digits = String::new();
    for byte in hash.0.finalize() {
        // Writing to a text cannot fail.
        _ = write!(digits, "{byte:02x}");
    }
    digits
}

struct Hash(Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
