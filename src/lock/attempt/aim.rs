//! Which tokens a quorum will take next, by what the nodes have said of those proposed.

use super::Attempt;
use super::bid::Wish;
use crate::lock::event::Entropy;
use crate::lock::world::World;
use crate::node::{AHEAD, SKEW};

/// Tokens farther ahead of the time are followed only where a quorum wants them. Whose clock differs by less than that from this
/// one still takes them.
pub(super) fn farthest(wall: u64) -> u64 {
    wall.saturating_add(SKEW / 2)
}

impl Wish {
    pub(super) fn least(self) -> u64 {
        let (Self::Beyond(token) | Self::Near(token)) = self;
        token
    }

    /// It leads no farther than this token, and leaves our clock alone.
    pub(super) fn is_within(self, farthest: u64) -> bool {
        matches!(self, Self::Beyond(token) if token <= farthest)
    }
}

/// What is thought of the nodes' time.
struct Time {
    /// As this process knows it.
    wall: u64,
    /// More nodes contradict that than a minority.
    is_wrong: bool,
    /// The largest token near the time that a node wants to be passed.
    latest: u64,
}

impl Time {
    /// Whether who wants this, and may have told what its clock shows, will take tokens beyond that one.
    fn takes(&self, wish: Wish, clock: Option<u64>, token: u64) -> bool {
        match (wish, clock) {
            (Wish::Near(clock), _) => token.abs_diff(clock) <= SKEW,
            (Wish::Beyond(least), _) if token < least => false,
            (Wish::Beyond(least), Some(clock)) => token <= clock.saturating_add(SKEW).max(least.saturating_add(AHEAD)),
            (Wish::Beyond(least), None) => self.is_wrong || token <= farthest(self.wall).max(farthest(least)),
        }
    }

    /// The same of one that has not answered: it is taken for one whose clock shows the time, and that wants as much as others.
    fn may_take(&self, token: u64) -> bool {
        let is_near = token >= self.wall.saturating_sub(SKEW) && token <= farthest(self.wall);
        is_near && token >= self.latest
    }
}

/// What to do about tokens that a quorum has not taken.
pub(super) enum Aim {
    /// These may be.
    At(Wish),
    /// The silent nodes are to be heard first.
    Unclear,
    /// No others will be.
    Nowhere,
}

impl Attempt {
    /// The smallest that a quorum will take, as far as is known, so that a minority whose clock or fence lies far from the
    /// others' leads nobody astray; and as much beyond that as all of the quorum still take, up to what they take by their
    /// clocks: else one node could move tokens on without end. The last proposal does not rest on nodes that have said
    /// nothing: one that answers first each time, whatever it says, would have its way with them.
    pub(super) fn aim(&self, world: &World, entropy: &mut dyn Entropy, is_last: bool) -> Aim {
        let (quorum, wall) = (world.quorum(), world.wall(entropy));
        let votes = self.ballot.votes();
        let last = self.tokens.map_or(0, |tokens| tokens.last);
        let wish = |node: usize| match self.bid.wish(node) {
            Some(Wish::Beyond(token)) => Some(Wish::Beyond(token.max(last))),
            Some(near) => Some(near),
            // Who has granted the last proposal refuses anything that is not beyond it.
            None => (votes[node].yes != 0).then_some(Wish::Beyond(last)),
        };
        let wishes: Vec<Wish> = (0..votes.len()).filter_map(wish).collect();
        let silent = (0..votes.len()).filter(|node| self.asked >> node & 1 == 1 && !votes[*node].answered).count();
        let contradict = wishes.iter().filter(|wish| wish.least().abs_diff(wall) > SKEW).count();
        let is_wrong = contradict > votes.len() - quorum;
        // No quorum is left without one that contradicts: then the clock of who has granted may be as far on the other side of
        // what it has taken as it takes, whatever it showed when it last told.
        let is_short = contradict > (wishes.len() + silent).saturating_sub(quorum);
        let granted = |node: usize| votes[node].yes != 0 && self.bid.wish(node).is_none();
        let reach = last..=last.saturating_add(2 * SKEW);
        let timely = wishes.iter().filter(|wish| wish.is_within(farthest(wall)));
        let time = Time { wall, is_wrong, latest: timely.map(|wish| wish.least()).max().unwrap_or(0) };
        let takes = |node: usize, token: u64| {
            wish(node).is_some_and(|wish| time.takes(wish, world.clock_of(node), token))
                || (is_short && granted(node) && reach.contains(&token))
        };
        let heard = |aim: &Wish| (0..votes.len()).filter(|node| takes(*node, aim.least())).count();
        let takers = |aim: &Wish| {
            let heard = heard(aim);
            // Where our own clock is wrong, it says nothing of the silent ones: they are taken for such as all that have answered.
            let may_take = if is_wrong { heard == wishes.len() } else { time.may_take(aim.least()) };
            heard + if !is_last && may_take { silent } else { 0 }
        };
        let mut aims = wishes.clone();
        aims.sort_unstable_by_key(|wish| wish.least());
        let Some(aim) = aims.iter().copied().find(|aim| takers(aim) >= quorum) else {
            // Where others hold the key it takes all of the rest, which is not worth waiting for.
            if (0..votes.len()).any(|node| votes[node].no != 0 && self.bid.wish(node).is_none()) {
                return Aim::Nowhere;
            }
            if silent > 0 && aims.iter().any(|aim| heard(aim) + silent >= quorum) {
                return Aim::Unclear;
            }
            // What is far ahead would only raise fences in vain.
            let near = aims.into_iter().filter(|aim| aim.least() <= wall.saturating_add(SKEW));
            return near.max_by_key(takers).map_or(Aim::Nowhere, Aim::At);
        };
        let close = aim.least()..aim.least().saturating_add(AHEAD);
        let is_close = |wish: &Wish| close.contains(&wish.least()) && wish.is_within(farthest(wall));
        match aim {
            Wish::Near(_) => Aim::At(aim),
            Wish::Beyond(_) => Aim::At(aims.into_iter().rev().find(is_close).unwrap_or(aim)),
        }
    }
}
