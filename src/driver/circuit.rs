//! The core behind one mutex, which whichever thread has the event steps, and what moves between it and its nodes.
//!
//! Lock order: a node's own lock, then the state. Nobody who holds the state pumps a node.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock;
use super::entropy::OsEntropy;
use super::mailbox::Mailbox;
use super::node_set::NodeSet;
use crate::lock::{Core, Event};
use crate::node::{Answer, Moment, Side};

pub(super) struct State {
    pub(super) core: Core,
    pub(super) entropy: OsEntropy,
    pub(super) mailbox: Mailbox,
}

pub(super) struct Circuit {
    state: Mutex<State>,
    pub(super) nodes: NodeSet,
    /// Tells the JavaScript thread that something waits for it.
    wake: Box<dyn Fn() + Send + Sync>,
    /// The moment for which the timer task is set, in nanoseconds. Written under the state's lock.
    armed: AtomicU64,
    pub(super) rearm: Notify,
}

impl Circuit {
    pub(super) fn new(core: Core, nodes: NodeSet, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            state: Mutex::new(State { core, entropy: OsEntropy::new(), mailbox: Mailbox::default() }),
            nodes,
            wake,
            armed: AtomicU64::new(u64::MAX),
            rearm: Notify::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn step(&self, event: Event) {
        self.step_locked(&mut self.state(), event);
    }

    pub(super) fn step_locked(&self, state: &mut State, event: Event) {
        state.core.step(clock::now(), &mut state.entropy, event);
        self.arm(state);
    }

    /// Wakes the timer task when it would sleep too long.
    pub(super) fn arm(&self, state: &State) {
        let next = state.core.next_timer().as_nanos();
        if next < self.armed.load(Ordering::Relaxed) {
            self.armed.store(next, Ordering::Relaxed);
            self.rearm.notify_one();
        }
    }

    /// The moment for which the timer task is to sleep.
    pub(super) fn next_timer(&self) -> Moment {
        let state = self.state();
        let next = state.core.next_timer();
        self.armed.store(next.as_nanos(), Ordering::Relaxed);
        next
    }

    /// Moves requests and answers until none is left to be moved. Off the I/O thread, nodes that are not shared are
    /// left to it.
    pub(super) fn circulate(&self, side: Side) {
        let mut answers = Vec::new();
        loop {
            let mut moved = false;
            for node in 0..self.nodes.len() {
                let (requests, watches) = {
                    let state = self.state();
                    (state.core.has_requests(node), state.core.has_watches(node))
                };
                if watches {
                    self.nodes.ring_watcher(node);
                }
                if !requests {
                    continue;
                }
                if side == Side::IoThread || self.nodes.is_shared(node) {
                    self.pump(side, node, &mut answers);
                    moved |= !answers.is_empty();
                    self.absorb(node, &mut answers);
                } else {
                    self.nodes.ring(node);
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Serves one node that has rung, and whatever follows from its answers.
    pub(super) fn serve(&self, node: usize) {
        let mut answers = Vec::new();
        self.pump(Side::IoThread, node, &mut answers);
        self.absorb(node, &mut answers);
        self.circulate(Side::IoThread);
        self.announce();
    }

    /// Reads what an event loop, which has been absent for so long, would read: before anybody is judged by the clock.
    pub(super) fn relieve(&self, patience: Duration) {
        for node in 0..self.nodes.len() {
            let absent = self.nodes.redis(node).and_then(|redis| redis.absent_since());
            if absent.is_some_and(|since| clock::now().since(since) >= patience) {
                self.nodes.take_over(node);
                self.serve(node);
            }
        }
    }

    pub(super) fn pump(&self, side: Side, node: usize, answers: &mut Vec<Answer>) {
        let mut take = |buffer: &mut Vec<_>| self.state().core.take_requests(node, buffer);
        self.nodes.node(node).pump(side, clock::now(), &mut take, answers);
    }

    pub(super) fn absorb(&self, node: usize, answers: &mut Vec<Answer>) {
        if answers.is_empty() {
            return;
        }
        let mut state = self.state();
        let now = clock::now();
        let State { core, entropy, .. } = &mut *state;
        for answer in answers.drain(..) {
            core.step(now, entropy, Event::Answer { node, answer });
        }
        self.arm(&state);
    }

    /// Wakes the JavaScript thread, once, when there is news for it.
    pub(super) fn announce(&self) {
        let mut state = self.state();
        let State { core, mailbox, .. } = &mut *state;
        let news = mailbox.claim(core);
        drop(state);
        if news {
            (self.wake)();
        }
    }
}
