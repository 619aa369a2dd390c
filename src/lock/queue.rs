//! Who waits for a key inside this process, in the order of arrival. The first holds the key or contends for it; the
//! others are handed it when they are next, or contend themselves. A call for several keys stands in each of their
//! queues, and is first when it is first in all of them: all are joined at once, so that no two wait for each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::ballot::Ballot;
use super::world::Seat;
use crate::node::Keys;

/// What somebody who has joined is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Waits,
    /// It holds the key, or what was to be its lease is being prolonged: it may wait again.
    Holds,
    Left,
}

#[derive(Clone, Debug, Default, Hash)]
struct Queue {
    seats: VecDeque<Seat>,
    /// Of these, so many have left without having been first. They are passed over, or swept out.
    gone: usize,
    /// The last round that was lost at the nodes.
    lost: Option<Ballot>,
    /// The nodes are watched for the key's release.
    watched: bool,
}

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Queues {
    by_key: BTreeMap<Arc<str>, Queue>,
}

/// Fewer that have left are not worth sweeping out.
const SWEEP: usize = 16;

impl Queues {
    /// Takes the last place at each key. True when that is the first.
    pub(super) fn join(&mut self, seat: Seat, keys: &Keys) -> bool {
        let mut first = true;
        for key in keys.iter_shared() {
            let queue = self.by_key.entry(key).or_default();
            first &= queue.seats.is_empty();
            queue.seats.push_back(seat);
        }
        first
    }

    /// Takes the first place at each key, before whoever contends for it: it has been granted.
    pub(super) fn seize(&mut self, seat: Seat, keys: &Keys) {
        for key in keys.iter_shared() {
            self.by_key.entry(key).or_default().seats.push_front(seat);
        }
    }

    pub(super) fn is_first(&self, seat: Seat, keys: &Keys) -> bool {
        keys.iter().all(|key| self.by_key.get(key).and_then(|queue| queue.seats.front()) == Some(&seat))
    }

    /// Who is first at a key.
    pub(super) fn first(&self, key: &str) -> Option<Seat> {
        self.by_key.get(key)?.seats.front().copied()
    }

    /// Who waits next after the first, unless another who holds the key comes before. Those who have left are dropped on
    /// the way.
    pub(super) fn next(&mut self, key: &str, presence: impl Fn(Seat) -> Presence) -> Option<Seat> {
        let queue = self.by_key.get_mut(key)?;
        while let Some(seat) = queue.seats.get(1).copied() {
            match presence(seat) {
                Presence::Waits => return Some(seat),
                Presence::Holds => return None,
                Presence::Left => queue.seats.remove(1),
            };
            queue.gone = queue.gone.saturating_sub(1);
        }
        None
    }

    /// The first leaves, and the next is first, without a look at the nodes.
    pub(super) fn pass(&mut self, key: &str) {
        if let Some(queue) = self.by_key.get_mut(key) {
            queue.seats.pop_front();
        }
    }

    /// Leaves every queue. `promoted` hears who is first where it was the first; `unwatched` which queues end that
    /// were watched.
    pub(super) fn leave(
        &mut self,
        seat: Seat,
        keys: &Keys,
        lost: Option<&Ballot>,
        presence: impl Fn(Seat) -> Presence,
        mut promoted: impl FnMut(Seat),
        mut unwatched: impl FnMut(&str),
    ) {
        for key in keys.iter() {
            let Some(queue) = self.by_key.get_mut(key) else { continue };
            if queue.seats.front() != Some(&seat) {
                queue.leave_middle(&presence);
                continue;
            }
            queue.seats.pop_front();
            while let Some(first) = queue.seats.front().copied() {
                if presence(first) != Presence::Left {
                    promoted(first);
                    break;
                }
                queue.seats.pop_front();
                queue.gone = queue.gone.saturating_sub(1);
            }
            if queue.seats.is_empty() {
                if queue.watched {
                    unwatched(key);
                }
                self.by_key.remove(key);
            } else if let Some(lost) = lost {
                queue.lost = Some(lost.clone());
            }
        }
    }

    /// What the last contender for one of the keys was told.
    pub(super) fn lost(&self, keys: &Keys) -> Option<&Ballot> {
        keys.iter().find_map(|key| self.by_key.get(key)?.lost.as_ref())
    }

    /// From now on the key is watched.
    pub(super) fn watch(&mut self, key: &str) {
        if let Some(queue) = self.by_key.get_mut(key) {
            queue.watched = true;
        }
    }

    pub(super) fn watched(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_key.iter().filter(|(_, queue)| queue.watched).map(|(key, _)| key)
    }

    #[cfg(any(test, feature = "sim"))]
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}

impl Queue {
    /// Somebody who is not first leaves: the place stays until it is its turn, or until half of them are empty.
    fn leave_middle(&mut self, presence: impl Fn(Seat) -> Presence) {
        self.gone += 1;
        if self.gone >= SWEEP && self.gone * 2 > self.seats.len() {
            let first = self.seats.pop_front();
            self.seats.retain(|seat| presence(*seat) != Presence::Left);
            if let Some(first) = first {
                self.seats.push_front(first);
            }
            self.gone = 0;
        }
    }
}
