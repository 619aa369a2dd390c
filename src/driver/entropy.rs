//! What the core cannot work out: random bits from the operating system, read ahead so that an id does not cost a system
//! call, and the wall clock.

use super::clock;
use crate::lock::Entropy;

const AHEAD: usize = 512;

pub(super) struct OsEntropy {
    words: [u64; AHEAD],
    left: usize,
}

impl OsEntropy {
    pub(super) const fn new() -> Self {
        Self { words: [0; AHEAD], left: 0 }
    }
}

impl Entropy for OsEntropy {
    fn bits(&mut self) -> u64 {
        if self.left == 0 {
            let mut bytes = [0; AHEAD * 8];
            // Without randomness two holders could have one id: there is no going on.
            getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
            for (word, chunk) in self.words.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_ne_bytes(*chunk);
            }
            self.left = AHEAD;
        }
        self.left -= 1;
        // Taken once: no word is ever given out twice, nor kept.
        std::mem::take(&mut self.words[self.left])
    }

    fn wall(&mut self) -> u64 {
        clock::wall()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn gives_no_word_twice() {
        let mut entropy = OsEntropy::new();
        let words: BTreeSet<u64> = (0..AHEAD * 3).map(|_| entropy.bits()).collect();
        assert_eq!(words.len(), AHEAD * 3);
    }
}
