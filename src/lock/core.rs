//! The one entrance: takes an event, lets the slot that it concerns take its step, and keeps the slots in order.

mod contact;

use super::attempt::{Attempt, Turn};
use super::config::Config;
use super::connecting::Connecting;
use super::event::{Entropy, Event, Failure, Found, Kind, Slot};
use super::inspection::Inspection;
use super::lease::Lease;
use super::release::Release;
use super::slab::Slab;
use super::timers::Timers;
use super::world::{Seat, World};
use crate::node::{Answer, Moment};

pub(super) enum Entry {
    /// Given out, nothing asked yet.
    Reserved,
    Attempt(Box<Attempt>),
    Lease(Box<Lease>),
    Release(Release),
    Connecting(Connecting),
    Inspection(Inspection),
    /// Over; how it ended waits to be taken.
    Failed(Box<Failure>),
    Inspected(Vec<Found>),
    /// Over; its last notice waits to be taken.
    Over,
}

pub(crate) struct Core {
    pub(super) slots: Slab<Entry>,
    pub(super) world: World,
    pub(super) timers: Timers,
    /// Who waits for the first contact with the nodes.
    contacts: Vec<Seat>,
}

impl Core {
    pub(crate) fn new(config: Config) -> Self {
        Self { slots: Slab::default(), world: World::new(config), timers: Timers::default(), contacts: Vec::new() }
    }

    /// A slot for a call that is about to be made.
    pub(crate) fn reserve(&mut self) -> Slot {
        self.slots.insert(Entry::Reserved).0
    }

    pub(crate) fn step(&mut self, now: Moment, entropy: &mut dyn Entropy, event: Event) {
        self.world.begin(now);
        if event.is_from_javascript() {
            self.world.seen = self.world.now;
            self.world.asked = None;
        }
        match event {
            Event::Acquire { slot, call } => self.acquire(entropy, slot, call),
            Event::Cancel { slot } => self.cancel(slot),
            Event::Extend { slot, ttl } => self.extend(entropy, slot, ttl),
            Event::Release { slot } => self.release(slot),
            Event::Connect { slot, timeout } => {
                let until = self.world.now + timeout;
                self.put(slot, Entry::Connecting(Connecting { until }));
                self.contact(entropy, self.seat(slot));
            }
            Event::Inspect { slot, keys } => {
                self.put(slot, Entry::Inspection(Inspection::new(&self.world, keys)));
                self.contact(entropy, self.seat(slot));
            }
            Event::Answer { node, answer } => self.answer(entropy, node, answer),
            Event::Node { node, status } => self.news(entropy, node, status),
            Event::Seen => {}
            Event::Tick => self.tick(entropy),
        }
        self.adopt_orphans();
    }

    fn seat(&self, slot: Slot) -> Seat {
        Seat { slot, generation: self.slots.generation(slot) }
    }

