//! One service in a lab, and what the I/O thread would do for it.

use std::sync::Arc;

use crate::driver::circuit::Circuit;
use crate::lock::{ClientId, Event, Status};
use crate::node::Side;
use crate::node::memory::{MemoryNode, MemoryWatcher};

pub(super) struct Member {
    pub(super) circuit: Arc<Circuit>,
    client: ClientId,
    watchers: Vec<MemoryWatcher>,
}

/// Has all of them do what they can, until nothing is left. What one gives back, another may have waited for.
pub(super) fn settle(members: &mut [Member]) {
    let mut moved = true;
    while moved {
        moved = false;
        for member in members.iter_mut() {
            moved |= member.circulate();
        }
    }
}

impl Member {
    pub(super) fn new(circuit: Arc<Circuit>, client: ClientId, nodes: &[MemoryNode]) -> Self {
        Self { circuit, client, watchers: nodes.iter().map(MemoryNode::watcher).collect() }
    }

    pub(super) fn is_there(&self) -> bool {
        !self.circuit.is_closed()
    }

    /// News of a node. Whoever watches it begins anew: it has told nothing while it was away.
    pub(super) fn tell(&self, node: usize, status: Status) {
        let up = matches!(status, Status::Up(_));
        self.circuit.step(Event::Node { node, status });
        if up {
            self.circuit.step(Event::Watching { node });
        }
    }

    /// Time has passed, and the JavaScript thread, which has let it pass, lives.
    pub(super) fn tick(&self) {
        self.circuit.step(Event::Seen { client: self.client });
        self.circuit.step(Event::Tick);
    }

    /// Whoever holds the key asks the nodes now whether it still does.
    pub(super) fn recheck(&self, key: &str) -> bool {
        self.circuit.recheck(key)
    }

    /// Whether there was anything to do.
    fn circulate(&mut self) -> bool {
        let circuit = &self.circuit;
        let mut moved = circuit.has_requests();
        circuit.circulate(Side::IoThread);
        for (node, watcher) in self.watchers.iter_mut().enumerate() {
            let watches = circuit.state().core.take_watches(node);
            let mut sightings = watcher.ask(circuit.now(), watches);
            sightings.append(&mut watcher.seen());
            moved |= !sightings.is_empty();
            for sighting in sightings {
                circuit.step(Event::Sighted { node, sighting });
            }
        }
        moved
    }
}
