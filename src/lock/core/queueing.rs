//! The order inside this process: one contender for each key, and hand-over to the next.

use std::sync::Arc;

use super::{Core, Entry};
use crate::lock::attempt::Turn;
use crate::lock::ballot::Ballot;
use crate::lock::event::{Entropy, Kind, Released, Slot};
use crate::lock::lease::Lease;
use crate::lock::mutant::Mutant;
use crate::lock::queue::Presence;
use crate::lock::slab::Slab;
use crate::lock::tenure::Fate;
use crate::lock::world::Seat;
use crate::node::{Keys, Moment, Watch};

/// A slot whose lease has been handed over, and where the nodes' answers for it still come in.
#[derive(Clone, Debug, Hash)]
pub(in crate::lock) struct Moved {
    to: Seat,
    /// JavaScript has taken the slot's last notice.
    pub(in crate::lock) taken: bool,
}

/// Somebody is first now.
#[derive(Clone, Copy, Debug, Hash)]
pub(in crate::lock) struct Promotion {
    seat: Seat,
    /// So many other processes are to be let try first.
    after: u32,
}

fn presence(slots: &Slab<Entry>, seat: Seat) -> Presence {
    match slots.peek(seat.slot, seat.generation) {
        Some(Entry::Attempt(_)) => Presence::Waits,
        Some(Entry::Lease(lease)) if lease.keeps_place() => Presence::Holds,
        _ => Presence::Left,
    }
}

impl Core {
    /// The seat of the lease that answers to this seat are for.
    pub(super) fn addressee(&mut self, seat: Seat) -> Seat {
        match self.slots.tenant(seat.slot, seat.generation) {
            Some(Entry::Moved(moved)) => moved.to,
            _ => seat,
        }
    }

    /// Leaves the queues. Whoever is first then has its turn when the step ends.
    pub(super) fn retire(&mut self, seat: Seat, keys: &Keys, lost: Option<&Ballot>, after: u32) {
        let (slots, promotions, watches) = (&self.slots, &mut self.promotions, &mut self.world.watches);
        self.queues.leave(
            seat,
            keys,
            lost,
            |seat| presence(slots, seat),
            |seat| promotions.push(Promotion { seat, after }),
            |key| {
                let key: Arc<str> = key.into();
                watches.iter_mut().for_each(|watches| watches.push(Watch::Drop(key.clone())));
            },
        );
    }

    /// Gives those who are first now their turn, and starts what was left behind. One failing makes room for the next,
    /// so that this is a loop and no recursion.
    pub(in crate::lock) fn settle(&mut self, entropy: &mut dyn Entropy) {
        loop {
            self.adopt_orphans();
            self.arm();
            let Some(promotion) = self.promotions.pop() else { return };
            self.promote(entropy, promotion);
        }
    }

    fn promote(&mut self, entropy: &mut dyn Entropy, Promotion { seat, after }: Promotion) {
        let Some(Entry::Attempt(attempt)) = self.slots.tenant(seat.slot, seat.generation) else {
            return;
        };
        if !self.queues.is_first(seat, &attempt.call.keys) {
            return;
        }
        if attempt.is_asleep() {
            // It was refused before somebody of this process came in front of it, and since then nobody has watched for it.
            self.world.watch(seat, &attempt.call.keys);
        }
        if !attempt.is_queued() {
            return;
        }
        let lost = self.queues.lost(&attempt.call.keys).cloned();
        let turn = if after > 0 {
            Turn::Wait(attempt.stay_out(&self.world, entropy, after, lost))
        } else {
            attempt.lead(&mut self.world, entropy, seat, lost)
        };
        if attempt.is_in_contact() {
            self.contacts.push(seat);
        }
        self.turn(entropy, seat.slot, turn);
    }

    /// How the key stands, for somebody whose wait in the queue is over.
    pub(super) fn standing(&self, seat: Seat, keys: &Keys) -> Ballot {
        let before = keys.iter().find_map(|key| self.queues.first(key).filter(|first| *first != seat));
        let entry = before.and_then(|first| self.slots.peek(first.slot, first.generation));
        let known = match entry {
            Some(Entry::Lease(lease)) if lease.lost.is_none() && lease.keys == *keys => {
                Some(Ballot::refused_by(&lease.voters, self.world.now, lease.proven))
            }
            Some(Entry::Attempt(attempt)) if attempt.call.keys == *keys => attempt.lost_round().cloned(),
            _ => None,
        };
        let known = known.or_else(|| self.queues.lost(keys).filter(|_| keys.single().is_some()).cloned());
        known.unwrap_or_else(|| self.world.blank_ballot(keys))
    }

    /// The user gives a lease back: to the next who waits here, or to the nodes.
    pub(in crate::lock) fn release(&mut self, entropy: &mut dyn Entropy, slot: Slot) {
        let seat = self.seat(slot);
        let Some(entry) = self.slots.get_mut(slot) else {
            return;
        };
        let lease = match std::mem::replace(entry, Entry::Over) {
            Entry::Lease(lease) => lease,
            other => {
                *entry = other;
                return;
            }
        };
        let valid = lease.is_valid(self.world.now) && lease.offer.is_none();
        let extending = lease.renewal.is_asked_for();
        let (lease, fate) = match self.pass_on(entropy, seat, lease, valid) {
            Ok(next) => {
                self.world.client(slot).held -= 1;
                self.world.count_release(seat);
                if extending {
                    self.world.notify(seat, Kind::ExtendFailed);
                }
                self.world.notify(seat, Kind::Released(Released::Valid));
                self.after_lease(entropy, next);
                return;
            }
            Err(kept) => kept,
        };
        let (home, keys, has_left) = (lease.home, lease.keys.clone(), lease.tenure.has_left);
        let lost = self.turn_of_others(&lease, fate);
        let mut release = lease.into_release(&mut self.world, seat);
        let at = release.start(&mut self.world, seat);
        self.put(slot, Entry::Release(release));
        self.timers.set(slot, at);
        if !has_left {
            self.leave_home(home, seat);
            self.retire(seat, &keys, lost.as_ref(), fate.others());
        }
    }

