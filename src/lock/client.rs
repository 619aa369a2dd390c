//! One service among those that share a core: what it is told, its figures, and its JavaScript thread's signs of life.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use super::core::{Core, Entry};
use super::event::{Change, Entropy, Notice, Slot};
use super::members::Members;
use crate::node::Moment;

/// Names a service for as long as it uses the core.
pub(crate) type ClientId = u16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) acquired: u64,
    /// Acquires that found the key taken, whatever their end.
    pub(crate) contended: u64,
    /// Acquires whose wait ended without the lock.
    pub(crate) timed_out: u64,
    pub(crate) aborted: u64,
    pub(crate) lost: u64,
    pub(crate) extended: u64,
    /// Renewals that were confirmed when less than a third of the ttl was left.
    pub(crate) renewed_late: u64,
    pub(crate) released: u64,
}

/// Nothing is decided by them: states that differ in nothing else are the same.
impl Hash for Counters {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Client {
    pub(super) counters: Counters,
    pub(super) held: usize,
    pub(super) waiting: usize,
    pub(super) notices: VecDeque<Notice>,
    pub(super) changes: VecDeque<Change>,
    /// When its JavaScript thread last showed a sign of life.
    pub(super) seen: Moment,
    /// Since when that has been asked for one, in vain.
    pub(super) asked: Option<Moment>,
    /// It is to show a sign of life.
    pub(super) heartbeat: bool,
    /// It has left; its place is free.
    pub(super) gone: bool,
}

impl Client {
    /// One that comes later hears how things stand.
    fn new(members: &Members, now: Moment) -> Self {
        Self { changes: members.changes(now), seen: now, ..Self::default() }
    }

    pub(super) fn show_life(&mut self, now: Moment) {
        (self.seen, self.asked) = (now, None);
    }

    pub(super) fn has_news(&self) -> bool {
        !self.notices.is_empty() || !self.changes.is_empty() || self.heartbeat
    }
}

impl Core {
    /// Takes a service in.
    pub(crate) fn join(&mut self, now: Moment) -> ClientId {
        let client = Client::new(&self.world.members, now);
        let clients = &mut self.world.clients;
        let free = clients.iter().position(|client| client.gone);
        let place = free.unwrap_or(clients.len());
        if place == clients.len() {
            clients.push(client);
        } else {
            clients[place] = client;
        }
        ClientId::try_from(place).expect("fewer than 65,536 services of one kind fit in a process")
    }

    /// The service ends: what it holds, or may have been granted, is handed over or given back.
    pub(crate) fn surrender(&mut self, now: Moment, entropy: &mut dyn Entropy, client: ClientId) {
        self.world.now = now.max(self.world.now);
        let owned = self.slots.iter().map(|(slot, _)| slot).filter(|slot| self.world.owner(*slot) == client);
        for slot in owned.collect::<Vec<Slot>>() {
            match self.slots.get(slot) {
                Some(Entry::Attempt(_) | Entry::Connecting(_)) => self.cancel(entropy, slot),
                Some(Entry::Lease(lease)) if lease.offer.is_some() => self.cancel(entropy, slot),
                Some(Entry::Lease(_)) => self.release(entropy, slot),
                _ => {}
            }
            match self.slots.get_mut(slot) {
                Some(Entry::Release(release)) => {
                    release.take();
                    self.bury(slot);
                }
                Some(Entry::Moved(moved)) => moved.taken = true,
                Some(_) => self.free(slot),
                None => {}
            }
            // Nobody is to hear of what is left of it.
            self.world.disown(slot);
        }
        self.settle(entropy);
    }

    /// The service has ended, and its place is free.
    pub(crate) fn quit(&mut self, client: ClientId) {
        self.world.clients[usize::from(client)] = Client { gone: true, ..Client::default() };
    }
}
