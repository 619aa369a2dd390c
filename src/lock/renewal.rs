//! Keeping a lease: rounds of extension, for the holder's renewal and for the user's `extend`.
//!
//! Only the answers to the present round count, with the moment at which that round was sent. While a round has
//! not succeeded the lease is uncertain: it is asked again until the old deadline, and then it is lost.

use std::time::Duration;

use super::backoff::draw;
use super::ballot::{Ballot, Count};
use super::event::{Entropy, Kind, Lost};
use super::lease::Lease;
use super::mutant::Mutant;
use super::stall::is_stalled;
use super::world::{Errand, Seat, World};
use crate::node::{Command, Fault, Moment, Tokens};

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

#[derive(Clone, Debug, Hash)]
pub(super) struct Renewal {
    /// The latest round: the tag of its answers.
    round: u32,
    extension: Option<Extension>,
    /// One bit for each node that was sent the keys anew in the latest round.
    pub(super) filling: u16,
    /// One bit for each node in quarantine that was asked in the latest round.
    pub(super) seeding: u16,
    /// One bit for each node that was sent them once more in that round, with other tokens.
    pub(super) refilled: u16,
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

/// Part of the validity after which it is renewed.
const SHARE: u32 = 3;
/// The shortest time between two tries while uncertain, unless the deadline is near.
const UNCERTAIN_DELAY: Duration = Duration::from_millis(20);
const UNCERTAIN_FLOOR: Duration = Duration::from_millis(1);

impl Renewal {
    pub(super) fn new(round: u32, on: bool, world: &World) -> Self {
        Self {
            round,
            extension: None,
            filling: 0,
            seeding: 0,
            refilled: 0,
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

    fn begin_extension(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        let ttl = self.renewal.asked_ttl.unwrap_or(self.ttl);
        self.renewal.round += 1;
        (self.renewal.filling, self.renewal.seeding, self.renewal.refilled) = (0, 0, 0);
        self.exclude_quarantined(world);
        if self.voters.fewest_yes() < world.quorum() {
            self.lose(world, seat, Lost::Gone);
            return;
        }
        let mut ballot = Ballot::new(world.members.len(), self.keys.mask());
        // Neither the clock nor what nodes say matters: nobody else can be granted anything.
        let tokens = if self.has_token() { None } else { self.next_block() };
        for node in 0..world.members.len() {
            let round = self.renewal.round;
            // A node that has not answered the acquire yet is asked like a voter: if it granted, it says so first, on
            // the same connection. Filled instead, it would refuse its own id.
            if self.voters.votes()[node].yes == 0 && self.voters.has_answered(node) {
                ballot.cast(node, 0, self.keys.mask(), None);
                self.restore(world, entropy, node);
                continue;
            }
            let command = Command::Extend { ttl_ms: ttl.as_millis() as u64 };
            let errand = Errand { keys: &self.keys, id: self.id, tokens };
            if let Some(fault) = world.ask(node, self.home, round, command, errand) {
                ballot.cast(node, 0, 0, Some(fault));
            }
        }
        if self.tenure.has_been_handed_over() {
            self.count_others(world);
        }
        self.renewal.extension = Some(Extension {
            sent_at: world.now,
            until: world.now + world.config.patience(ttl),
            ttl,
            asked_for: self.renewal.asked_ttl.is_some(),
            tokens,
            ballot,
        });
        self.decide_extension(world, entropy, seat);
    }

    fn next_block(&mut self) -> Option<Tokens> {
        let tokens = Tokens::propose(0, self.tokens?.last);
        self.beyond = self.beyond.max(tokens.last);
        Some(tokens)
    }

    pub(super) fn propose(&mut self, world: &World, entropy: &mut dyn Entropy) -> Option<Tokens> {
        let tokens = world.propose(entropy, self.beyond)?;
        self.beyond = tokens.last;
        Some(tokens)
    }

    /// One node's answer to the latest round.
    pub(super) fn vote_on_renewal(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        (yes, no, fault): (u64, u64, Option<Fault>),
    ) {
        if self.take_restored(world, node, yes, no, &fault) {
            return;
        }
        // Only a voter's word counts, and a voter that answers GONE stops being one.
        let mine = if world.config.has(Mutant::ForeignFenceAck) && self.renewal.has_new_block() {
            yes | no
        } else {
            yes & self.voters.votes()[node].yes
        };
        let gone = if world.config.has(Mutant::GoneStaysVoter) { 0 } else { no };
        let left = self.voters.votes()[node].yes & !gone;
        self.voters.cast(node, left, self.keys.mask() & !left, None);
        if self.voters.fewest_yes() < world.quorum() {
            self.lose(world, seat, Lost::Gone);
            return;
        }
        if let Some(extension) = &mut self.renewal.extension {
            if extension.ballot.has_answered(node) && !world.config.has(Mutant::FillCountedInQuarantine) {
                // It was not asked to extend in this round, or has said what it had to say.
                return;
            }
            world.members.observe_round_trip(extension.sent_at, world.now);
            extension.ballot.cast(node, mine, no, fault);
            self.decide_extension(world, entropy, seat);
        }
    }

    fn decide_extension(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        let Some(extension) = &self.renewal.extension else {
            return;
        };
        let quorum = if world.config.has(Mutant::OneAckExtend) { 1 } else { world.quorum() };
        match extension.ballot.count(quorum) {
            Count::Open => {}
            Count::Granted if self.may_be_prolonged(world) => self.end_extension(world, entropy, seat),
            Count::Granted => self.lose(world, seat, Lost::Expired),
            Count::Impossible => self.be_uncertain(world),
        }
    }

    fn end_extension(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        let Some(extension) = self.renewal.extension.take() else {
            return;
        };
        self.renewal.uncertain = false;
        // Nodes never shorten a key's life.
        let late = world.config.has(Mutant::DeadlineFromReply);
        let sent_at = if late { world.now } else { extension.sent_at };
        self.proven = self.proven.max(sent_at + world.config.validity(extension.ttl));
        self.tenure.ttl = extension.ttl;
        if extension.tokens.is_some() {
            self.tokens = extension.tokens;
        }
        world.client(seat.slot).counters.extended += 1;
        if self.tenure.prolonging {
            let own = extension.sent_at >= self.granted_at && extension.ttl >= self.ttl;
            self.settle_offer(world, entropy, seat, own);
            return;
        }
        if extension.asked_for {
            self.ttl = extension.ttl;
            self.renewal.asked_ttl = None;
            world.notify(seat, Kind::Extended { ttl_ms: millis(self.ttl) });
        }
        // A round that was begun for an earlier holder proves more, but does not renew this one's handle.
        let since = sent_at.max(self.granted_at);
        self.deadline = self.proven.min(since + world.config.validity(self.ttl));
        self.renewal.schedule(self.deadline, world, entropy);
        if self.renewal.asked_ttl.is_some() {
            self.begin_extension(world, entropy, seat);
        }
    }

    /// The old deadline has not passed: of the handle, or of the lease while nobody has it.
    fn may_be_prolonged(&self, world: &World) -> bool {
        let end = if self.tenure.prolonging { self.proven } else { self.deadline };
        world.now < end || world.config.has(Mutant::ResumeAfterDeadline)
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
        self.renewal.extension = None;
        self.renewal.uncertain = true;
        if world.config.has(Mutant::FailedExtendReleases) {
            self.give_back(world);
        }
        let delay = (world.members.round_trip() * 4).max(UNCERTAIN_DELAY);
        let left = self.deadline.since(world.now);
        self.renewal.next = world.now + delay.min(left / 8).max(UNCERTAIN_FLOOR);
    }
}
