//! When which slot wants to be woken: at most one moment for each.
//!
//! A slot's timer moves later far more often than it fires: a round's patience becomes a lease's renewal, and the
//! release ends both. So a move to a later moment only notes the wish; the queue keeps the earlier moment, and what
//! comes up too early is put back where it is wanted.

use std::collections::BTreeSet;

use super::event::Slot;
use crate::node::Moment;

#[derive(Clone, Copy, Debug, Hash)]
struct Timer {
    /// [`Moment::NEVER`] when the slot wants nothing.
    wanted: Moment,
    /// Never later than `wanted`; [`Moment::NEVER`] when the slot is not in the queue.
    queued: Moment,
}

const NONE: Timer = Timer { wanted: Moment::NEVER, queued: Moment::NEVER };

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Timers {
    queue: BTreeSet<(Moment, Slot)>,
    slots: Vec<Timer>,
}

impl Timers {
    /// Replaces the slot's timer.
    pub(super) fn set(&mut self, slot: Slot, at: Moment) {
        let index = slot as usize;
        if index >= self.slots.len() {
            self.slots.resize(index + 1, NONE);
        }
        let timer = &mut self.slots[index];
        timer.wanted = at;
        if at < timer.queued {
            if timer.queued != Moment::NEVER {
                self.queue.remove(&(timer.queued, slot));
            }
            timer.queued = at;
            self.queue.insert((at, slot));
        }
    }

    /// Not later than the next moment at which a slot wants to be woken.
    pub(super) fn next(&self) -> Moment {
        self.queue.first().map_or(Moment::NEVER, |(at, _)| *at)
    }

    /// Takes one slot whose time has come.
    pub(super) fn pop(&mut self, now: Moment) -> Option<Slot> {
        loop {
            let (at, slot) = *self.queue.first()?;
            if at > now {
                return None;
            }
            self.queue.pop_first();
            let timer = &mut self.slots[slot as usize];
            timer.queued = timer.wanted;
            if timer.wanted <= now {
                *timer = NONE;
                return Some(slot);
            }
            if timer.wanted != Moment::NEVER {
                self.queue.insert((timer.wanted, slot));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    #[test]
    fn one_timer_for_each_slot_in_order_of_time() {
        let mut timers = Timers::default();
        timers.set(3, at(30));
        timers.set(1, at(10));
        timers.set(3, at(5));
        timers.set(1, at(10));
        assert_eq!(timers.next(), at(5));
        assert_eq!(timers.pop(at(4)), None);
        assert_eq!(timers.pop(at(20)), Some(3));
        assert_eq!(timers.pop(at(20)), Some(1));
        assert_eq!(timers.pop(at(99)), None);
        assert_eq!(timers.next(), Moment::NEVER);
    }

    #[test]
    fn a_timer_that_was_moved_later_fires_then_and_not_before() {
        let mut timers = Timers::default();
        timers.set(0, at(10));
        timers.set(0, at(50));
        timers.set(1, at(20));
        assert_eq!(timers.pop(at(15)), None);
        assert_eq!(timers.next(), at(20));
        assert_eq!(timers.pop(at(50)), Some(1));
        assert_eq!(timers.pop(at(50)), Some(0));
    }

    #[test]
    fn never_takes_a_timer_away() {
        let mut timers = Timers::default();
        timers.set(0, at(1));
        timers.set(0, Moment::NEVER);
        assert_eq!(timers.pop(at(5)), None);
        assert_eq!(timers.next(), Moment::NEVER);
        timers.set(0, at(7));
        assert_eq!(timers.pop(at(7)), Some(0));
    }
}
