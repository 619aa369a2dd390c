//! What is to happen, in the order of its time; what falls on the same moment, in an order drawn from the seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::clock::Time;

/// The entries are ordered by time, tie and serial number; what they are stays where it was put.
pub(crate) struct Heap<T> {
    order: BinaryHeap<Reverse<(Time, u64, u32)>>,
    places: Vec<Option<T>>,
    free: Vec<u32>,
    next: u64,
}

/// Ties of one moment are told apart by the lower bits.
const SERIAL_BITS: u32 = 32;

impl<T> Heap<T> {
    pub(crate) fn new() -> Self {
        Self { order: BinaryHeap::new(), places: Vec::new(), free: Vec::new(), next: 0 }
    }

    pub(crate) fn push(&mut self, at: Time, tie: u64, what: T) {
        self.next += 1;
        let tie = tie << SERIAL_BITS | self.next & (u64::MAX >> SERIAL_BITS);
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() as u32 - 1
        });
        self.places[place as usize] = Some(what);
        self.order.push(Reverse((at, tie, place)));
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        let Reverse((at, _, place)) = self.order.pop()?;
        self.free.push(place);
        self.places[place as usize].take().map(|what| (at, what))
    }
}
