//! When which slot wants to be woken: at most one moment for each.

use std::collections::BTreeSet;

use super::event::Slot;
use crate::node::Moment;

#[derive(Default)]
pub(super) struct Timers {
    queue: BTreeSet<(Moment, Slot)>,
    /// By slot; [`Moment::NEVER`] where none is set.
    set: Vec<Moment>,
}

impl Timers {
    /// Replaces the slot's timer.
    pub(super) fn set(&mut self, slot: Slot, at: Moment) {
        let index = slot as usize;
        if index >= self.set.len() {
            self.set.resize(index + 1, Moment::NEVER);
        }
        let old = std::mem::replace(&mut self.set[index], at);
        if old == at {
            return;
        }
        if old != Moment::NEVER {
            self.queue.remove(&(old, slot));
        }
        if at != Moment::NEVER {
            self.queue.insert((at, slot));
        }
    }

    pub(super) fn next(&self) -> Moment {
        self.queue.first().map_or(Moment::NEVER, |(at, _)| *at)
    }

    /// Takes one slot whose time has come.
    pub(super) fn pop(&mut self, now: Moment) -> Option<Slot> {
        let (at, slot) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.set[slot as usize] = Moment::NEVER;
        Some(slot)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
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
    }

    #[test]
    fn never_takes_a_timer_away() {
        let mut timers = Timers::default();
        timers.set(0, at(1));
        timers.set(0, Moment::NEVER);
        assert_eq!(timers.next(), Moment::NEVER);
        assert!(timers.is_empty());
    }
}
