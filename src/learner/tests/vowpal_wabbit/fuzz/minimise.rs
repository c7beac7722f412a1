//! From a failing pair to a small one.

use std::ops::Range;

/// A policy and a log.
#[derive(Debug, Clone)]
pub struct Pair {
    pub policy: String,
    pub lines: Vec<String>,
}

/// So many smaller pairs are tried.
const TRIES: usize = 400;

/// A pair that fails too, and from which, within bounds, nothing can be taken away alone.
pub fn minimise(pair: &Pair, mut fails: impl FnMut(&Pair) -> bool) -> Pair {
    let (mut pair, mut tries) = (pair.clone(), 0);
    let mut fails = |pair: &Pair| {
        tries += 1;
        tries <= TRIES && fails(pair)
    };
    loop {
        let size = pair.size();
        take_lines(&mut pair, &mut fails);
        take_words(&mut pair, &mut fails);
        take_values(&mut pair, &mut fails);
        if pair.size() == size {
            return pair;
        }
    }
}

impl Pair {
    fn size(&self) -> usize {
        self.policy.len() + self.lines.iter().map(|line| line.len() + 1).sum::<usize>()
    }
}

fn replace_if(pair: &mut Pair, smaller: Pair, fails: &mut impl FnMut(&Pair) -> bool) -> bool {
    let is_taken = fails(&smaller);
    if is_taken {
        *pair = smaller;
    }
    is_taken
}

/// Takes away runs of lines, long ones first.
fn take_lines(pair: &mut Pair, fails: &mut impl FnMut(&Pair) -> bool) {
    let mut run = pair.lines.len().next_power_of_two();
    while run > 0 {
        let mut start = 0;
        while start < pair.lines.len() {
            let mut smaller = pair.clone();
            smaller.lines.drain(start..(start + run).min(pair.lines.len()));
            if !replace_if(pair, smaller, fails) {
                start += run;
            }
        }
        run /= 2;
    }
}

/// Takes away options, each with its value.
fn take_words(pair: &mut Pair, fails: &mut impl FnMut(&Pair) -> bool) {
    let mut at = 1;
    loop {
        let words: Vec<_> = pair.policy.split(' ').collect();
        if at >= words.len() {
            return;
        }
        let is_option = |word: &str| word.starts_with('-') && word.parse::<f64>().is_err();
        let next = words[at + 1..].iter().position(|word| is_option(word));
        let end = next.map_or(words.len(), |next| at + 1 + next);
        let policy = [&words[..at], &words[end..]].concat().join(" ");
        let smaller = Pair { policy, lines: pair.lines.clone() };
        if !replace_if(pair, smaller, fails) {
            at = end;
        }
    }
}

/// Takes away members of objects and elements of arrays.
fn take_values(pair: &mut Pair, fails: &mut impl FnMut(&Pair) -> bool) {
    for line in 0..pair.lines.len() {
        let mut at = 0;
        loop {
            let parts = parts(&pair.lines[line]);
            let Some(part) = parts.get(at) else { break };
            let mut smaller = pair.clone();
            smaller.lines[line].replace_range(part.clone(), "");
            if !replace_if(pair, smaller, fails) {
                at += 1;
            }
        }
    }
}

/// The members and elements of a text, each with a comma beside it.
fn parts(text: &str) -> Vec<Range<usize>> {
    let (mut parts, mut open, mut in_string, mut escaped) = (Vec::new(), Vec::new(), false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => open.push(at + 1),
            b',' | b'}' | b']' => {
                let Some(start) = open.pop() else { continue };
                if start < at {
                    parts.push(start..if byte == b',' { at + 1 } else { at });
                }
                if byte == b',' {
                    open.push(at + 1);
                }
            }
            _ => {}
        }
    }
    // The last part takes the comma before it along.
    for part in &mut parts {
        let is_last = !text[part.clone()].ends_with(',');
        if is_last && text[..part.start].ends_with(',') {
            part.start -= 1;
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}
