//! Tokens that a server finds too small, or too far from its own clock, are proposed anew: same round, same id.

use super::{Attempt, Phase, Turn};
use crate::lock::event::Entropy;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Seat, World};
use crate::node::{Fault, FaultCode};

/// Proposals of one round after the first.
const REBIDS: u32 = 2;
const UNWANTED: &str = "it does not take the fencing tokens that were proposed: others are faster, or clocks differ";

/// How the tokens of one round have fared.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Bid {
    rebids: u32,
    /// One bit for each node that wants others.
    outbid: u16,
    /// The clock of one that finds them too far from it.
    clock: Option<u64>,
}

impl Attempt {
    /// A node would grant the keys, but not with these tokens: they must lie beyond one, or near its clock.
    pub(super) fn be_outbid(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        wish: Result<u64, u64>,
    ) -> Turn {
        match wish {
            Ok(least) => self.beyond = self.beyond.max(least),
            Err(clock) => self.bid.clock = Some(clock),
        }
        self.bid.outbid |= 1 << node;
        self.ballot.cast(node, 0, 0, Some(Fault::new(FaultCode::Protocol, UNWANTED)));
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
        match self.bid.clock {
            // What was proposed is not to be passed, but to be forgotten.
            Some(clock) => world.adopt_clock(entropy, clock),
            // Beyond what a node granted of the last ballot, too: it would refuse anything else.
            None => self.beyond = self.beyond.max(self.tokens.map_or(0, |tokens| tokens.last)),
        }
        self.bid = Bid { rebids: self.bid.rebids + 1, ..Bid::default() };
        self.rebids += 1;
        let earlier = self.ballot.clone();
        self.open_ballot(world, entropy);
        if world.config.has(Mutant::MixedBallots) {
            self.ballot.keep_grants(&earlier);
        }
        self.phase = self.asking(world, None);
        self.ask_rest(world, seat);
        self.decide(world, entropy, seat)
    }

    /// Rounds, as the user counts them.
    pub(in crate::lock) fn attempts(&self) -> u32 {
        self.round - self.rebids
    }
}
