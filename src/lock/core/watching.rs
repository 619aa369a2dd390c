//! What the watchers of the nodes are to look at, and what they have seen.

use super::{Core, Entry};
use crate::lock::attempt::{Attempt, Turn};
use crate::lock::event::Entropy;
use crate::lock::world::{Seat, World};
use crate::node::{Sighting, Watch};

impl Core {
    /// Has the nodes tell of the release of keys that somebody here was refused.
    pub(super) fn arm(&mut self) {
        for (seat, keys) in std::mem::take(&mut self.world.watching) {
            if !self.queues.is_first(seat, &keys) {
                continue;
            }
            for key in keys.iter_shared() {
                self.queues.watch(&key);
                self.world.watches.iter_mut().for_each(|watches| watches.push(Watch::Arm(key.clone())));
            }
        }
    }

    pub(super) fn arm_anew(&mut self, node: usize) {
        let keys = self.queues.watched().cloned().map(Watch::Arm);
        self.world.watches[node].extend(keys);
    }

    pub(super) fn sighted(&mut self, entropy: &mut dyn Entropy, node: usize, sighting: Sighting) {
        match sighting {
            Sighting::Armed { key, remaining, others } => self.wake(entropy, &key, |attempt, world, entropy, seat| {
                attempt.armed(world, entropy, seat, node, remaining, others.saturating_add(1))
            }),
            Sighting::Freed { key } => {
                self.wake(entropy, &key, |attempt, world, entropy, seat| attempt.hear(world, entropy, seat, node));
            }
            Sighting::Counted { key, others } => {
                let first = self.queues.first(&key);
                let entry = first.and_then(|first| self.slots.tenant(first.slot, first.generation));
                if let Some(Entry::Lease(lease)) = entry {
                    lease.tenure.count(others);
                }
            }
        }
    }

    fn wake(
        &mut self,
        entropy: &mut dyn Entropy,
        key: &str,
        step: impl FnOnce(&mut Attempt, &mut World, &mut dyn Entropy, Seat) -> Turn,
    ) {
        let Some(seat) = self.queues.first(key) else { return };
        if let Some(Entry::Attempt(attempt)) = self.slots.tenant(seat.slot, seat.generation) {
            let turn = step(attempt, &mut self.world, entropy, seat);
            self.turn(entropy, seat.slot, turn);
        }
    }
}
