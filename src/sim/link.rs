//! The connection of one process to one address, and the one on which it is told of releases.

use std::collections::VecDeque;

use super::clock::{SECOND, Time};
use super::heap_item::Next;
use super::plan::Latency;
use super::rng::Rng;
use crate::node::{Command, Id, Moment, Tag};

/// A request without an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Moment,
    pub(crate) tag: Tag,
    pub(crate) command: Command,
    pub(crate) id: Id,
}

/// A connection that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grave {
    pub(crate) at: Time,
    /// What was on its way arrives all the same, so much later.
    pub(crate) late: Option<Time>,
}

pub(crate) struct Link {
    rng: Rng,
    /// As the network has it: how often it was cut.
    pub(crate) epoch: u32,
    /// As the process has it: none while it knows that it is broken.
    pub(crate) is_up: bool,
    pub(crate) own_epoch: u32,
    pub(crate) run: u32,
    pub(crate) outstanding: VecDeque<Sent>,
    pub(crate) silent: Option<Moment>,
    pub(crate) is_watched: bool,
    pub(crate) delay: Time,
    there_last: Time,
    back_last: Time,
    /// How many faults hold what goes there, or comes back.
    pub(crate) held_there: u32,
    pub(crate) held_back: u32,
    pub(crate) stash: Vec<Next>,
    pub(crate) graves: Vec<Grave>,
    /// The next request arrives once more.
    pub(crate) duplicate: Option<Time>,
    pub(crate) watch_epoch: u32,
    pub(crate) is_watch_up: bool,
    pub(crate) deaf: u32,
    watch_last: Time,
}

pub(crate) const RECONNECT: Time = SECOND / 50;

impl Link {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        Self {
            rng: Rng::new(seed, 10_000 + number),
            epoch: 0,
            is_up: false,
            own_epoch: 0,
            run: 0,
            outstanding: VecDeque::new(),
            silent: None,
            is_watched: false,
            delay: RECONNECT,
            there_last: 0,
            back_last: 0,
            held_there: 0,
            held_back: 0,
            stash: Vec::new(),
            graves: Vec::new(),
            duplicate: None,
            watch_epoch: 0,
            is_watch_up: true,
            deaf: 0,
            watch_last: 0,
        }
    }

    pub(crate) fn span(&mut self, latency: &Latency) -> Time {
        let (share, most) = latency.slow;
        let slow = if self.rng.below(1000) < share { self.rng.below(most) } else { 0 };
        (latency.base + self.rng.below(latency.jitter + 1) + slow) * 1000 + self.rng.below(1000)
    }

    /// When what is sent now arrives there: what was sent before arrives before.
    pub(crate) fn there(&mut self, now: Time, latency: &Latency) -> Time {
        self.there_last = (now + self.span(latency)).max(self.there_last + 1);
        self.there_last
    }

    pub(crate) fn back(&mut self, now: Time, latency: &Latency) -> Time {
        self.back_last = (now + self.span(latency)).max(self.back_last + 1);
        self.back_last
    }

    pub(crate) fn watch(&mut self, now: Time, latency: &Latency) -> Time {
        self.watch_last = (now + self.span(latency)).max(self.watch_last + 1);
        self.watch_last
    }

    /// What was sent after the connection had ended, or was not to arrive, does not.
    pub(crate) fn fate(&self, epoch: u32, sent: Time) -> Option<Time> {
        let grave = self.graves.get(epoch as usize)?;
        grave.late.filter(|_| sent <= grave.at)
    }

    pub(crate) fn bury(&mut self, now: Time, late: Option<Time>) {
        self.graves.push(Grave { at: now, late });
        self.epoch += 1;
        (self.there_last, self.back_last) = (now, now);
    }
}
