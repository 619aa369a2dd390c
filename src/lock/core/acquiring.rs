//! Calls that acquire, from the call to the lease, the failure, or the caller's change of mind.

use super::{Core, Entry};
use crate::lock::attempt::{Attempt, Turn};
use crate::lock::event::{Call, Entropy, Kind, Slot};
use crate::lock::lease::Lease;
use crate::lock::world::Seat;
use crate::node::Moment;

impl Core {
    pub(super) fn acquire(&mut self, entropy: &mut dyn Entropy, slot: Slot, call: Call) {
        self.world.client(slot).waiting += 1;
        let seat = self.seat(slot);
        let mut attempt = Box::new(Attempt::new(call, &self.world));
        attempt.has_place = !attempt.is_one_round();
        let leads = !attempt.has_place || self.queues.join(seat, &attempt.call.keys);
        let turn = if leads {
            attempt.contact(&mut self.world, entropy, seat)
        } else {
            Turn::Wait(attempt.queue(&self.world))
        };
        if attempt.is_in_contact() {
            self.contacts.push(seat);
        }
        self.put(slot, Entry::Attempt(attempt));
        self.turn(entropy, slot, turn);
    }

    /// Carries out what an attempt's step led to.
    pub(in crate::lock) fn turn(&mut self, entropy: &mut dyn Entropy, slot: Slot, turn: Turn) {
        let seat = self.seat(slot);
        let Some(entry) = self.slots.get_mut(slot) else {
            return;
        };
        let Entry::Attempt(attempt) = entry else {
            return;
        };
        match turn {
            Turn::Wait(at) => self.timers.set(slot, at),
            Turn::Granted => {
                let Entry::Attempt(mut attempt) = std::mem::replace(entry, Entry::Over) else {
                    return;
                };
                self.world.client(slot).waiting -= 1;
                if !std::mem::replace(&mut attempt.has_place, true) {
                    self.queues.seize(seat, &attempt.call.keys);
                }
                let lease = Lease::granted(attempt, &self.world, entropy, seat);
                self.timers.set(slot, lease.timer());
                *entry = Entry::Lease(Box::new(lease));
                self.world.notify(seat, Kind::Granted);
            }
            Turn::Failed(verdict) => {
                let Entry::Attempt(attempt) = std::mem::replace(entry, Entry::Over) else {
                    return;
                };
                let client = self.world.client(slot);
                client.waiting -= 1;
                client.counters.timed_out += 1;
                client.counters.contended += u64::from(attempt.was_contended());
                *entry = Entry::Failed(Box::new(attempt.failure(&self.world)));
                self.timers.set(slot, Moment::NEVER);
                self.world.notify(seat, Kind::Failed(verdict));
                self.step_back(seat, &attempt);
            }
            Turn::OutOfTime => {
                let keys = attempt.call.keys.clone();
                let known = self.standing(seat, &keys);
                if let Some(Entry::Attempt(attempt)) = self.slots.get_mut(slot) {
                    let turn = attempt.give_up(&self.world, Some(known));
                    self.turn(entropy, slot, turn);
                }
            }
        }
    }

    /// An attempt that stood in the queues waits no longer. One that never waits stands there too, once it was granted
    /// something: the grant may have run out before it was taken.
    fn step_back(&mut self, seat: Seat, attempt: &Attempt) {
        if attempt.has_place {
            self.retire(seat, &attempt.call.keys, attempt.lost_round(), 0);
        }
    }

    pub(in crate::lock) fn cancel(&mut self, entropy: &mut dyn Entropy, slot: Slot) {
        let seat = self.seat(slot);
        let Some(entry) = self.slots.get_mut(slot) else {
            return;
        };
        match std::mem::replace(entry, Entry::Over) {
            Entry::Attempt(mut attempt) => {
                attempt.give_back(&mut self.world);
                let client = self.world.client(slot);
                client.waiting -= 1;
                client.counters.aborted += 1;
                client.counters.contended += u64::from(attempt.was_contended());
                self.step_back(seat, &attempt);
            }
            // Granted, but not taken yet: the grant that waits for JavaScript finds no lease any more.
            Entry::Lease(mut lease) if lease.offer.is_some() => {
                lease.offer = None;
                self.world.client(slot).counters.aborted += 1;
                self.refuse(entropy, seat, lease);
            }
            Entry::Connecting(_) => {}
            other => {
                *entry = other;
                return;
            }
        }
        self.timers.set(slot, Moment::NEVER);
        self.world.notify(seat, Kind::Cancelled);
    }
}
