//! What the driver and the JavaScript thread take out of the core: requests, notices, and how calls ended.

use std::time::Duration;

use super::client::{ClientId, Counters};
use super::core::{Core, Entry};
use super::event::{Change, Entropy, Failure, Found, Notice, Slot};
use super::mutant::Mutant;
use super::renewal::millis;
use super::world::Seat;
use crate::node::{Fault, Id, Moment, Request, Watch};

/// What the JavaScript thread reads of a grant.
pub(crate) struct Grant {
    pub(crate) attempts: u32,
    pub(crate) ttl_ms: u32,
    pub(crate) id: Id,
    /// Four bits for each node, see `Ballot::summary`.
    pub(crate) votes: u64,
    /// Larger than those of all holders before it; 0 without fencing.
    pub(crate) token: u64,
}

impl Core {
    pub(crate) fn next_timer(&self) -> Moment {
        self.timers.next().min(self.world.members.next())
    }

    /// Takes what waits to be sent to a node; the empty buffer is left in its place.
    pub(crate) fn take_requests(&mut self, node: usize, buffer: &mut Vec<Request>) {
        std::mem::swap(buffer, &mut self.world.requests[node]);
    }

    pub(crate) fn has_requests(&self, node: usize) -> bool {
        !self.world.requests[node].is_empty()
    }

    /// Takes what waits to be told to a node's watcher.
    pub(crate) fn take_watches(&mut self, node: usize) -> Vec<Watch> {
        std::mem::take(&mut self.world.watches[node])
    }

    /// Somebody waits for a release.
    pub(crate) fn is_watching(&self) -> bool {
        self.queues.watched().next().is_some()
    }

    pub(crate) fn has_watches(&self, node: usize) -> bool {
        !self.world.watches[node].is_empty()
    }

    pub(crate) fn has_news(&self, client: ClientId) -> bool {
        self.world.clients[usize::from(client)].has_news()
    }

    pub(crate) fn next_change(&mut self, client: ClientId) -> Option<Change> {
        self.world.clients[usize::from(client)].changes.pop_front()
    }

    pub(crate) fn has_changes(&self, client: ClientId) -> bool {
        !self.world.clients[usize::from(client)].changes.is_empty()
    }

    /// Takes the next notice. A final one frees its slot, unless the background still needs it.
    pub(crate) fn next_notice(&mut self, client: ClientId) -> Option<Notice> {
        let client = &mut self.world.clients[usize::from(client)];
        client.heartbeat = false;
        let notice = client.notices.pop_front()?;
        if notice.kind.is_final() {
            match self.slots.tenant(notice.slot, notice.generation) {
                Some(Entry::Release(release)) => {
                    release.take();
                    self.bury(notice.slot);
                }
                Some(Entry::Over) => self.free(notice.slot),
                Some(Entry::Moved(moved)) => moved.taken = true,
                _ => {}
            }
        }
        Some(notice)
    }

    /// The JavaScript thread takes a grant. `None`: it was given back, or ran out meanwhile, and counts as a failed round.
    pub(crate) fn accept(&mut self, now: Moment, entropy: &mut dyn Entropy, notice: Notice) -> Option<Grant> {
        self.world.now = now.max(self.world.now);
        let seat = Seat { slot: notice.slot, generation: notice.generation };
        let entry = self.slots.tenant(seat.slot, seat.generation)?;
        let Entry::Lease(lease) = entry else {
            return None;
        };
        match lease.accept(&mut self.world, seat) {
            Ok(()) => Some(Grant {
                attempts: lease.attempts,
                ttl_ms: millis(lease.ttl),
                id: lease.id,
                votes: lease.voters.summary(),
                token: lease.tokens.map_or(0, |tokens| tokens.first),
            }),
            Err(offer) => {
                let mut attempt = offer?;
                let votes = lease.voters.clone();
                self.world.client(seat.slot).waiting += 1;
                let round = lease.renewal.round();
                let turn = attempt.take_back(&mut self.world, entropy, seat, votes, round);
                let home = lease.home;
                *entry = Entry::Attempt(attempt);
                self.leave_home(home, seat);
                self.turn(entropy, seat.slot, turn);
                self.settle(entropy);
                None
            }
        }
    }

    /// How an acquire ended; frees its slot.
    pub(crate) fn take_failure(&mut self, slot: Slot) -> Option<Failure> {
        let Some(Entry::Failed(_)) = self.slots.get(slot) else {
            return None;
        };
        self.timers.set(slot, Moment::NEVER);
        match self.slots.remove(slot) {
            Some(Entry::Failed(failure)) => Some(*failure),
            _ => None,
        }
    }

    /// What an inspection found; frees its slot.
    pub(crate) fn take_found(&mut self, slot: Slot) -> Option<Vec<Found>> {
        let Some(Entry::Inspected(_)) = self.slots.get(slot) else {
            return None;
        };
        self.timers.set(slot, Moment::NEVER);
        match self.slots.remove(slot) {
            Some(Entry::Inspected(found)) => Some(found),
            _ => None,
        }
    }

    pub(crate) fn remaining(&self, now: Moment, slot: Slot) -> Duration {
        match self.slots.get(slot) {
            Some(Entry::Lease(lease)) if self.world.config.has(Mutant::TimerOnlyValidity) && lease.lost.is_none() => {
                lease.remaining(now).max(Duration::from_millis(1))
            }
            Some(Entry::Lease(lease)) => lease.remaining(now),
            _ => Duration::ZERO,
        }
    }

    pub(crate) fn counters(&self, client: ClientId) -> Counters {
        self.world.clients[usize::from(client)].counters
    }

    pub(crate) fn held(&self, client: ClientId) -> usize {
        self.world.clients[usize::from(client)].held
    }

    pub(crate) fn waiting(&self, client: ClientId) -> usize {
        self.world.clients[usize::from(client)].waiting
    }

    /// Why a node does not vote.
    pub(crate) fn fault(&self, now: Moment, node: usize) -> Option<Fault> {
        self.world.members.fault_at(node, now)
    }

    pub(crate) fn is_connecting(&self, node: usize) -> bool {
        self.world.members.is_connecting(node)
    }
}
