/// Which of many weights were changed, by lines of the processor's memory.
#[derive(Debug, Clone)]
pub struct Changes {
    /// A bit a line.
    lines: Vec<u64>,
}

/// Four weights of sixteen bytes are a line of 64 bytes.
const LINE: usize = 4;

impl Changes {
    /// None of `weights` weights.
    pub fn none(weights: usize) -> Self {
        Self { lines: vec![0; weights.div_ceil(LINE * 64)] }
    }

    /// Marks the weight at `place`.
    #[inline]
    pub fn mark(&mut self, place: usize) {
        let line = place / LINE;
        self.lines[line / 64] |= 1 << (line % 64);
    }

    /// Marks every weight.
    pub fn mark_all(&mut self) {
        self.lines.fill(u64::MAX);
    }

    /// Copies what was changed, and forgets that it was.
    pub fn copy<T: Copy>(&mut self, from: &[T], to: &mut [T]) {
        for (index, lines) in self.lines.iter_mut().enumerate() {
            let mut marked = std::mem::take(lines);
            while marked != 0 {
                let line = index * 64 + marked.trailing_zeros() as usize;
                marked &= marked - 1;
                let range = line * LINE..((line + 1) * LINE).min(from.len());
                if let (Some(from), Some(to)) = (from.get(range.clone()), to.get_mut(range)) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_marked_is_copied_once() {
        let (from, mut to) = ([7; 1001], [0; 1001]);
        let mut changes = Changes::none(from.len());
        changes.mark(0);
        changes.mark(1000);
        changes.copy(&from, &mut to);
        assert_eq!(to.iter().filter(|value| **value == 7).count(), LINE + 1);
        changes.copy(&[8; 1001], &mut to);
        assert!(!to.contains(&8));
        changes.mark_all();
        changes.copy(&from, &mut to);
        assert_eq!(from, to);
    }
}
