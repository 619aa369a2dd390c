//! What the core cannot work out: random bits from the operating system, read ahead so that an id does not cost a system
//! call, and the wall clock. For users' tests the bits are the same each time.

use super::clock;
use crate::lock::Entropy;

const AHEAD: usize = 512;

pub(super) struct RandomPool {
    words: [u64; AHEAD],
    left: usize,
    /// Where the words come from, if not from the operating system: the state of a generator.
    seed: Option<u64>,
}

impl RandomPool {
    pub(super) const fn new() -> Self {
        Self { words: [0; AHEAD], left: 0, seed: None }
    }

    /// Gives the same words each time that it is made with this seed.
    pub(super) const fn seeded(seed: u64) -> Self {
        Self { words: [0; AHEAD], left: 0, seed: Some(mixed(seed)) }
    }

    fn fill(&mut self) {
        self.left = AHEAD;
        if let Some(state) = &mut self.seed {
            for word in &mut self.words {
                *state = state.wrapping_add(GOLDEN);
                *word = mixed(*state);
            }
            return;
        }
        let mut bytes = [0; AHEAD * 8];
        // Without randomness two holders could have one id: there is no going on.
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        for (word, chunk) in self.words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_ne_bytes(*chunk);
        }
    }
}

// SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mixed(state: u64) -> u64 {
    let word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl Entropy for RandomPool {
    fn bits(&mut self) -> u64 {
        if self.left == 0 {
            self.fill();
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
        let mut entropy = RandomPool::new();
        let words: BTreeSet<u64> = (0..AHEAD * 3).map(|_| entropy.bits()).collect();
        assert_eq!(words.len(), AHEAD * 3);
    }

    #[test]
    fn the_same_seed_gives_the_same_words_and_another_seed_others() {
        let words = |seed| {
            let mut entropy = RandomPool::seeded(seed);
            (0..AHEAD * 2).map(|_| entropy.bits()).collect::<Vec<_>>()
        };
        let (one, other) = (words(0), words(1));
        assert_eq!(one, words(0));
        assert_eq!(one.iter().chain(&other).collect::<BTreeSet<_>>().len(), AHEAD * 4);
    }
}
