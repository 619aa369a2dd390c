//! A lock server inside the process, for development and tests: the Redis node's semantics on a map.
//! One store per process and name, shared by every instance and worker thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Answer, Command, Holding, Id, Moment, Node, Reply, Request, Side, Sighting, Tokens, Watch};

#[derive(Default)]
struct Store {
    leases: BTreeMap<Arc<str>, (Id, Moment)>,
    watchers: BTreeMap<Arc<str>, Vec<Present>>,
    expiries: BTreeSet<(Moment, Arc<str>)>,
    /// The last token that was granted of each key.
    fences: BTreeMap<Arc<str>, u64>,
    /// That of all keys whose own is not kept any more.
    floor: u64,
}

/// So many fences are kept; then the largest stands for all.
const FENCES_MAX: usize = 4096;

/// One service that waits for a key.
struct Present {
    sender: UnboundedSender<Sighting>,
    /// It has looked, and has not been told since.
    armed: bool,
}

impl Store {
    fn purge(&mut self, now: Moment) {
        while let Some((moment, _)) = self.expiries.first()
            && *moment <= now
        {
            if let Some((_, key)) = self.expiries.pop_first() {
                self.leases.remove(&key);
                self.tell(&key);
            }
        }
    }

    /// The key is free.
    fn tell(&mut self, key: &Arc<str>) {
        for present in self.watchers.get_mut(key).into_iter().flatten() {
            if std::mem::take(&mut present.armed) {
                // Nobody listens any more where a service has been closed.
                let _ = present.sender.send(Sighting::Freed { key: key.clone() });
            }
        }
    }

    fn watch(&mut self, now: Moment, watch: Watch, sender: &UnboundedSender<Sighting>) -> Option<Sighting> {
        self.purge(now);
        match watch {
            Watch::Arm(key) => {
                let present = self.watchers.entry(key.clone()).or_default();
                present.retain(|present| !present.sender.is_closed());
                match present.iter_mut().find(|present| present.sender.same_channel(sender)) {
                    Some(present) => present.armed = true,
                    None => present.push(Present { sender: sender.clone(), armed: true }),
                }
                let others = u32::try_from(present.len() - 1).unwrap_or(u32::MAX);
                let remaining = self.leases.get(&key).map(|(_, expiry)| expiry.since(now));
                Some(Sighting::Armed { key, remaining, others })
            }
            Watch::Count(key) => {
                let present = self.watchers.get(&key).map_or(&[][..], Vec::as_slice);
                let is_other = |present: &&Present| !present.sender.same_channel(sender) && !present.sender.is_closed();
                let others = u32::try_from(present.iter().filter(is_other).count()).unwrap_or(u32::MAX);
                Some(Sighting::Counted { key, others })
            }
            Watch::Drop(key) => {
                if let Some(present) = self.watchers.get_mut(&key) {
                    present.retain(|present| !present.sender.same_channel(sender) && !present.sender.is_closed());
                    if present.is_empty() {
                        self.watchers.remove(&key);
                    }
                }
                None
            }
        }
    }

