//! The one entrance: takes an event, lets the slot that it concerns take its step, and keeps the slots in order.

mod acquiring;
mod contact;
mod queueing;
mod watching;

use super::attempt::Attempt;
use super::client::ClientId;
use super::config::Config;
use super::connecting::Connecting;
use super::event::{Entropy, Event, Failure, Found, Kind, Slot};
use super::inspection::Inspection;
use super::lease::Lease;
use super::queue::Queues;
use super::release::Release;
use super::slab::Slab;
use super::timers::Timers;
use super::world::{Seat, World};
use crate::node::{Answer, Moment, Reply};
pub(super) use queueing::Moved;
pub(super) use queueing::Promotion;

#[derive(Clone, Debug, Hash)]
pub(super) enum Entry {
    /// Given out, nothing asked yet.
    Reserved,
    Attempt(Box<Attempt>),
    Lease(Box<Lease>),
    /// Its lease has been handed over.
    Moved(Moved),
    Release(Release),
    Connecting(Connecting),
    Inspection(Inspection),
    /// Over; how it ended waits to be taken.
    Failed(Box<Failure>),
    Inspected(Vec<Found>),
    /// Over; its last notice waits to be taken.
    Over,
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Core {
    pub(super) slots: Slab<Entry>,
    pub(super) world: World,
    pub(super) timers: Timers,
    /// Who waits for the first contact with the nodes.
    contacts: Vec<Seat>,
    pub(super) queues: Queues,
    /// Who is first since this step.
    pub(super) promotions: Vec<Promotion>,
}

impl Core {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            slots: Slab::default(),
            world: World::new(config),
            timers: Timers::default(),
            contacts: Vec::new(),
            queues: Queues::default(),
            promotions: Vec::new(),
        }
    }

    /// A slot for a call that is about to be made.
    pub(crate) fn reserve(&mut self, client: ClientId) -> Slot {
        let slot = self.slots.insert(Entry::Reserved).0;
        self.world.own(slot, client);
        slot
    }

    pub(crate) fn step(&mut self, now: Moment, entropy: &mut dyn Entropy, event: Event) {
        self.world.begin(now);
        let alive = match &event {
            Event::Seen { client } => Some(*client),
            event => event.slot().map(|slot| self.world.owner(slot)),
        };
        if let Some(client) = alive.and_then(|client| self.world.clients.get_mut(usize::from(client))) {
            client.show_life(self.world.now);
        }
        match event {
            Event::Acquire { slot, call } => self.acquire(entropy, slot, call),
            Event::Cancel { slot } => self.cancel(entropy, slot),
            Event::Extend { slot, ttl } => self.extend(entropy, slot, ttl),
            Event::Release { slot } => self.release(entropy, slot),
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
            Event::Sighted { node, sighting } => self.sighted(entropy, node, sighting),
            Event::Watching { node } => self.arm_anew(node),
            Event::Seen { .. } => {}
            Event::Tick => self.tick(entropy),
        }
        self.settle(entropy);
    }

    pub(super) fn seat(&self, slot: Slot) -> Seat {
        Seat { slot, generation: self.slots.generation(slot) }
    }

    pub(super) fn put(&mut self, slot: Slot, entry: Entry) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = entry;
        }
    }

    fn extend(&mut self, entropy: &mut dyn Entropy, slot: Slot, ttl: std::time::Duration) {
        let seat = self.seat(slot);
        match self.slots.get_mut(slot) {
            Some(Entry::Lease(lease)) => {
                lease.extend(&mut self.world, entropy, seat, ttl);
                self.after_lease(entropy, seat);
            }
            _ => self.world.notify(seat, Kind::ExtendFailed),
        }
    }

    fn answer(&mut self, entropy: &mut dyn Entropy, node: usize, answer: Answer) {
        // Whatever has become of who asked.
        if let Reply::Untimely { clock } = answer.reply {
            self.world.hear_clock(node, clock);
        }
        let round = answer.tag.round;
        let to = Seat { slot: answer.tag.slot, generation: answer.tag.generation };
        let seat = self.addressee(to);
        let slot = seat.slot;
        match self.slots.tenant(slot, seat.generation) {
            Some(Entry::Attempt(attempt)) => {
                let turn = attempt.answer(&mut self.world, entropy, seat, node, answer);
                self.turn(entropy, slot, turn);
            }
            Some(Entry::Lease(lease)) if lease.home == to => {
                lease.answer(&mut self.world, entropy, seat, node, &answer);
                self.after_lease(entropy, seat);
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
        if self.world.members.next() <= self.world.now {
            self.reconsider(entropy);
            self.settle(entropy);
        }
        while let Some(slot) = self.timers.pop(self.world.now) {
            let seat = self.seat(slot);
            match self.slots.get_mut(slot) {
                Some(Entry::Attempt(attempt)) => {
                    let turn = attempt.tick(&mut self.world, entropy, seat);
                    self.turn(entropy, slot, turn);
                }
                Some(Entry::Lease(lease)) => {
                    lease.tick(&mut self.world, entropy, seat);
                    self.after_lease(entropy, seat);
                }
                Some(Entry::Release(release)) => {
                    let at = release.tick(&mut self.world, seat);
                    self.timers.set(slot, at);
                    self.bury(slot);
                }
                Some(Entry::Connecting(_) | Entry::Inspection(_)) => self.contact(entropy, seat),
                _ => {}
            }
            self.settle(entropy);
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
            self.world.disown(slot);
            if let Some(Entry::Release(release)) = self.slots.get_mut(slot) {
                let at = release.start(&mut self.world, Seat { slot, generation });
                self.timers.set(slot, at);
            }
            self.bury(slot);
        }
    }
}
