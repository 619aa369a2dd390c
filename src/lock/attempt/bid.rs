//! Tokens that a server finds too small, or too far from its own clock, are proposed anew: same round, same id.

use super::aim::{Aim, farthest};
use super::{Attempt, Phase, Turn};
use crate::lock::event::Entropy;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Seat, World};
use crate::node::{Fault, FaultCode, SKEW};

/// Proposals of one round after the first.
const REBIDS: u32 = 2;
const UNREASONED: &str = "it wants fencing tokens that would give it no reason to refuse those that were proposed";
const UNTIMELY: &str = "its clock is too far from the others' for the fencing tokens that were proposed";

/// What tokens a node wants that does not take those proposed.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Wish {
    /// Larger ones than this.
    Beyond(u64),
    /// Ones near its clock.
    Near(u64),
}

/// How the tokens of one round have fared.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Bid {
    rebids: u32,
    wishes: Vec<(usize, Wish)>,
}

impl Bid {
    pub(super) fn wish(&self, node: usize) -> Option<Wish> {
        self.wishes.iter().find(|(wishing, _)| *wishing == node).map(|(_, wish)| *wish)
    }
}

impl Attempt {
    /// A node would grant the keys, but not with these tokens: they must lie beyond one, or near its clock.
    pub(super) fn be_outbid(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        wish: Wish,
    ) -> Turn {
        let fits = self.fits(wish);
        if fits {
            self.bid.wishes.push((node, wish));
        }
        match wish {
            _ if !fits => self.ballot.cast(node, 0, 0, Some(Fault::new(FaultCode::Protocol, UNREASONED))),
            // Others are faster: that is no fault of the node.
            Wish::Beyond(_) => self.ballot.cast(node, 0, self.call.keys.mask(), None),
            Wish::Near(_) => self.ballot.cast(node, 0, 0, Some(Fault::new(FaultCode::Protocol, UNTIMELY))),
        }
        match self.phase {
            // The gate alone was asked: the key is free there, and the others will want other tokens as well. Where that
            // leads far from the time, they are heard first.
            Phase::Asking { rest: Some(_), .. }
                if fits && self.bid.rebids < REBIDS && wish.is_within(farthest(world.wall(entropy))) =>
            {
                self.rebid(world, entropy, seat)
            }
            Phase::Asking { rest: Some(_), .. } => self.open_gate(world, entropy, seat),
            _ => self.decide(world, entropy, seat),
        }
    }

    /// A server that keeps to the protocol may want that, and have refused what was proposed.
    fn fits(&self, wish: Wish) -> bool {
        let first = self.tokens.map_or(0, |tokens| tokens.first);
        match wish {
            Wish::Beyond(token) => token >= first,
            Wish::Near(clock) => clock.abs_diff(first) > SKEW,
        }
    }

    /// What was followed far from the time, in vain, is no beginning for another round.
    pub(super) fn forget_far(&mut self, wall: u64) {
        if self.beyond > farthest(wall) {
            self.beyond = 0;
        }
    }

    /// Other tokens may win, where these cannot.
    pub(super) fn may_rebid(&self, world: &World) -> bool {
        let is_against = |node: usize| {
            let vote = &self.ballot.votes()[node];
            vote.answered && vote.yes == 0 && self.bid.wish(node).is_none()
        };
        let against = (0..world.members.len()).filter(|node| is_against(*node)).count();
        !self.bid.wishes.is_empty() && self.bid.rebids < REBIDS && against <= world.members.len() - world.quorum()
    }

    /// Only grants of one ballot count together: with those of an earlier one, two holders could be in the wrong order.
    pub(super) fn rebid(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        let is_last = self.bid.rebids + 1 == REBIDS;
        let (wall, beyond) = match self.aim(world, entropy, is_last) {
            Aim::At(Wish::Beyond(token)) => (0, token),
            // What was proposed is not to be passed, but to be forgotten.
            Aim::At(Wish::Near(clock)) => (clock, 0),
            Aim::Unclear => return Turn::Wait(self.timer()),
            Aim::Nowhere => return self.fail_round(world, entropy, seat, true),
        };
        self.beyond = beyond;
        self.bid = Bid { rebids: self.bid.rebids + 1, wishes: Vec::new() };
        self.uncounted += 1;
        let earlier = self.ballot.clone();
        self.open_ballot(world, wall);
        if world.config.has(Mutant::MixedBallots) {
            self.ballot.keep_grants(&earlier);
        }
        self.phase = self.asking(world, None);
        self.ask_rest(world, seat);
        self.decide(world, entropy, seat)
    }

    /// Rounds, as the user counts them.
    pub(in crate::lock) fn attempts(&self) -> u32 {
        self.round - self.uncounted
    }
}
