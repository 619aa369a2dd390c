//! Bringing a lease's keys back to nodes that have lost them, or never had them: so that a long hold survives two nodes
//! that restart one after the other.

use super::event::Entropy;
use super::lease::Lease;
use super::mutant::Mutant;
use super::world::{Errand, World};
use crate::node::{Command, Fault, SKEW, Tokens};

/// In microseconds: by so much a node's clock may differ from what is proposed, and that from another node's clock.
const FAR: u64 = 2 * SKEW;

impl Lease {
    /// Nodes in quarantine are no voters any more. They may still have the keys.
    pub(super) fn exclude_quarantined(&mut self, world: &World) {
        for node in (0..world.members.len()).filter(|node| world.members.is_quarantined(*node)) {
            if self.voters.votes()[node].yes != 0 {
                self.seeded |= 1 << node;
            }
            self.voters.cast(node, 0, self.keys.mask(), None);
        }
    }

    /// Sets the keys, for what is left of the lease, on a node whose word does not count yet, or keeps them there. It never
    /// counts in the round that does so, nor in quarantine; and nothing is set once a release was sent: the lease is gone
    /// from its slot then.
    pub(super) fn restore(&mut self, world: &mut World, entropy: &mut dyn Entropy, node: usize) {
        let ttl_ms = self.fill_ttl(world);
        if ttl_ms == 0 {
            return;
        }
        let has_them = self.seeded >> node & 1 == 1;
        let command = if has_them { Command::Extend { ttl_ms } } else { Command::Acquire { ttl_ms } };
        // Those for filling are of its own, since the lease's own may lie far behind by now; nobody holds them. A node that
        // is to be a voter has its fence where the others have theirs, and not where one was proposed that nobody took.
        let tokens = if has_them { self.taken() } else { self.propose(world, entropy) };
        if !has_them {
            self.renewal.first_fill = tokens.map_or(0, |tokens| tokens.last).max(self.renewal.first_fill);
        }
        let errand = Errand { keys: &self.keys, id: self.id, tokens };
        let fault = world.ask(node, self.home, self.renewal.round(), command, errand);
        if world.members.is_quarantined(node) {
            self.renewal.seeding |= 1 << node;
        } else if fault.is_none() {
            self.renewal.filling |= 1 << node;
        } else {
            return;
        }
        self.sent |= 1 << node;
    }

    /// From the largest token that a quorum has granted it to the largest that a node was filled with.
    fn taken(&self) -> Option<Tokens> {
        self.tokens.map(|tokens| Tokens { first: tokens.last, last: self.filled.max(tokens.last) })
    }

    /// A block at the nodes' time. A quorum took the lease's tokens when it was granted, so that no clock of theirs is far
    /// beyond these and what has passed since; ours may be.
    fn propose(&mut self, world: &World, entropy: &mut dyn Entropy) -> Option<Tokens> {
        let passed = u64::try_from(world.now.since(self.tenure.since()).as_micros()).unwrap_or(u64::MAX);
        let latest = self.tokens?.last.saturating_add(passed).saturating_add(SKEW);
        let tokens = Tokens::propose(world.wall(entropy).min(latest), self.beyond);
        self.beyond = tokens.last;
        Some(tokens)
    }

    /// As long as the handle is valid by any clock, in milliseconds: where two addresses lead to one server, the key that
    /// is there already gets this ttl.
    fn fill_ttl(&self, world: &World) -> u64 {
        let left = self.remaining(world.now);
        if left.is_zero() { 0 } else { (left + world.config.drift(left)).as_millis() as u64 + 1 }
    }

    /// A node does not take the tokens with which it was to be filled: it gets others, at or beyond what it has named, at
    /// once, but only once in a round. Not when that is far from everybody's time: it could not vote for anybody then,
    /// and what it is filled with, the lease's later tokens must pass.
    /// They lie beyond `least` in any case.
    pub(super) fn fill_again(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        node: usize,
        named: u64,
        least: u64,
    ) {
        let bit = 1 << node;
        let is_asked = (self.renewal.filling | self.renewal.seeding) & bit != 0;
        let ttl_ms = self.fill_ttl(world);
        let is_far = named > world.wall(entropy).saturating_add(FAR);
        if !is_asked || is_far || self.renewal.refilled & bit != 0 || ttl_ms == 0 || !self.is_valid(world.now) {
            self.renewal.filling &= !bit;
            self.renewal.seeding &= !bit;
            return;
        }
        self.renewal.refilled |= bit;
        let tokens = Tokens::propose(named.saturating_add(1), least);
        self.beyond = self.beyond.max(tokens.last);
        self.renewal.second_fill = self.renewal.second_fill.max(tokens.last);
        let errand = Errand { keys: &self.keys, id: self.id, tokens: Some(tokens) };
        let _ = world.ask(node, self.home, self.renewal.round(), Command::Acquire { ttl_ms }, errand);
    }

    /// The answer of a node whose keys were to be restored. False when that is not what it was asked.
    pub(super) fn take_restored(
        &mut self,
        world: &World,
        node: usize,
        yes: u64,
        no: u64,
        fault: &Option<Fault>,
    ) -> bool {
        let bit = 1 << node;
        let (filling, seeding) = (self.renewal.filling & bit != 0, self.renewal.seeding & bit != 0);
        self.renewal.filling &= !bit;
        self.renewal.seeding &= !bit;
        let has_them = yes == self.keys.mask();
        if (filling || seeding) && no == 0 {
            let refilled = self.renewal.refilled & bit != 0;
            let fill = if refilled { self.renewal.second_fill } else { self.renewal.first_fill };
            self.filled = self.filled.max(fill);
        }
        if filling || seeding {
            // After a fault nobody knows: it is asked whether it has them, which tells.
            let may_have_them = (has_them && seeding) || (no == 0 && !has_them);
            self.seeded = if may_have_them { self.seeded | bit } else { self.seeded & !bit };
        }
        if seeding && world.config.has(Mutant::FillCountedInQuarantine) {
            self.voters.cast(node, yes, no, None);
            return false;
        }
        if filling {
            self.voters.cast(node, yes, no, fault.clone());
        }
        filling || seeding
    }
}