    fn put(&mut self, key: &str, id: Id, expiry: Moment) {
        let key: Arc<str> = key.into();
        if let Some((_, old)) = self.leases.insert(key.clone(), (id, expiry)) {
            self.expiries.remove(&(old, key.clone()));
        }
        self.expiries.insert((expiry, key));
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, (_, expiry))) = self.leases.remove_entry(key) {
            self.expiries.remove(&(expiry, key.clone()));
            self.tell(&key);
        }
    }

    fn apply(&mut self, now: Moment, key: &str, request: &Request) -> bool {
        let Request { id, command, .. } = *request;
        let is_fenced = request.tokens.is_some();
        let held = self.leases.get(key).copied();
        let mine = held.is_some_and(|(owner, _)| owner == id);
        match command {
            Command::Acquire { ttl_ms } => {
                // With tokens the id's own key is no obstacle: other tokens are proposed for it.
                let is_free = held.is_none() || (mine && is_fenced);
                if is_free {
                    self.put(key, id, now + Duration::from_millis(ttl_ms));
                }
                is_free
            }
            Command::Extend { ttl_ms } => {
                let expiry = now + Duration::from_millis(ttl_ms);
                if mine && held.is_some_and(|(_, present)| present < expiry) {
                    self.put(key, id, expiry);
                }
                mine
            }
            Command::Release => {
                if mine {
                    self.remove(key);
                }
                true
            }
            Command::Probe => true,
        }
    }

    fn probe(&self, now: Moment, key: &str) -> Holding {
        match self.leases.get(key) {
            None => Holding::Free,
            Some((owner, expiry)) => {
                Holding::Held { value: owner.hex(&mut [0; super::id::HEX_LENGTH]).into(), remaining: expiry.since(now) }
            }
        }
    }

    fn fence(&self, key: &str) -> u64 {
        self.fences.get(key).copied().unwrap_or(self.floor)
    }

    /// The fence that the tokens of an acquire do not pass; unless the keys are held anyway.
    fn outbids(&self, request: &Request) -> Option<u64> {
        let Tokens { first, .. } = request.tokens?;
        let is_acquire = matches!(request.command, Command::Acquire { .. });
        let is_held = |key: &str| self.leases.get(key).is_some_and(|(owner, _)| *owner != request.id);
        let least = request.keys.iter().map(|key| self.fence(key)).max()?;
        (is_acquire && first <= least && !request.keys.iter().any(is_held)).then_some(least)
    }

    fn raise(&mut self, key: &str, last: u64) {
        let fence = self.fence(key).max(last);
        self.fences.insert(key.into(), fence);
        if self.fences.len() > FENCES_MAX {
            self.floor = self.fences.values().copied().max().unwrap_or(self.floor);
            self.fences.clear();
        }
    }

    fn answer(&mut self, now: Moment, request: &Request) -> Reply {
        self.purge(now);
        if let Some(least) = self.outbids(request) {
            return Reply::Outbid { least };
        }
        if request.command == Command::Probe {
            return Reply::Probed(request.keys.iter().map(|key| self.probe(now, key)).collect());
        }
        let mut yes = 0;
        for (index, key) in request.keys.iter().enumerate() {
            yes |= u64::from(self.apply(now, key, request)) << index;
        }
        for (index, key) in request.keys.iter().enumerate() {
            if let Some(Tokens { last, .. }) = request.tokens
                && yes >> index & 1 == 1
            {
                self.raise(key, last);
            }
        }
        Reply::Voted { yes, no: request.keys.mask() & !yes, fault: None }
    }
}

static STORES: LazyLock<Mutex<BTreeMap<String, Weak<Mutex<Store>>>>> = LazyLock::new(Mutex::default);

pub(crate) struct MemoryNode {
    store: Arc<Mutex<Store>>,
}

impl MemoryNode {
    /// The store of this name; it lives as long as one node of the process uses it.
    pub(crate) fn named(name: &str) -> Self {
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|_, store| store.strong_count() > 0);
        let store = stores.get(name).and_then(Weak::upgrade).unwrap_or_default();
        stores.insert(name.to_owned(), Arc::downgrade(&store));
        Self { store }
    }

    pub(crate) fn watcher(&self) -> MemoryWatcher {
        let (sender, sightings) = unbounded_channel();
        MemoryWatcher { store: self.store.clone(), sender, sightings }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears of the releases of one service's keys.
pub(crate) struct MemoryWatcher {
    store: Arc<Mutex<Store>>,
    sender: UnboundedSender<Sighting>,
    sightings: UnboundedReceiver<Sighting>,
}

impl MemoryWatcher {
    pub(crate) fn ask(&mut self, now: Moment, watches: Vec<Watch>) -> Vec<Sighting> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        watches.into_iter().filter_map(|watch| store.watch(now, watch, &self.sender)).collect()
    }

    pub(crate) async fn next(&mut self) -> Option<Vec<Sighting>> {
        self.sightings.recv().await.map(|sighting| vec![sighting])
    }
}

