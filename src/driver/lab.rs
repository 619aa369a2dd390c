//! A world of its own for users' tests: nodes in memory that fail when they are told to, and a clock that stands still
//! until it is moved. Its services are driven from the thread that calls, without I/O thread and timers, and draw the
//! same numbers each time.
//!
//! Lock order: the lab, then a circuit's state, then a node's store.

mod member;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::circuit::{Circuit, Wake};
use super::clock::{Clock, HandClock};
use super::entropy::RandomPool;
use super::node_set::NodeSet;
use crate::lock::{ClientId, Config, Core, Status};
use crate::node::memory::{MemoryNode, absence};
use crate::node::{Identity, Moment};
use member::Member;

pub(crate) struct Lab {
    clock: HandClock,
    nodes: Vec<MemoryNode>,
    state: Mutex<State>,
}

struct State {
    members: Vec<Member>,
    /// So many services were ever there: the seed of the next one's draws.
    joined: u64,
    /// Of each node.
    lives: Vec<Life>,
}

/// A node's life, from one restart to the next.
#[derive(Clone, Copy)]
struct Life {
    number: u32,
    since: Moment,
}

impl Lab {
    pub(crate) fn new(nodes: usize) -> Arc<Self> {
        let lives = vec![Life { number: 0, since: Moment::default() }; nodes];
        Arc::new(Self {
            clock: HandClock::new(),
            nodes: (0..nodes).map(|_| MemoryNode::nameless()).collect(),
            state: Mutex::new(State { members: Vec::new(), joined: 0, lives }),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Without the services that have ended.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.members.retain(Member::is_there);
        state
    }

    /// A new service, which finds the nodes as they are.
    pub(super) fn join(&self, config: Config, number: u32, wake: Wake) -> (Arc<Circuit>, ClientId) {
        let mut state = self.state();
        let entropy = RandomPool::seeded(state.joined);
        state.joined += 1;
        let nodes = NodeSet::memory(&self.nodes);
        let circuit = Arc::new(Circuit::at(Clock::Hand(self.clock.clone()), entropy, Core::new(config), nodes));
        let client = circuit.join(number, wake);
        let member = Member::new(circuit.clone(), client, &self.nodes);
        for node in 0..self.nodes.len() {
            member.tell(node, self.status(&state, node));
        }
        state.members.push(member);
        (circuit, client)
    }

    fn status(&self, state: &State, node: usize) -> Status {
        if self.nodes[node].is_down() {
            return Status::Down(absence());
        }
        let Life { number, since } = state.lives[node];
        // Before its first restart it has been there for ever.
        let uptime = if number == 0 { Duration::MAX } else { self.now().since(since) };
        let run = Some(format!("{node}.{number}").into());
        Status::Up(Identity { run, uptime: Some(uptime), ..Identity::default() })
    }

    /// Does whatever can be done at this moment.
    pub(super) fn settle(&self) {
        member::settle(&mut self.state().members);
    }

    /// Whether there is mail for the event loop of this number, which it must collect by itself.
    pub(super) fn claim(&self, number: u32) -> bool {
        let mut own = false;
        for member in &self.state().members {
            own |= member.circuit.claim(Some(number));
        }
        own
    }

    pub(super) fn announce(&self) {
        self.state().members.iter().for_each(|member| member.circuit.announce());
    }

    /// Lets time pass until something is due, at most until this moment. True when something was: then there may be more.
    pub(crate) fn step(&self, until: Moment) -> bool {
        let mut state = self.state();
        member::settle(&mut state.members);
        let next = state.members.iter().map(|member| member.circuit.next_timer()).min().unwrap_or(Moment::NEVER);
        self.clock.move_to(next.min(until));
        state.members.iter().for_each(Member::tick);
        member::settle(&mut state.members);
        next <= until
    }

    /// From now on the first so many nodes are down, and no others.
    pub(crate) fn fail(&self, nodes: usize) {
        let mut state = self.state();
        for (node, memory) in self.nodes.iter().enumerate() {
            if memory.is_down() != (node < nodes) {
                memory.set_down(node < nodes);
                self.tell_all(&state, node);
            }
        }
        member::settle(&mut state.members);
    }

    /// The node has lost what it had, and is up.
    pub(crate) fn restart(&self, node: usize) {
        let mut state = self.state();
        let (Some(memory), Some(life)) = (self.nodes.get(node), state.lives.get_mut(node)) else {
            return;
        };
        *life = Life { number: life.number + 1, since: self.now() };
        memory.clear();
        memory.set_down(true);
        self.tell_all(&state, node);
        memory.set_down(false);
        self.tell_all(&state, node);
        member::settle(&mut state.members);
    }

    fn tell_all(&self, state: &State, node: usize) {
        state.members.iter().for_each(|member| member.tell(node, self.status(state, node)));
    }

    /// The key is gone from all nodes, and who holds it asks them. True if somebody did hold it.
    pub(crate) fn forget(&self, key: &str) -> bool {
        let mut state = self.state();
        self.nodes.iter().for_each(|node| node.forget(key));
        let mut held = false;
        for member in &state.members {
            held |= member.recheck(key);
        }
        member::settle(&mut state.members);
        held
    }
}

#[cfg(test)]
mod tests;