    /// What who waits here is told, should its wait end while others are let try first: up to now the key was held.
    fn turn_of_others(&self, lease: &Lease, fate: Fate) -> Option<Ballot> {
        let is_theirs = fate.others() > 0 && !self.world.config.has(Mutant::UnaskedAtFault);
        is_theirs.then(|| Ballot::refused_by(&lease.voters, self.world.now, self.world.now))
    }

    /// Hands a lease over to the next who waits for its key here. Otherwise it comes back, with what is to become of it.
    pub(super) fn pass_on(
        &mut self,
        entropy: &mut dyn Entropy,
        from: Seat,
        mut lease: Box<Lease>,
        valid: bool,
    ) -> Result<Seat, (Box<Lease>, Fate)> {
        let fate = lease.fate(&self.world);
        // Two are first of one key when somebody has deleted it under the first. Only the later one is next to who waits.
        let may_pass = valid && fate == Fate::HandOver && self.queues.is_first(from, &lease.keys);
        let Some(key) = lease.keys.single().filter(|_| may_pass).cloned() else {
            return Err((lease, fate));
        };
        let slots = &self.slots;
        let Some(next) = self.queues.next(&key, |seat| presence(slots, seat)) else {
            return Err((lease, Fate::Release));
        };
        let Some(entry) = self.slots.get_mut(next.slot) else {
            return Err((lease, Fate::Release));
        };
        let mut attempt = match std::mem::replace(entry, Entry::Over) {
            Entry::Attempt(attempt) if attempt.call.keys.single().is_some() => attempt,
            other => {
                *entry = other;
                return Err((lease, Fate::Release));
            }
        };
        self.queues.pass(&key);
        // It may be contending itself, if the lease was granted to a call that did not queue.
        attempt.give_back(&mut self.world);
        self.world.client(next.slot).waiting -= 1;
        let home = lease.home;
        if home == from {
            self.put(from.slot, Entry::Moved(Moved { to: next, taken: false }));
        } else if let Some(Entry::Moved(moved)) = self.slots.tenant(home.slot, home.generation) {
            moved.to = next;
        }
        lease.hand_over(&mut self.world, entropy, next, attempt);
        self.timers.set(from.slot, Moment::NEVER);
        self.timers.set(next.slot, lease.timer());
        self.put(next.slot, Entry::Lease(lease));
        Ok(next)
    }

    /// A lease that was offered, and is not wanted: for the next who waits, or given back.
    pub(super) fn refuse(&mut self, entropy: &mut dyn Entropy, seat: Seat, lease: Box<Lease>) {
        let alive = lease.lost.is_none();
        match self.pass_on(entropy, seat, lease, alive) {
            Ok(next) => self.after_lease(entropy, next),
            Err((lease, fate)) => {
                if alive {
                    lease.give_back(&mut self.world);
                }
                let lost = self.turn_of_others(&lease, fate);
                self.leave_home(lease.home, seat);
                self.retire(seat, &lease.keys, lost.as_ref(), fate.others());
            }
        }
    }

    /// The lease is no more: nothing comes in for it at the slot where it was granted.
    pub(in crate::lock) fn leave_home(&mut self, home: Seat, seat: Seat) {
        if home == seat {
            return;
        }
        if let Some(entry @ Entry::Moved(_)) = self.slots.tenant(home.slot, home.generation) {
            let Entry::Moved(Moved { taken, .. }) = std::mem::replace(entry, Entry::Over) else {
                return;
            };
            if taken {
                self.free(home.slot);
            }
        }
    }

    /// What follows from a lease's step: a lost one makes room, and one that could not be prolonged falls.
    pub(in crate::lock) fn after_lease(&mut self, entropy: &mut dyn Entropy, seat: Seat) {
        let Some(entry) = self.slots.tenant(seat.slot, seat.generation) else {
            return;
        };
        let Entry::Lease(lease) = entry else {
            return;
        };
        self.timers.set(seat.slot, lease.timer());
        if lease.has_fallen() {
            let Entry::Lease(mut lease) = std::mem::replace(entry, Entry::Over) else {
                return;
            };
            if lease.lost.is_none() {
                lease.give_back(&mut self.world);
            }
            self.leave_home(lease.home, seat);
            if let Some(mut attempt) = lease.offer.take() {
                self.world.client(seat.slot).waiting += 1;
                let lost = Ballot::refused_by(&lease.voters, self.world.now, self.world.now);
                // Behind the release of what it was to have.
                self.adopt_orphans();
                let turn = attempt.lead(&mut self.world, entropy, seat, Some(lost));
                if attempt.is_in_contact() {
                    self.contacts.push(seat);
                }
                self.put(seat.slot, Entry::Attempt(attempt));
                self.turn(entropy, seat.slot, turn);
            }
        } else if lease.lost.is_some() && lease.offer.is_none() && !lease.tenure.has_left {
            lease.tenure.has_left = true;
            let (home, keys) = (lease.home, lease.keys.clone());
            self.leave_home(home, seat);
            self.retire(seat, &keys, None, 0);
        }
    }
}