impl Node for MemoryNode {
    fn pump(&self, _side: Side, now: Moment, take: &mut dyn FnMut(&mut Vec<Request>), answers: &mut Vec<Answer>) {
        // Taken under the store's lock: two threads that pump must not swap the order of an acquire and its release.
        let mut store = self.store();
        let mut requests = Vec::new();
        take(&mut requests);
        for request in &requests {
            answers.push(Answer { tag: request.tag, reply: store.answer(now, request) });
        }
    }

    fn round_trip(&self) -> (Duration, Duration) {
        (Duration::ZERO, Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Keys, Tag};

    const A: Id = Id::NIL;
    const TAG: Tag = Tag { slot: 0, generation: 0, round: 0 };

    fn ask(node: &MemoryNode, now_ms: u64, id: Id, command: Command) -> Reply {
        let mut answers = Vec::new();
        let request = Request { tag: TAG, command, keys: Keys::one("k"), id, tokens: None };
        let mut waiting = vec![request];
        node.pump(
            Side::IoThread,
            Moment::from_nanos(now_ms * 1_000_000),
            &mut |buffer| buffer.append(&mut waiting),
            &mut answers,
        );
        answers.remove(0).reply
    }

    const YES: Reply = Reply::Voted { yes: 1, no: 0, fault: None };
    const NO: Reply = Reply::Voted { yes: 0, no: 1, fault: None };

    #[test]
    fn a_key_is_granted_once_until_it_expires() {
        let node = MemoryNode::named("once");
        let other = Id::from_bits(1, 2);
        assert_eq!(ask(&node, 0, A, Command::Acquire { ttl_ms: 100 }), YES);
        assert_eq!(ask(&node, 99, other, Command::Acquire { ttl_ms: 100 }), NO);
        assert_eq!(ask(&node, 100, other, Command::Acquire { ttl_ms: 100 }), YES);
    }

    #[test]
    fn only_the_owner_extends_and_never_shortens() {
        let node = MemoryNode::named("extend");
        let other = Id::from_bits(1, 2);
        assert_eq!(ask(&node, 0, A, Command::Acquire { ttl_ms: 100 }), YES);
        assert_eq!(ask(&node, 0, other, Command::Extend { ttl_ms: 500 }), NO);
        assert_eq!(ask(&node, 0, A, Command::Extend { ttl_ms: 10 }), YES);
        assert_eq!(ask(&node, 50, other, Command::Acquire { ttl_ms: 1 }), NO);
    }

    #[test]
    fn release_deletes_only_what_the_id_holds() {
        let node = MemoryNode::named("release");
        let other = Id::from_bits(1, 2);
        assert_eq!(ask(&node, 0, A, Command::Acquire { ttl_ms: 100 }), YES);
        assert_eq!(ask(&node, 1, other, Command::Release), YES);
        assert_eq!(ask(&node, 2, other, Command::Acquire { ttl_ms: 100 }), NO);
        assert_eq!(ask(&node, 3, A, Command::Release), YES);
        assert_eq!(ask(&node, 4, other, Command::Acquire { ttl_ms: 100 }), YES);
    }

    #[test]
    fn one_store_for_each_name() {
        let (one, same, other) = (MemoryNode::named("n1"), MemoryNode::named("n1"), MemoryNode::named("n2"));
        assert_eq!(ask(&one, 0, A, Command::Acquire { ttl_ms: 100 }), YES);
        assert_eq!(ask(&same, 0, Id::from_bits(1, 2), Command::Acquire { ttl_ms: 100 }), NO);
        assert_eq!(ask(&other, 0, Id::from_bits(1, 2), Command::Acquire { ttl_ms: 100 }), YES);
    }
}
