/// How features become indices. Events hashed in one way serve every policy that
/// hashes in that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Hashing {
    pub(crate) mode: HashMode,
    /// `--chain_hash`: key and value are hashed one after the other.
    pub(crate) chain: bool,
    /// `--hash_seed`
    pub(crate) seed: u32,
}

/// `--hash`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum HashMode {
    /// Numbers stand for themselves.
    #[default]
    Strings,
    /// Everything is hashed.
    All,
}

impl Hashing {
    /// The hash of a namespace.
    pub fn namespace(self, name: &[u8]) -> u32 {
        self.text(name, self.seed)
    }

    /// The hash of a text within a namespace (`hashstring.h`). As in C, it ends at the
    /// first zero byte.
    pub fn text(self, text: &[u8], seed: u32) -> u32 {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let text = &text[..end];
        match self.mode {
            HashMode::All => uniform_hash(text, seed),
            HashMode::Strings => hash_string(trim(text), seed),
        }
    }
}

/// Digits are a number, and a number is its own hash.
fn hash_string(text: &[u8], seed: u32) -> u32 {
    if text.iter().all(u8::is_ascii_digit) {
        let digit =
            |number: u32, digit: &u8| number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'));
        text.iter().fold(0, digit).wrapping_add(seed)
    } else {
        uniform_hash(text, seed)
    }
}

fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte > 0x20;
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    &text[start..end]
}

/// `MurmurHash3_x86_32` (Austin Appleby; `hash.h`, `uniform_hash`).
#[must_use]
pub fn uniform_hash(bytes: &[u8], seed: u32) -> u32 {
    let chunks = bytes.chunks_exact(4);
    let tail = chunks.remainder();
    let block = |hash: u32, chunk: &[u8]| {
        let word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        (hash ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    };
    let hash = chunks.fold(seed, block);
    let rest = tail.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
    #[expect(clippy::cast_possible_truncation, reason = "murmur takes the length modulo 2^32")]
    finish(hash ^ scramble(rest) ^ bytes.len() as u32)
}

fn scramble(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn finish(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur_is_murmur() {
        assert_eq!(uniform_hash(b"", 0), 0);
        assert_eq!(uniform_hash(b"abc", 0), 0xb3dd_93fa);
        assert_eq!(uniform_hash(b"hello world", 0), 0x5e92_8f0f);
        assert_eq!(uniform_hash(b"abc", 42), 0x4e4f_1e68);
    }

    #[test]
    fn hashes_of_the_coffee_domain_are_vws() {
        let hashing = Hashing::default();
        let context = hashing.namespace(b"FromUrl");
        assert_eq!(context, 2_800_129_035);
        assert_eq!(hashing.text(b"timeofdayMorning", context), 858_749_005);
        let action = hashing.namespace(b"i");
        assert_eq!(action, 2_165_993_515);
        assert_eq!(hashing.text(b"idCold_brew", action), 2_987_432_685);
    }

    #[test]
    fn digits_stand_for_themselves_after_trimming() {
        let hashing = Hashing::default();
        assert_eq!(hashing.text(b" 12\t", 5), 17);
        assert_eq!(hashing.text(b"4294967297", 5), 6);
        let all = Hashing { mode: HashMode::All, ..hashing };
        assert_eq!(all.text(b" 12\t", 5), uniform_hash(b" 12\t", 5));
    }
}
