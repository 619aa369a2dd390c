//! A lock server inside the process, for development and tests: the Redis node's semantics on a map.
//! One store per process and name, shared by every instance and worker thread.

mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use store::Store;

use super::{Answer, Fault, FaultCode, Moment, Node, Reply, Request, Side, Sighting, Watch};

static STORES: LazyLock<Mutex<BTreeMap<String, Weak<Mutex<Store>>>>> = LazyLock::new(Mutex::default);

/// Copies are the same node.
#[derive(Clone)]
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

    /// One that nobody finds by a name.
    pub(crate) fn nameless() -> Self {
        Self { store: Arc::default() }
    }

    /// While it is down, everybody hears that it cannot be reached. It keeps what it has.
    pub(crate) fn set_down(&self, down: bool) {
        self.store().down = down;
    }

    pub(crate) fn is_down(&self) -> bool {
        self.store().down
    }

    /// Loses one key.
    pub(crate) fn forget(&self, key: &str) {
        self.store().remove(key);
    }

    /// Loses everything, the fences too.
    pub(crate) fn clear(&self) {
        self.store().clear();
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
        if store.down {
            return Vec::new();
        }
        watches.into_iter().filter_map(|watch| store.watch(now, watch, &self.sender)).collect()
    }

    /// What it has seen since, without waiting.
    pub(crate) fn seen(&mut self) -> Vec<Sighting> {
        std::iter::from_fn(|| self.sightings.try_recv().ok()).collect()
    }

    pub(crate) async fn next(&mut self) -> Option<Vec<Sighting>> {
        self.sightings.recv().await.map(|sighting| vec![sighting])
    }
}

/// Why a node that is down does not answer.
pub(crate) fn absence() -> Fault {
    Fault::new(FaultCode::Connect, "the node is down")
}

impl Node for MemoryNode {
    fn pump(&self, _side: Side, now: Moment, take: &mut dyn FnMut(&mut Vec<Request>), answers: &mut Vec<Answer>) {
        // Taken under the store's lock: two threads that pump must not swap the order of an acquire and its release.
        let mut store = self.store();
        let mut requests = Vec::new();
        take(&mut requests);
        let down = store.down.then(absence);
        for request in &requests {
            let reply = down.clone().map_or_else(|| store.answer(now, request), Reply::fault);
            answers.push(Answer { tag: request.tag, reply });
        }
    }

    fn round_trip(&self) -> (Duration, Duration) {
        (Duration::ZERO, Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Command, Id, Keys, Reply, Tag};

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
    fn a_node_that_is_down_answers_with_a_fault_and_keeps_what_it_has() {
        let node = MemoryNode::nameless();
        let other = Id::from_bits(1, 2);
        assert_eq!(ask(&node, 0, A, Command::Acquire { ttl_ms: 100 }), YES);
        node.set_down(true);
        assert_eq!(ask(&node, 1, A, Command::Release), Reply::fault(absence()));
        assert_eq!(ask(&node, 1, A, Command::Probe), Reply::fault(absence()));
        node.set_down(false);
        assert_eq!(ask(&node, 2, other, Command::Acquire { ttl_ms: 100 }), NO);
        assert_eq!(ask(&node, 100, other, Command::Acquire { ttl_ms: 100 }), YES);
        node.forget("k");
        assert_eq!(ask(&node, 101, A, Command::Acquire { ttl_ms: 100 }), YES);
        node.clear();
        assert_eq!(ask(&node, 102, other, Command::Acquire { ttl_ms: 100 }), YES);
    }

    #[test]
    fn one_store_for_each_name() {
        let (one, same, other) = (MemoryNode::named("n1"), MemoryNode::named("n1"), MemoryNode::named("n2"));
        assert_eq!(ask(&one, 0, A, Command::Acquire { ttl_ms: 100 }), YES);
        assert_eq!(ask(&same, 0, Id::from_bits(1, 2), Command::Acquire { ttl_ms: 100 }), NO);
        assert_eq!(ask(&other, 0, Id::from_bits(1, 2), Command::Acquire { ttl_ms: 100 }), YES);
    }
}