    fn put(&mut self, slot: Slot, entry: Entry) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = entry;
        }
    }

    fn acquire(&mut self, entropy: &mut dyn Entropy, slot: Slot, call: super::event::Call) {
        self.world.waiting += 1;
        let seat = self.seat(slot);
        let mut attempt = Box::new(Attempt::new(call, &self.world));
        let turn = attempt.contact(&mut self.world, entropy, seat);
        if attempt.is_in_contact() {
            self.contacts.push(seat);
        }
        self.put(slot, Entry::Attempt(attempt));
        self.turn(entropy, slot, turn);
    }

    /// Carries out what an attempt's step led to.
    pub(super) fn turn(&mut self, entropy: &mut dyn Entropy, slot: Slot, turn: Turn) {
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
                let Entry::Attempt(attempt) = std::mem::replace(entry, Entry::Over) else {
                    return;
                };
                self.world.waiting -= 1;
                let lease = Lease::granted(attempt, &self.world, entropy);
                self.timers.set(slot, lease.timer());
                *entry = Entry::Lease(Box::new(lease));
                self.world.notify(seat, Kind::Granted);
            }
            Turn::Failed(verdict) => {
                self.world.waiting -= 1;
                self.world.counters.timed_out += 1;
                self.world.counters.contended += u64::from(attempt.was_contended());
                *entry = Entry::Failed(Box::new(attempt.failure(&self.world)));
                self.timers.set(slot, Moment::NEVER);
                self.world.notify(seat, Kind::Failed(verdict));
            }
        }
    }

    fn cancel(&mut self, slot: Slot) {
        let seat = self.seat(slot);
        match self.slots.get_mut(slot) {
            Some(Entry::Attempt(attempt)) => {
                attempt.give_back(&mut self.world);
                self.world.waiting -= 1;
                self.world.counters.aborted += 1;
                self.world.counters.contended += u64::from(attempt.was_contended());
            }
            // Granted, but not taken yet: the grant that waits for JavaScript finds no lease any more.
            Some(Entry::Lease(lease)) if lease.offer.is_some() => {
                if let Some(mut attempt) = lease.offer.take() {
                    attempt.give_back(&mut self.world);
                }
                self.world.counters.aborted += 1;
            }
            Some(Entry::Connecting(_)) => {}
            _ => return,
        }
        self.timers.set(slot, Moment::NEVER);
        self.put(slot, Entry::Over);
        self.world.notify(seat, Kind::Cancelled);
    }

    fn extend(&mut self, entropy: &mut dyn Entropy, slot: Slot, ttl: std::time::Duration) {
        let seat = self.seat(slot);
        match self.slots.get_mut(slot) {
            Some(Entry::Lease(lease)) => {
                let at = lease.extend(&mut self.world, entropy, seat, ttl);
                self.timers.set(slot, at);
            }
            _ => self.world.notify(seat, Kind::ExtendFailed),
        }
    }

    fn release(&mut self, slot: Slot) {
        let seat = self.seat(slot);
        let Some(entry) = self.slots.get_mut(slot) else {
            return;
        };
        match std::mem::replace(entry, Entry::Over) {
            Entry::Lease(lease) => {
                let mut release = lease.into_release(&mut self.world, seat);
                let at = release.start(&mut self.world, seat);
                *entry = Entry::Release(release);
                self.timers.set(slot, at);
            }
            other => *entry = other,
        }
    }

    fn answer(&mut self, entropy: &mut dyn Entropy, node: usize, answer: Answer) {
        let (slot, round) = (answer.tag.slot, answer.tag.round);
        let seat = Seat { slot, generation: answer.tag.generation };
        match self.slots.tenant(slot, seat.generation) {
            Some(Entry::Attempt(attempt)) => {
                let turn = attempt.answer(&mut self.world, entropy, seat, node, answer);
                self.turn(entropy, slot, turn);
            }
            Some(Entry::Lease(lease)) => {
                let at = lease.answer(&mut self.world, entropy, seat, node, &answer);
                self.timers.set(slot, at);
            }
            Some(Entry::Release(release)) => {
                let at = release.answer(&mut self.world, seat, node, round, &answer.reply);
                self.timers.set(slot, at);
                self.bury(slot);
            }
            Some(Entry::Inspection(inspection)) => {
                inspection.answer(node, answer.reply);
                self.look(slot);
            }
            _ => {}
        }
    }

    fn tick(&mut self, entropy: &mut dyn Entropy) {
        while let Some(slot) = self.timers.pop(self.world.now) {
            let seat = self.seat(slot);
            match self.slots.get_mut(slot) {
                Some(Entry::Attempt(attempt)) => {
                    let turn = attempt.tick(&mut self.world, entropy, seat);
                    self.turn(entropy, slot, turn);
                }
                Some(Entry::Lease(lease)) => {
                    let at = lease.tick(&mut self.world, entropy, seat);
                    self.timers.set(slot, at);
                }
                Some(Entry::Release(release)) => {
                    let at = release.tick(&mut self.world, seat);
                    self.timers.set(slot, at);
                    self.bury(slot);
                }
                Some(Entry::Connecting(_) | Entry::Inspection(_)) => self.contact(entropy, seat),
                _ => {}
            }
            self.adopt_orphans();
        }
    }

    /// Frees the slot of a release that nobody waits for any more.
    pub(super) fn bury(&mut self, slot: Slot) {
        if let Some(Entry::Release(release)) = self.slots.get(slot)
            && release.is_over()
        {
            self.free(slot);
        }
    }

    pub(super) fn free(&mut self, slot: Slot) {
        self.timers.set(slot, Moment::NEVER);
        self.slots.remove(slot);
    }

    /// Gives the releases behind failed rounds slots of their own, and starts them: after the requests that they undo.
    pub(super) fn adopt_orphans(&mut self) {
        while let Some(orphan) = self.world.orphans.pop() {
            let (slot, generation) = self.slots.insert(Entry::Release(orphan));
            if let Some(Entry::Release(release)) = self.slots.get_mut(slot) {
                let at = release.start(&mut self.world, Seat { slot, generation });
                self.timers.set(slot, at);
            }
            self.bury(slot);
        }
    }
}
