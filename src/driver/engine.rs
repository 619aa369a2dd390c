//! One lock service at work: the core behind one mutex, which whichever thread has the event steps, and its nodes.
//!
//! Lock order: a node's own lock, then the state. Nobody who holds the state pumps a node.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::entropy::OsEntropy;
use super::mailbox::{Mail, Mailbox};
use super::node_set::{NodeSet, NodeSettings};
use super::{clock, runtime, supervisor, timer};
use crate::lock::{Config, Core, Event, Slot, Status};
use crate::node::{Answer, Fault, FaultCode, Moment};

pub(super) struct State {
    pub(super) core: Core,
    pub(super) entropy: OsEntropy,
    pub(super) mailbox: Mailbox,
}

pub(super) struct Inner {
    state: Mutex<State>,
    pub(super) nodes: NodeSet,
    /// Tells the JavaScript thread that something waits for it.
    wake: Box<dyn Fn() + Send + Sync>,
    /// The moment for which the timer task is set, in nanoseconds. Written under the state's lock.
    armed: AtomicU64,
    pub(super) rearm: Notify,
    closed: AtomicBool,
}

/// Dropping it closes it.
pub(crate) struct Engine {
    pub(super) inner: Arc<Inner>,
    tasks: Vec<AbortHandle>,
}

impl Engine {
    /// Starts connecting. `wake` may be called from any thread, and must not wait.
    pub(crate) fn start(
        config: Config,
        settings: Vec<NodeSettings>,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> io::Result<Self> {
        let handle = runtime::handle()?;
        let (connect_timeout, node_timeout) = (config.connect_timeout, config.node_timeout);
        let state = State { core: Core::new(config), entropy: OsEntropy::new(), mailbox: Mailbox::default() };
        let inner = Arc::new(Inner {
            state: Mutex::new(state),
            nodes: NodeSet::new(&settings),
            wake,
            armed: AtomicU64::new(u64::MAX),
            rearm: Notify::new(),
            closed: AtomicBool::new(false),
        });
        let mut tasks = vec![handle.spawn(timer::run(inner.clone())).abort_handle()];
        for (node, settings) in settings.into_iter().enumerate() {
            match settings {
                NodeSettings::Memory { .. } => inner.step(Event::Node { node, status: Status::Up { identity: None } }),
                NodeSettings::Redis { options, password } => {
                    let task = supervisor::Supervisor {
                        inner: inner.clone(),
                        node,
                        options,
                        password,
                        connect_timeout,
                        node_timeout,
                    };
                    // Nothing here runs for long between two waits: tokio's budget would only add wake-ups.
                    let task = tokio::task::coop::unconstrained(task.run());
                    tasks.push(handle.spawn(task).abort_handle());
                }
            }
        }
        Ok(Self { inner, tasks })
    }

    /// A call of the user, under a slot of its own. Nothing is sent before the next [`Engine::flush`].
    pub(crate) fn call(&self, event: impl FnOnce(Slot) -> Event) -> Slot {
        let mut state = self.inner.state();
        let slot = state.core.reserve();
        self.inner.step_locked(&mut state, event(slot));
        slot
    }

    /// Something about an earlier call.
    pub(crate) fn tell(&self, event: Event) {
        self.inner.step(event);
    }

    /// Sends what waits, on the calling thread where it may. True when mail waits for the caller, who must then
    /// collect it: nobody wakes the JavaScript thread for it.
    pub(crate) fn flush(&self) -> bool {
        self.inner.circulate(false);
        let mut state = self.inner.state();
        let State { core, mailbox, .. } = &mut *state;
        mailbox.claim(core)
    }

    /// Hands over what has happened, on the JavaScript thread; `take` says whether there is room for more.
    pub(crate) fn collect(&self, mut take: impl FnMut(Mail) -> bool) {
        let mut state = self.inner.state();
        state.mailbox.open();
        self.inner.step_locked(&mut state, Event::Seen);
        let now = clock::now();
        let mut full = false;
        while !full {
            let State { core, entropy, mailbox } = &mut *state;
            let Some(mail) = mailbox.next(core, entropy, now) else {
                break;
            };
            full = !take(mail);
        }
        let pending = (0..self.inner.nodes.len()).any(|node| state.core.has_requests(node));
        self.inner.arm(&state);
        drop(state);
        if pending {
            // A grant ran out on its way, and was given back.
            self.inner.circulate(false);
            self.inner.announce();
        }
    }

    /// Reads from the core.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut Core, Moment) -> T) -> T {
        read(&mut self.inner.state().core, clock::now())
    }

    pub(crate) fn next_word(&self) -> Option<super::Word> {
        let mut state = self.inner.state();
        let State { core, mailbox, .. } = &mut *state;
        mailbox.next_word(core)
    }

    pub(crate) fn answer_password(&self, node: usize, password: Result<String, String>) {
        self.inner.nodes.answer_password(node, password);
    }

    /// Round trips of a node: median and 99th percentile.
    pub(crate) fn round_trip(&self, node: usize) -> (Duration, Duration) {
        self.inner.nodes.node(node).round_trip()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::SeqCst)
    }

    /// Gives everything back and waits for the answers, at most so long.
    pub(crate) fn shut_down(&self, limit: Duration) {
        if self.is_closed() {
            return;
        }
        let end = Instant::now() + limit;
        self.inner.state().core.surrender(clock::now());
        self.inner.circulate(false);
        while !self.inner.state().core.is_quiet() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.close();
    }

    pub(crate) fn close(&self) {
        if self.inner.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        for task in &self.tasks {
            task.abort();
        }
        let fault = Fault::new(FaultCode::Connect, "closed");
        for node in 0..self.inner.nodes.len() {
            self.inner.nodes.fail(node, &fault, &mut Vec::new());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shut_down(Duration::ZERO);
    }
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn step(&self, event: Event) {
        self.step_locked(&mut self.state(), event);
    }

    fn step_locked(&self, state: &mut State, event: Event) {
        state.core.step(clock::now(), &mut state.entropy, event);
        self.arm(state);
    }

    /// Wakes the timer task when it would sleep too long.
    fn arm(&self, state: &State) {
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
    pub(super) fn circulate(&self, on_io_thread: bool) {
        let mut answers = Vec::new();
        loop {
            let mut moved = false;
            for node in 0..self.nodes.len() {
                if !self.state().core.has_requests(node) {
                    continue;
                }
                if on_io_thread || self.nodes.is_shared(node) {
                    self.pump(node, &mut answers);
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
        self.pump(node, &mut answers);
        self.absorb(node, &mut answers);
        self.circulate(true);
        self.announce();
    }

    fn pump(&self, node: usize, answers: &mut Vec<Answer>) {
        let mut take = |buffer: &mut Vec<_>| self.state().core.take_requests(node, buffer);
        self.nodes.node(node).pump(clock::now(), &mut take, answers);
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
