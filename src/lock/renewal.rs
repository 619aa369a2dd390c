//! Keeping a lease: rounds of extension, for the holder's renewal and for the user's `extend`.
//!
//! Only the answers to the present round count, with the moment at which that round was sent. While a round has
//! not succeeded the lease is uncertain: it is asked again until the old deadline, and then it is lost.

mod round;

use std::hash::{Hash, Hasher};
use std::time::Duration;

use super::backoff::draw;
use super::ballot::{Ballot, silence};
use super::event::{Entropy, Kind, Lost};
use super::lease::Lease;
use super::mutant::Mutant;
use super::stall::is_stalled;
use super::world::{Seat, World};
use crate::node::{Fault, Moment, Tokens};

pub(super) fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

#[derive(Clone, Debug, Hash)]
struct Extension {
    sent_at: Moment,
    until: Moment,
    ttl: Duration,
    /// The user waits for it.
    asked_for: bool,
    /// A new block for the holders to come: the old one is used up.
    tokens: Option<Tokens>,
    ballot: Ballot,
}

/// How the nodes answered the latest round, where that has failed.
#[derive(Clone, Debug, Default)]
struct Failed(Option<Ballot>);

/// Nothing is decided by it: states that differ in nothing else are the same.
impl Hash for Failed {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Renewal {
    /// The latest round: the tag of its answers.
    round: u32,
    extension: Option<Extension>,
    failed: Failed,
    /// One bit for each node that was sent the keys anew in the latest round.
    pub(super) filling: u16,
    /// One bit for each node in quarantine that was asked in the latest round.
    pub(super) seeding: u16,
    /// One bit for each node that was sent them once more in that round, with other tokens.
    pub(super) refilled: u16,
    /// The last tokens that nodes were sent in that round to be filled, at first and once more.
    pub(super) first_fill: u64,
    pub(super) second_fill: u64,
    /// The ttl that the user asked for, until the extension that serves it has ended.
    asked_ttl: Option<Duration>,
    next: Moment,
    on: bool,
    /// The latest round failed.
    uncertain: bool,
    /// Why it is not renewed any more.
    stopped: Option<Lost>,
    hold_until: Moment,
}

/// Part of the validity after which it is renewed; and of the ttl: with less left, a renewal is late.
const SHARE: u32 = 3;
/// The shortest time between two tries while uncertain, unless the deadline is near.
const UNCERTAIN_DELAY: Duration = Duration::from_millis(20);
const UNCERTAIN_FLOOR: Duration = Duration::from_millis(1);

impl Renewal {
    pub(super) fn new(round: u32, on: bool, world: &World) -> Self {
        Self {
            round,
            extension: None,
            failed: Failed::default(),
            filling: 0,
            seeding: 0,
            refilled: 0,
            first_fill: 0,
            second_fill: 0,
            asked_ttl: None,
            next: Moment::NEVER,
            on,
            uncertain: false,
            stopped: None,
            hold_until: world.now + world.config.max_hold,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    pub(super) fn is_uncertain(&self) -> bool {
        self.uncertain
    }

    /// Another holder has the lease now. A round under way goes on; nobody waits for it any more.
    pub(super) fn hand_over(&mut self, on: bool, world: &World) {
        self.asked_ttl = None;
        if let Some(extension) = &mut self.extension {
            extension.asked_for = false;
        }
        (self.on, self.stopped, self.next) = (on, None, Moment::NEVER);
        self.hold_until = world.now + world.config.max_hold;
    }

    pub(super) fn round(&self) -> u32 {
        self.round
    }

    pub(super) fn is_current(&self, round: u32) -> bool {
        self.round == round
    }

    /// The round under way brings a new block of tokens.
    fn has_new_block(&self) -> bool {
        self.extension.as_ref().is_some_and(|extension| extension.tokens.is_some())
    }

    pub(super) fn stopped(&self) -> Option<Lost> {
        self.stopped
    }

    /// Why a node has not confirmed the latest round, if it has been asked and has not.
    pub(super) fn fault(&self, node: usize) -> Option<Fault> {
        let earlier = self.failed.0.as_ref().and_then(|ballot| ballot.votes()[node].fault.clone());
        let Some(Extension { ballot, .. }) = &self.extension else { return earlier };
        let vote = &ballot.votes()[node];
        if vote.answered { vote.fault.clone() } else { earlier.or_else(|| Some(silence())) }
    }

    /// The user waits for an extension.
    pub(super) fn is_asked_for(&self) -> bool {
        self.asked_ttl.is_some()
    }

    pub(super) fn next(&self) -> Moment {
        self.extension.as_ref().map_or(self.next, |extension| extension.until)
    }

    /// At a third of the validity, drawn a little earlier so that leases taken together spread out.
    pub(super) fn schedule(&mut self, deadline: Moment, world: &World, entropy: &mut dyn Entropy) {
        self.next = Moment::NEVER;
        if self.on && self.stopped.is_none() {
            let third = deadline.since(world.now) / SHARE;
            self.next = world.now + draw(entropy, third * 7 / 8, third);
        }
    }
}

impl Lease {
    /// The user asks for an extension. One at a time; a renewal under way is let finish first.
    pub(super) fn extend(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat, ttl: Duration) -> Moment {
        if !self.is_valid(world.now) || self.renewal.asked_ttl.is_some() {
            world.notify(seat, Kind::ExtendFailed);
            return self.timer();
        }
        self.renewal.asked_ttl = Some(ttl);
        if self.renewal.extension.is_none() {
            self.begin_extension(world, entropy, seat);
        }
        self.timer()
    }

    /// A timer of the renewal is due, and the deadline has not passed.
    pub(super) fn keep(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        if let Some(extension) = &mut self.renewal.extension {
            extension.ballot.time_out();
            self.decide_extension(world, entropy, seat);
        } else if self.renewal.asked_ttl.is_some() || self.may_renew(world, seat) {
            self.begin_extension(world, entropy, seat);
        } else {
            self.renewal.next = Moment::NEVER;
        }
    }

    fn may_renew(&mut self, world: &mut World, seat: Seat) -> bool {
        if world.now >= self.renewal.hold_until {
            self.renewal.stopped = Some(Lost::MaxHold);
        } else if is_stalled(world, seat) {
            self.renewal.stopped = Some(Lost::Stalled);
        }
        self.renewal.on && self.renewal.stopped.is_none()
    }

    /// Has the lease extended for who is next, if no round is under way already.
    pub(super) fn prolong(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        if self.renewal.extension.is_none() {
            self.begin_extension(world, entropy, seat);
        }
    }

    /// A timer is due while the lease is being prolonged for who is next: who cannot wait any longer does not.
    pub(super) fn keep_for_offer(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        let out_of_time = self.offer.as_ref().is_none_or(|offer| world.now >= offer.deadline());
        if out_of_time || world.now >= self.proven {
            self.renewal.uncertain = true;
        } else {
            self.keep(world, entropy, seat);
        }
    }

    /// The round failed, but the lease is valid until its deadline: ask again until then, never in a hot loop.
    fn be_uncertain(&mut self, world: &mut World) {
        self.renewal.failed = Failed(self.renewal.extension.take().map(|extension| extension.ballot));
        self.renewal.uncertain = true;
        if world.config.has(Mutant::FailedExtendReleases) {
            self.give_back(world);
        }
        let delay = (world.members.round_trip() * 4).max(UNCERTAIN_DELAY);
        let left = self.deadline.since(world.now);
        self.renewal.next = world.now + delay.min(left / 8).max(UNCERTAIN_FLOOR);
    }
}
