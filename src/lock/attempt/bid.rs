//! Tokens that a server finds too small, or too far from its own clock, are proposed anew: same round, same id.

use super::{Attempt, Phase, Turn};
use crate::lock::event::Entropy;
use crate::lock::world::{Seat, World};

/// Proposals of one round after the first.
const REBIDS: u32 = 2;

/// How the tokens of one round have fared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bid {
    rebids: u32,
    /// One bit for each node that wants others.
    outbid: u16,
}

impl Attempt {
    /// A node would grant the keys, but not with these tokens.
    pub(super) fn be_outbid(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        least: u64,
    ) -> Turn {
        self.beyond = self.beyond.max(least);
        self.bid.outbid |= 1 << node;
        self.ballot.cast(node, 0, 0, None);
        match self.phase {
            // The gate alone was asked: the key is free there, and the others will want other tokens as well.
            Phase::Asking { rest: Some(_), .. } if self.bid.rebids < REBIDS => self.rebid(world, entropy, seat),
            Phase::Asking { rest: Some(_), .. } => self.open_gate(world, entropy, seat),
            _ => self.decide(world, entropy, seat),
        }
    }

    /// Other tokens may win, where these cannot.
    pub(super) fn may_rebid(&self, world: &World) -> bool {
        let is_against = |node: usize| {
            let vote = &self.ballot.votes()[node];
            vote.answered && vote.yes == 0 && self.bid.outbid >> node & 1 == 0
        };
        let against = (0..world.members.len()).filter(|node| is_against(*node)).count();
        self.bid.outbid != 0 && self.bid.rebids < REBIDS && against <= world.members.len() - world.quorum()
    }

    /// Only grants of one ballot count together: with those of an earlier one, two holders could be in the wrong order.
    pub(super) fn rebid(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        if let Phase::Asking { rest, .. } = &mut self.phase {
            *rest = None;
        }
        self.bid = Bid { rebids: self.bid.rebids + 1, outbid: 0 };
        self.rebids += 1;
        // Beyond what a node granted of the last ballot, too: it would refuse anything else.
        self.beyond = self.beyond.max(self.tokens.map_or(0, |tokens| tokens.last));
        self.open_ballot(world, entropy);
        self.ask_rest(world, seat);
        self.decide(world, entropy, seat)
    }

    /// Rounds, as the user counts them.
    pub(in crate::lock) fn attempts(&self) -> u32 {
        self.round - self.rebids
    }
}
