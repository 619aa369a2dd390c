//! How long a lease stays inside this process: to whom it may be handed over, and when it is given up for others.
//!
//! A lease is handed over without a word to the nodes, as long as a quorum has promised enough of it. The nodes' answers
//! keep going to the slot in which it was granted, so that a renewal under way is not disturbed. With fencing each holder
//! has the next token of the lease's block, and an extension brings a new block when they are used up.

use std::time::Duration;

use super::attempt::Attempt;
use super::event::{Entropy, Kind};
use super::lease::Lease;
use super::mutant::Mutant;
use super::world::{Seat, World};
use crate::node::{Moment, Tokens};

#[derive(Clone, Debug, Hash)]
pub(super) struct Tenure {
    /// For how long the nodes were last asked to keep the keys.
    pub(super) ttl: Duration,
    since: Moment,
    hand_overs: u32,
    /// The other processes that wait are counted again after so many hand-overs, and not before that moment.
    next_count: (u32, Moment),
    /// How many other processes wait, as far as is known.
    others: Option<u32>,
    /// The next holder has been chosen, and an extension for it is under way.
    pub(super) prolonging: bool,
    /// It has left the queue.
    pub(super) has_left: bool,
}

/// What is to become of a lease that its holder gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The next who waits here may have it.
    HandOver,
    Release,
    /// Released, and not contended for at once: others have waited for long enough.
    StayOut {
        others: u32,
    },
}

impl Fate {
    /// How many other processes are to be let try first.
    pub(super) fn others(self) -> u32 {
        match self {
            Self::StayOut { others } => others,
            Self::HandOver | Self::Release => 0,
        }
    }
}

/// Not known for so many times the limit, it is taken for granted that another process waits.
const LIMITS_UNKNOWN: u32 = 4;
/// Clients of other kinds poll, and nobody knows of them.
const TTLS_MAX: u32 = 10;
/// Sections may be far shorter than a round trip: who has come since is seen so much later.
const COUNT_PAUSE: Duration = Duration::from_millis(1);

impl Tenure {
    pub(super) fn new(ttl: Duration, now: Moment) -> Self {
        Self { ttl, since: now, hand_overs: 0, next_count: (0, now), others: None, prolonging: false, has_left: false }
    }

    /// Since when this process has the keys.
    pub(super) fn since(&self) -> Moment {
        self.since
    }

    pub(super) fn has_been_handed_over(&self) -> bool {
        self.hand_overs > 0
    }

    pub(super) fn count(&mut self, others: u32) {
        self.others = Some(others);
    }

    fn is_over(&self, world: &World) -> bool {
        if world.config.has(Mutant::EndlessHandOver) {
            return false;
        }
        let (limit, held) = (world.config.handover_limit, world.now.since(self.since));
        let (many, long) = (self.hand_overs >= limit, held >= self.ttl);
        match self.others {
            _ if held >= self.ttl * TTLS_MAX => true,
            Some(others) => others > 0 && (many || long),
            None => self.hand_overs >= limit.saturating_mul(LIMITS_UNKNOWN),
        }
    }

    /// Twice before the limit is reached, and as often afterwards unless that is too often. True when it is time.
    fn begin_count(&mut self, world: &World) -> bool {
        let every = (world.config.handover_limit / 2).max(1);
        let (hand_overs, at) = self.next_count;
        let due = self.hand_overs >= hand_overs.max(every) && world.now >= at;
        if due {
            self.next_count = (self.hand_overs.saturating_add(every), world.now + COUNT_PAUSE);
        }
        due
    }
}

impl Lease {
    /// What is to become of it when its holder gives it back now.
    pub(super) fn fate(&self, world: &World) -> Fate {
        let sound = self.lost.is_none() && world.now < self.proven && !self.renewal.is_uncertain();
        if !sound || self.keys.single().is_none() {
            Fate::Release
        } else if self.tenure.is_over(world) {
            Fate::StayOut { others: self.tenure.others.unwrap_or(1).max(1) }
        } else {
            Fate::HandOver
        }
    }

    /// Becomes the lease of the next who waited. It is theirs at once when enough of it is left, else once a quorum
    /// has prolonged it.
    pub(super) fn hand_over(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat, next: Box<Attempt>) {
        self.ttl = next.call.ttl;
        self.granted_at = world.now;
        self.attempts = next.attempts().max(1);
        self.rounds_here = next.round;
        self.deadline = self.own_end(world);
        self.renewal.hand_over(next.call.renew, world);
        self.offer = Some(next);
        self.tenure.hand_overs += 1;
        if let Some(tokens) = &mut self.tokens {
            tokens.advance();
        }
        self.tenure.prolonging = !self.is_enough(world) || !self.has_token();
        if self.tenure.prolonging {
            self.prolong(world, entropy, seat);
        } else {
            self.renewal.schedule(self.deadline, world, entropy);
            world.notify(seat, Kind::Granted);
        }
        if self.tenure.begin_count(world) {
            self.count_others(world);
        }
    }

    /// Asks how many other processes wait.
    pub(super) fn count_others(&self, world: &mut World) {
        if let Some(key) = self.keys.single() {
            world.count(key);
        }
    }

    /// The end of the present handle's validity: its own, but not beyond what a quorum has promised.
    pub(super) fn own_end(&self, world: &World) -> Moment {
        self.proven.min(self.granted_at + world.config.validity(self.ttl))
    }

    /// Half of the ttl for a handle that is renewed, nine tenths for one that is not.
    fn is_enough(&self, world: &World) -> bool {
        let share = if self.renewal.is_on() { self.ttl / 2 } else { self.ttl / 10 * 9 };
        self.proven.since(world.now) >= share
    }

    /// There is one for the present holder, if holders have tokens.
    pub(super) fn has_token(&self) -> bool {
        self.tokens.is_none_or(Tokens::are_left)
    }

    /// An extension has succeeded while the next holder waits for it.
    pub(super) fn settle_offer(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat, own: bool) {
        if (!own && !self.is_enough(world)) || !self.has_token() {
            self.prolong(world, entropy, seat);
            return;
        }
        self.tenure.prolonging = false;
        self.granted_at = world.now;
        self.deadline = self.own_end(world);
        self.renewal.schedule(self.deadline, world, entropy);
        world.notify(seat, Kind::Granted);
    }

    /// In the queues: it holds the keys, or whom it was offered to may wait for them again.
    pub(super) fn keeps_place(&self) -> bool {
        !self.tenure.has_left && (self.lost.is_none() || self.offer.is_some())
    }

    /// It was to be prolonged for the next holder, and could not be: who waits for it contends anew.
    pub(super) fn has_fallen(&self) -> bool {
        self.tenure.prolonging && (self.lost.is_some() || self.renewal.is_uncertain())
    }
}
