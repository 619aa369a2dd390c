//! Tokens that a server finds too small, or too far from its own clock, are proposed anew: same round, same id.

use std::cmp::Reverse;

use super::{Attempt, Phase, Turn};
use crate::lock::event::Entropy;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Seat, World};
use crate::node::{AHEAD, Fault, FaultCode, SKEW};

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

impl Wish {
    fn least(self) -> u64 {
        let (Self::Beyond(token) | Self::Near(token)) = self;
        token
    }

    /// It leads no farther than this token, and leaves our clock alone.
    fn is_within(self, farthest: u64) -> bool {
        matches!(self, Self::Beyond(token) if token <= farthest)
    }
}

/// Tokens farther ahead of the time are followed only where a quorum wants them. All whose clocks differ by less than that from
/// this one's still take them.
fn farthest(wall: u64) -> u64 {
    wall.saturating_add(SKEW / 2)
}

/// So many nodes, as far as their wishes tell, would take tokens of this time.
fn alike(wishes: &[Wish], time: u64) -> usize {
    wishes.iter().filter(|wish| wish.least().abs_diff(time) <= SKEW).count()
}

impl Bid {
    fn wish(&self, node: usize) -> Option<Wish> {
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
        let (wall, beyond) = match self.aim(world.quorum(), world.wall(entropy)) {
            Wish::Beyond(token) => (0, token),
            // What was proposed is not to be passed, but to be forgotten.
            Wish::Near(clock) => (clock, 0),
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

    /// The tokens that a quorum will take next, as far as is known: the quorum-th smallest of what the nodes want, so that
    /// a minority whose clock or fence lies far from the others' leads nobody astray; and as much beyond that as all of
    /// the quorum still take, up to what they take by their clocks: else one node could move tokens on without end.
    /// Nodes that have not answered are taken to want as much as any other whose wish fits the time, as far as that is
    /// known; where none does, what most others want.
    fn aim(&self, quorum: usize, wall: u64) -> Wish {
        let last = self.tokens.map_or(0, |tokens| tokens.last);
        let nodes = 0..self.ballot.votes().len();
        let wish = |node: usize| match self.bid.wish(node) {
            Some(Wish::Beyond(token)) => Some(Wish::Beyond(token.max(last))),
            Some(near) => Some(near),
            // Who has granted the last proposal refuses anything that is not beyond it.
            None => (self.ballot.votes()[node].yes != 0).then_some(Wish::Beyond(last)),
        };
        let mut wishes: Vec<Wish> = nodes.clone().filter_map(wish).collect();
        let is_silent = |node: &usize| self.asked >> node & 1 == 1 && !self.ballot.has_answered(*node);
        let off = |wish: &&Wish| wish.least().abs_diff(wall);
        let farthest = farthest(wall);
        let is_timely = |wish: &&Wish| wish.is_within(farthest) && off(wish) <= SKEW;
        let timely = wishes.iter().filter(is_timely).max_by_key(|wish| wish.least());
        let alike = |wish: &&Wish| (Reverse(alike(&wishes, wish.least())), off(wish));
        if let Some(likely) = timely.or_else(|| wishes.iter().min_by_key(alike)).copied() {
            wishes.extend(nodes.filter(is_silent).map(|_| likely));
        }
        wishes.sort_unstable_by_key(|wish| wish.least());
        let Some(aim) = wishes.get(quorum.saturating_sub(1)).or(wishes.last()).copied() else {
            return Wish::Beyond(last);
        };
        let is_close = |wish: &Wish| {
            (aim.least()..aim.least().saturating_add(AHEAD)).contains(&wish.least()) && wish.is_within(farthest)
        };
        match aim {
            Wish::Near(_) => aim,
            Wish::Beyond(_) => wishes.into_iter().rev().find(is_close).unwrap_or(aim),
        }
    }

    /// Rounds, as the user counts them.
    pub(in crate::lock) fn attempts(&self) -> u32 {
        self.round - self.uncounted
    }
}
