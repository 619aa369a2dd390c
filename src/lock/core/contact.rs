//! News of the nodes, and who waits for it: calls before the first contact, releases that a node still owes an answer.

use std::time::Duration;

use super::{Core, Entry};
use crate::lock::connecting::Connecting;
use crate::lock::event::{Change, Entropy, Kind, Slot, Status};
use crate::lock::guard::Predecessor;
use crate::lock::world::{Seat, World};
use crate::node::Moment;

impl Core {
    pub(super) fn news(&mut self, entropy: &mut dyn Entropy, node: usize, status: Status) {
        let World { members, config, now, .. } = &mut self.world;
        let changes = members.update(config, *now, node, status);
        self.tell(entropy, &changes);
        if self.world.members.is_reachable(node) {
            self.collect_debts(node);
        }
    }

    /// Who answered at a node's address before: this process has known it before this core began.
    pub(crate) fn recall(&mut self, node: usize, predecessors: Vec<Predecessor>) {
        self.world.members.recall(node, predecessors);
    }

    /// For how long after its start a server may lack what was granted before.
    pub(crate) fn quarantine(&self) -> Duration {
        self.world.config.quarantine()
    }

    /// A quarantine may be over.
    pub(super) fn reconsider(&mut self, entropy: &mut dyn Entropy) {
        let changes = self.world.members.refresh_all(self.world.now);
        self.tell(entropy, &changes);
    }

    fn tell(&mut self, entropy: &mut dyn Entropy, changes: &[Change]) {
        for client in &mut self.world.clients {
            client.changes.extend(changes.iter().cloned());
        }
        for seat in std::mem::take(&mut self.contacts) {
            self.contact(entropy, seat);
        }
        for change in changes.iter().filter(|change| change.fault.is_none()) {
            self.try_again(entropy, change.node);
        }
    }

    /// The node can be reached: it gets the releases that it is owed.
    fn collect_debts(&mut self, node: usize) {
        for seat in self.world.take_owed(node) {
            if let Some(Entry::Release(release)) = self.slots.tenant(seat.slot, seat.generation) {
                let at = release.pay(&mut self.world, seat, node);
                self.timers.set(seat.slot, at);
            }
        }
    }

    /// The node is back. Who sleeps because too few could vote need not wait for the next poll.
    fn try_again(&mut self, entropy: &mut dyn Entropy, node: usize) {
        let is_short = |entry: &Entry| matches!(entry, Entry::Attempt(attempt) if attempt.lacks(node));
        let sleepers: Vec<Slot> =
            self.slots.iter().filter(|(_, entry)| is_short(entry)).map(|(slot, _)| slot).collect();
        for slot in sleepers {
            let seat = self.seat(slot);
            if let Some(Entry::Attempt(attempt)) = self.slots.get_mut(slot) {
                let turn = attempt.hear(&mut self.world, entropy, seat, node);
                self.turn(entropy, slot, turn);
            }
        }
    }

    pub(super) fn contact(&mut self, entropy: &mut dyn Entropy, seat: Seat) {
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

    pub(super) fn look(&mut self, slot: Slot) {
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
}
