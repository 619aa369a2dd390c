//! The one entrance: takes an event, lets the slot that it concerns take its step, and keeps the slots in order.

use super::attempt::{Attempt, Turn};
use super::config::Config;
use super::connecting::Connecting;
use super::event::{Entropy, Event, Failure, Found, Kind, Notice, Slot, Status};
use super::inspection::Inspection;
use super::lease::Lease;
use super::release::Release;
use super::renewal::millis;
use super::slab::Slab;
use super::timers::Timers;
use super::world::{Counters, Seat, World};
use crate::node::{Answer, Id, Moment, Request};

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
    timers: Timers,
    /// Who waits for the first contact with the nodes.
    contacts: Vec<Seat>,
}

/// What the JavaScript thread reads of a grant.
pub(crate) struct Grant {
    pub(crate) attempts: u32,
    pub(crate) ttl_ms: u32,
    pub(crate) id: Id,
    /// Four bits for each node, see `Ballot::summary`.
    pub(crate) votes: u64,
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
        self.world.now = now.max(self.world.now);
        if event.is_from_javascript() {
            self.world.seen = self.world.now;
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
    fn turn(&mut self, entropy: &mut dyn Entropy, slot: Slot, turn: Turn) {
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

    fn news(&mut self, entropy: &mut dyn Entropy, node: usize, status: Status) {
        let changes = self.world.members.update(node, status);
        self.world.changes.extend(changes);
        for seat in std::mem::take(&mut self.contacts) {
            self.contact(entropy, seat);
        }
        if self.world.members.fault(node).is_none() {
            for seat in self.world.take_owed(node) {
                if let Some(Entry::Release(release)) = self.slots.tenant(seat.slot, seat.generation) {
                    let at = release.pay(&mut self.world, seat, node);
                    self.timers.set(seat.slot, at);
                }
            }
        }
    }

    fn contact(&mut self, entropy: &mut dyn Entropy, seat: Seat) {
        match self.slots.tenant(seat.slot, seat.generation) {
            Some(Entry::Attempt(attempt)) if attempt.is_in_contact() => {
                let turn = attempt.contact(&mut self.world, entropy, seat);
                if attempt.is_in_contact() {
                    self.contacts.push(seat);
                }
                self.turn(entropy, seat.slot, turn);
            }
            Some(entry @ Entry::Connecting(_)) => {
                let Entry::Connecting(connecting) = &*entry else {
                    return;
                };
                let until = connecting.until;
                match connecting.step(&mut self.world, seat) {
                    None => {
                        self.timers.set(seat.slot, until);
                        self.contacts.push(seat);
                    }
                    Some(Kind::ConnectFailed) => {
                        *entry = Entry::Failed(Box::new(Connecting::failure(&self.world)));
                        self.timers.set(seat.slot, Moment::NEVER);
                    }
                    Some(_) => {
                        *entry = Entry::Over;
                        self.timers.set(seat.slot, Moment::NEVER);
                    }
                }
            }
            Some(Entry::Inspection(inspection)) => {
                if !inspection.contact(&mut self.world, seat) {
                    self.contacts.push(seat);
                }
                self.look(seat.slot);
            }
            _ => {}
        }
    }

    fn look(&mut self, slot: Slot) {
        let seat = self.seat(slot);
        let Some(entry) = self.slots.get_mut(slot) else {
            return;
        };
        let Entry::Inspection(inspection) = entry else {
            return;
        };
        match inspection.timer(&mut self.world, seat) {
            Some(at) => self.timers.set(slot, at),
            None => {
                let Entry::Inspection(inspection) = std::mem::replace(entry, Entry::Over) else {
                    return;
                };
                *entry = Entry::Inspected(inspection.into_found());
                self.timers.set(slot, Moment::NEVER);
            }
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
    fn bury(&mut self, slot: Slot) {
        if let Some(Entry::Release(release)) = self.slots.get(slot)
            && release.is_over()
        {
            self.free(slot);
        }
    }

    fn free(&mut self, slot: Slot) {
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

    // What follows is asked by the JavaScript thread and the driver, and changes nothing on the wire but `accept`.

    pub(crate) fn next_timer(&self) -> Moment {
        self.timers.next()
    }

    /// Takes what waits to be sent to a node; the empty buffer is left in its place.
    pub(crate) fn take_requests(&mut self, node: usize, buffer: &mut Vec<Request>) {
        std::mem::swap(buffer, &mut self.world.requests[node]);
    }

    pub(crate) fn has_requests(&self, node: usize) -> bool {
        !self.world.requests[node].is_empty()
    }

    pub(crate) fn has_news(&self) -> bool {
        !self.world.notices.is_empty() || !self.world.changes.is_empty() || self.world.heartbeat
    }

    pub(crate) fn next_change(&mut self) -> Option<super::event::Change> {
        self.world.changes.pop_front()
    }

    pub(crate) fn has_changes(&self) -> bool {
        !self.world.changes.is_empty()
    }

    /// Takes the next notice. A final one frees its slot, unless the background still needs it.
    pub(crate) fn next_notice(&mut self) -> Option<Notice> {
        self.world.heartbeat = false;
        let notice = self.world.notices.pop_front()?;
        if notice.kind.is_final() {
            match self.slots.tenant(notice.slot, notice.generation) {
                Some(Entry::Release(release)) => {
                    release.take();
                    self.bury(notice.slot);
                }
                Some(Entry::Over) => self.free(notice.slot),
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
        match lease.accept(&mut self.world) {
            Ok(()) => Some(Grant {
                attempts: lease.attempts,
                ttl_ms: millis(lease.ttl),
                id: lease.id,
                votes: lease.voters.summary(),
            }),
            Err(offer) => {
                let mut attempt = offer?;
                let votes = lease.voters.clone();
                self.world.waiting += 1;
                let turn = attempt.take_back(&mut self.world, entropy, seat, votes);
                *entry = Entry::Attempt(attempt);
                self.turn(entropy, seat.slot, turn);
                self.adopt_orphans();
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

    pub(crate) fn remaining(&self, now: Moment, slot: Slot) -> std::time::Duration {
        match self.slots.get(slot) {
            Some(Entry::Lease(lease)) => lease.remaining(now),
            _ => std::time::Duration::ZERO,
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.world.counters
    }

    pub(crate) fn held(&self) -> usize {
        self.world.held
    }

    pub(crate) fn waiting(&self) -> usize {
        self.world.waiting
    }

    pub(crate) fn fault(&self, node: usize) -> Option<&crate::node::Fault> {
        self.world.members.fault(node)
    }

    pub(crate) fn is_connecting(&self, node: usize) -> bool {
        self.world.members.is_connecting(node)
    }
}
