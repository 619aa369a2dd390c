//! One round of extension: who is asked, whose word counts, and what a success proves.

use super::{Extension, Failed, SHARE, millis};
use crate::lock::ballot::{Ballot, Count};
use crate::lock::event::{Entropy, Kind, Lost};
use crate::lock::lease::Lease;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Errand, Seat, World};
use crate::node::{Command, Fault, Tokens};

impl Lease {
    pub(super) fn begin_extension(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
        let ttl = self.renewal.asked_ttl.unwrap_or(self.ttl);
        self.renewal.round += 1;
        (self.renewal.filling, self.renewal.seeding, self.renewal.refilled) = (0, 0, 0);
        (self.renewal.first_fill, self.renewal.second_fill) = (0, 0);
        self.exclude_quarantined(world);
        if self.voters.fewest_yes() < world.quorum() {
            self.lose(world, seat, Lost::Gone);
            return;
        }
        let mut ballot = Ballot::new(world.members.len(), self.keys.mask());
        // Nobody else can be granted anything, so the clock does not matter. Only where keys were deleted, somebody else
        // may have been: then the node of that quorum which is ours again was filled with tokens beyond his.
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
        let tokens = Tokens::propose(0, self.tokens?.last.max(self.filled));
        self.beyond = self.beyond.max(tokens.last);
        Some(tokens)
    }

    /// One node's answer to the latest round.
    pub(in crate::lock) fn vote_on_renewal(
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

    pub(super) fn decide_extension(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) {
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
        (self.renewal.uncertain, self.renewal.failed) = (false, Failed::default());
        // Nodes never shorten a key's life.
        let late = world.config.has(Mutant::DeadlineFromReply);
        let sent_at = if late { world.now } else { extension.sent_at };
        self.proven = self.proven.max(sent_at + world.config.validity(extension.ttl));
        self.tenure.ttl = extension.ttl;
        if extension.tokens.is_some() {
            self.tokens = extension.tokens;
        }
        let is_late = self.is_renewed_late(&extension, world);
        let counters = &mut world.client(seat.slot).counters;
        counters.extended += 1;
        counters.renewed_late += u64::from(is_late);
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

    /// Less than a third of the ttl was left to the handle. What is prolonged for who is next is so by design.
    fn is_renewed_late(&self, extension: &Extension, world: &World) -> bool {
        let is_renewal = !self.tenure.prolonging && !extension.asked_for && extension.sent_at >= self.granted_at;
        is_renewal && self.deadline.since(world.now) < self.ttl / SHARE
    }

    /// The old deadline has not passed: of the handle, or of the lease while nobody has it.
    fn may_be_prolonged(&self, world: &World) -> bool {
        let end = if self.tenure.prolonging { self.proven } else { self.deadline };
        world.now < end || world.config.has(Mutant::ResumeAfterDeadline)
    }
}
