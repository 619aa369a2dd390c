//! Looking over all slots: what a service holds. Not on the path of any call.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client::ClientId;
use super::core::{Core, Entry};
use super::event::{Entropy, Failure, Slot};
use super::lease::Lease;
use crate::node::{Id, Moment};

/// One held key.
#[derive(Clone, Debug)]
pub(crate) struct HeldKey {
    pub(crate) key: Box<str>,
    pub(crate) id: Id,
    pub(crate) granted_at: Moment,
    pub(crate) remaining: Duration,
    /// Calls of this process that wait for the key.
    pub(crate) waiting: usize,
}

impl Core {
    pub(crate) fn held_keys(&self, now: Moment, client: ClientId) -> Vec<HeldKey> {
        let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, entry) in self.slots.iter() {
            if let Entry::Attempt(attempt) = entry {
                attempt.call.keys.iter().for_each(|key| *waiting.entry(key).or_default() += 1);
            }
        }
        let mut rows = Vec::new();
        for (slot, entry) in self.slots.iter() {
            let Entry::Lease(lease) = entry else { continue };
            if self.world.owner(slot) == client && lease.offer.is_none() && lease.is_valid(now) {
                rows.extend(lease.keys.iter().map(|key| HeldKey {
                    key: key.into(),
                    id: lease.id,
                    granted_at: lease.granted_at,
                    remaining: lease.remaining(now),
                    waiting: waiting.get(key).copied().unwrap_or(0),
                }));
            }
        }
        rows
    }

    /// Longer than any key of a lock lives, by any clock.
    pub(crate) fn longest(&self) -> Duration {
        let config = &self.world.config;
        config.max_ttl + config.drift(config.max_ttl)
    }

    /// Whoever holds the key asks the nodes at once whether it still does, rather than with its next renewal. False when
    /// nobody holds it.
    pub(crate) fn recheck(&mut self, now: Moment, entropy: &mut dyn Entropy, key: &str) -> bool {
        self.world.begin(now);
        let holds = |lease: &Lease| lease.is_valid(now) && lease.keys.iter().any(|own| own == key);
        let is_holder = |entry: &Entry| matches!(entry, Entry::Lease(lease) if holds(lease));
        let holders: Vec<Slot> =
            self.slots.iter().filter(|(_, entry)| is_holder(entry)).map(|(slot, _)| slot).collect();
        for slot in &holders {
            let seat = self.seat(*slot);
            if let Some(Entry::Lease(lease)) = self.slots.get_mut(*slot) {
                lease.prolong(&mut self.world, entropy, seat);
                self.after_lease(entropy, seat);
            }
        }
        self.settle(entropy);
        !holders.is_empty()
    }

    /// Which nodes still hold a lease that was lost, or could not be extended, and what has become of the others.
    pub(crate) fn lease_votes(&self, now: Moment, slot: Slot) -> Option<Failure> {
        let Some(Entry::Lease(lease)) = self.slots.get(slot) else {
            return None;
        };
        let mut ballot = lease.voters.clone();
        for node in 0..self.world.members.len() {
            let fault = self.world.members.fault_at(node, now).or_else(|| lease.renewal.fault(node));
            if fault.is_some() {
                ballot.cast(node, 0, 0, fault);
            }
        }
        Some(Failure { attempts: lease.attempts, retry_after: None, votes: ballot.seen(now) })
    }

    /// Slots in use, and queues.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn leftovers(&self) -> (usize, usize) {
        (self.slots.len(), self.queues.len())
    }

    /// An answer to this round would count for the lease.
    #[cfg(feature = "sim")]
    pub(crate) fn is_in_round(&self, slot: Slot, round: u32) -> bool {
        matches!(self.slots.get(slot), Some(Entry::Lease(lease)) if lease.renewal.is_current(round))
    }

    /// An answer would find somebody.
    #[cfg(feature = "sim")]
    pub(crate) fn awaits(&self, tag: crate::node::Tag) -> bool {
        self.slots.peek(tag.slot, tag.generation).is_some()
    }

    /// No release waits for an answer any more.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.slots.iter().any(|(_, entry)| matches!(entry, Entry::Release(release) if release.is_waiting()))
    }
}
