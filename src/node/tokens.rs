//! Fencing tokens: integers by which a store tells an earlier holder of a lock from a later one.

/// A block of tokens that one lease may give out. Servers keep the last of the largest block that they granted, and
/// grant only blocks beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tokens {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Tokens for one holder and those to whom it hands over: one for each microsecond, since they begin at the wall clock.
/// In the simulator so few that they are used up.
pub(crate) const BLOCK: u64 = if cfg!(feature = "sim") { 2 } else { 64 };
/// A node takes a proposal so far beyond its fence, whatever its own clock says; in microseconds.
pub(crate) const AHEAD: u64 = 1_000_000;
/// A node takes a proposal so far from its own clock; in microseconds.
pub(crate) const SKEW: u64 = 5_000_000;
/// JavaScript's integers end below 2^53.
const END: u64 = 1 << 53;

impl Tokens {
    /// The next block beyond a token, at the proposer's wall clock if that is later, in microseconds since 1970.
    pub(crate) fn propose(wall: u64, beyond: u64) -> Self {
        let first = wall.max(beyond.saturating_add(1)).min(END - BLOCK);
        Self { first, last: first + BLOCK - 1 }
    }

    pub(crate) fn are_left(self) -> bool {
        self.first <= self.last
    }

    /// For the next holder.
    pub(crate) fn advance(&mut self) {
        self.first += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_begins_at_the_wall_clock_and_beyond_what_was_seen() {
        assert_eq!(Tokens::propose(1000, 0), Tokens { first: 1000, last: 1063 });
        assert_eq!(Tokens::propose(1000, 1063), Tokens { first: 1064, last: 1127 });
    }

    #[test]
    fn no_token_is_too_large_for_javascript() {
        let tokens = Tokens::propose(u64::MAX, u64::MAX);
        assert!(tokens.last < END);
    }

    #[test]
    fn a_block_serves_as_many_holders_as_it_has_tokens() {
        let mut tokens = Tokens::propose(5, 0);
        let mut holders = 0;
        while tokens.are_left() {
            holders += 1;
            tokens.advance();
        }
        assert_eq!(holders, BLOCK);
    }
}
