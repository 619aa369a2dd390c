//! The core behind one mutex, which whichever thread has the event steps, and what moves between it and its nodes.
//!
//! Lock order: a node's own lock, then the state. Nobody who holds the state pumps a node.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::clock::{self, Clock};
use super::entropy::RandomPool;
use super::mailbox::{Mailbox, Word};
use super::node_set::NodeSet;
use super::warnings::{self, Warnings};
use crate::lock::{ClientId, Core, Entropy, Event};
use crate::node::{Answer, Fault, FaultCode, Moment, Side};

/// Tells a JavaScript thread that something waits for it.
pub(super) type Wake = Arc<dyn Fn() + Send + Sync>;

/// Where one service gets its mail.
pub(super) struct Post {
    pub(super) mailbox: Mailbox,
    wake: Wake,
    /// The number of its event loop, which takes the mail of all its services at once.
    number: u32,
}

pub(super) struct State {
    pub(super) core: Core,
    pub(super) entropy: RandomPool,
    warnings: Warnings,
    /// By client.
    posts: Vec<Option<Post>>,
}

impl State {
    /// What a service's mail is made of.
    pub(super) fn desk(&mut self, client: ClientId) -> Option<(&mut Core, &mut RandomPool, &mut Mailbox)> {
        let post = self.posts.get_mut(usize::from(client))?.as_mut()?;
        Some((&mut self.core, &mut self.entropy, &mut post.mailbox))
    }

    /// Tells every service.
    pub(super) fn post(&mut self, word: &Word) {
        for post in self.posts.iter_mut().flatten() {
            post.mailbox.post(word.clone());
        }
    }

    /// Tells every service, if nothing has been told of that yet.
    pub(super) fn warn(&mut self, node: usize, topic: &'static str, message: String) {
        if self.warnings.note(node, topic) {
            self.post(&Word::Warning { node, code: "DEGRADED", message });
        }
    }

    /// Who is to be woken. True when the event loop of this number has mail, which it must collect by itself.
    fn claim(&mut self, number: Option<u32>, wakes: &mut Vec<Wake>) -> bool {
        let mut own = false;
        for (client, post) in (0..).zip(&mut self.posts) {
            if let Some(post) = post
                && post.mailbox.claim(&self.core, client)
            {
                if Some(post.number) == number {
                    own = true;
                } else {
                    wakes.push(post.wake.clone());
                }
            }
        }
        own
    }
}

pub(super) struct Circuit {
    state: Mutex<State>,
    pub(super) nodes: NodeSet,
    /// What runs for it on the I/O thread.
    tasks: Mutex<Vec<AbortHandle>>,
    clock: Clock,
    closed: AtomicBool,
    /// The moment for which the timer task is set, in nanoseconds. Written under the state's lock.
    armed: AtomicU64,
    pub(super) rearm: Notify,
}

impl Circuit {
    pub(super) fn new(core: Core, nodes: NodeSet) -> Self {
        Self::at(Clock::System, RandomPool::new(), core, nodes)
    }

    /// One that lives by this clock. With one that is moved by hand nothing may run for it on the I/O thread.
    pub(super) fn at(clock: Clock, entropy: RandomPool, core: Core, nodes: NodeSet) -> Self {
        Self {
            state: Mutex::new(State { core, entropy, warnings: Warnings::default(), posts: Vec::new() }),
            nodes,
            tasks: Mutex::default(),
            clock,
            closed: AtomicBool::new(false),
            armed: AtomicU64::new(u64::MAX),
            rearm: Notify::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(super) fn unix_time(&self, moment: Moment) -> Duration {
        self.clock.unix_time(moment)
    }

    pub(super) fn join(&self, number: u32, wake: Wake) -> ClientId {
        let mut state = self.state();
        let client = state.core.join(self.now());
        let place = usize::from(client);
        if place >= state.posts.len() {
            state.posts.resize_with(place + 1, || None);
        }
        state.posts[place] = Some(Post { mailbox: Mailbox::default(), wake, number });
        client
    }

    /// Nobody is told anything for this service any more. Without any the circuit ends.
    pub(super) fn leave(&self, client: ClientId) {
        let mut state = self.state();
        state.core.quit(client);
        state.posts[usize::from(client)] = None;
        let deserted = state.posts.iter().all(Option::is_none);
        drop(state);
        if deserted {
            self.close();
        }
    }

    /// Nothing would be lost if this service left: others stay, or no release waits for an answer.
    pub(super) fn is_quiet(&self, client: ClientId) -> bool {
        let state = self.state();
        let mut others = (0..).zip(&state.posts).filter(|(other, _)| *other != client);
        others.any(|(_, post)| post.is_some()) || state.core.is_quiet()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for task in self.tasks().drain(..) {
            task.abort();
        }
        let fault = Fault::new(FaultCode::Connect, "closed");
        for node in 0..self.nodes.len() {
            self.nodes.fail(node, &fault, &mut Vec::new());
        }
    }

    pub(super) fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn step(&self, event: Event) {
        self.step_locked(&mut self.state(), event);
    }

    pub(super) fn step_locked(&self, state: &mut State, event: Event) {
        state.core.step(self.now(), &mut state.entropy, event);
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

    /// Something waits to be sent.
    pub(super) fn has_requests(&self) -> bool {
        let state = self.state();
        (0..self.nodes.len()).any(|node| state.core.has_requests(node))
    }

    /// Whoever holds the key asks the nodes now whether it still does. False when nobody does.
    pub(super) fn recheck(&self, key: &str) -> bool {
        let mut state = self.state();
        let State { core, entropy, .. } = &mut *state;
        let held = core.recheck(self.now(), entropy, key);
        self.arm(&state);
        held
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
        self.nodes.node(node).pump(side, self.now(), &mut take, answers);
    }

    pub(super) fn absorb(&self, node: usize, answers: &mut Vec<Answer>) {
        if answers.is_empty() {
            return;
        }
        let mut state = self.state();
        let now = self.now();
        for answer in answers.drain(..) {
            let State { core, entropy, .. } = &mut *state;
            let warning = warnings::by_reply(&answer.reply, || entropy.wall(), || core.longest());
            core.step(now, entropy, Event::Answer { node, answer });
            if let Some((topic, message)) = warning {
                state.warn(node, topic, message);
            }
        }
        self.arm(&state);
    }

    /// Wakes the JavaScript threads for which there is news, once.
    pub(super) fn announce(&self) {
        self.claim(None);
    }

    /// As [`Circuit::announce`], but for the event loop of this number, which is on this thread: whether it has mail.
    pub(super) fn claim(&self, number: Option<u32>) -> bool {
        let mut wakes = Vec::new();
        let own = self.state().claim(number, &mut wakes);
        wakes.iter().for_each(|wake| wake());
        own
    }
}
