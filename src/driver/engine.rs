//! One lock service at work, as the binding sees it: calls go in, mail comes out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::circuit::{Circuit, State};
use super::mailbox::Mail;
use super::node_set::{NodeSet, NodeSettings};
use super::{clock, runtime, supervisor, timer, watcher};
use crate::lock::{Config, Core, Event, Slot, Status};
use crate::node::{Fault, FaultCode, Line, Moment, Side, Watched};

/// Dropping it closes it.
pub(crate) struct Engine {
    circuit: Arc<Circuit>,
    tasks: Vec<AbortHandle>,
    closed: AtomicBool,
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
        let circuit = Arc::new(Circuit::new(Core::new(config), NodeSet::new(&settings), wake));
        let mut tasks = vec![handle.spawn(timer::run(circuit.clone())).abort_handle()];
        for (node, settings) in settings.into_iter().enumerate() {
            let options = match &settings {
                NodeSettings::Memory { .. } => None,
                NodeSettings::Redis { options, .. } => Some(options.clone()),
            };
            let watcher = watcher::WatcherTask { circuit: circuit.clone(), node, options, timeout: connect_timeout };
            tasks.push(handle.spawn(watcher.run()).abort_handle());
            match settings {
                NodeSettings::Memory { .. } => {
                    circuit.step(Event::Node { node, status: Status::Up { identity: None } })
                }
                NodeSettings::Redis { options, password } => {
                    let task = supervisor::Supervisor {
                        circuit: circuit.clone(),
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
        Ok(Self { circuit, tasks, closed: AtomicBool::new(false) })
    }

    /// A call of the user, under a slot of its own. Nothing is sent before the next [`Engine::flush`].
    pub(crate) fn call(&self, event: impl FnOnce(Slot) -> Event) -> Slot {
        let mut state = self.circuit.state();
        let slot = state.core.reserve();
        self.circuit.step_locked(&mut state, event(slot));
        slot
    }

    /// Something about an earlier call.
    pub(crate) fn tell(&self, event: Event) {
        self.circuit.step(event);
    }

    /// Sends what waits, on the calling thread where it may. True when mail waits for the caller, who must then
    /// collect it: nobody wakes the JavaScript thread for it.
    pub(crate) fn flush(&self) -> bool {
        self.circuit.circulate(Side::EventLoop);
        self.claim()
    }

    fn claim(&self) -> bool {
        let mut state = self.circuit.state();
        let State { core, mailbox, .. } = &mut *state;
        mailbox.claim(core)
    }

    /// Links that the caller's event loop may watch from now on: when one can be read, [`Engine::read_line`].
    /// `watch` says whether it will.
    pub(crate) fn attend(&self, mut watch: impl FnMut(usize, Arc<Line>, Watched) -> bool) {
        for node in 0..self.circuit.nodes.len() {
            if let Some((line, watched)) = self.circuit.nodes.attend(node)
                && !watch(node, line, watched)
            {
                self.circuit.nodes.leave(node);
            }
        }
    }

    /// Reads what has come, on the thread of the event loop, and does what follows from it. True as for
    /// [`Engine::flush`].
    pub(crate) fn read_line(&self, node: usize) -> bool {
        let mut answers = Vec::new();
        self.circuit.pump(Side::EventLoop, node, &mut answers);
        self.circuit.absorb(node, &mut answers);
        self.circuit.circulate(Side::EventLoop);
        self.claim()
    }

    /// Hands over what has happened, on the JavaScript thread; `take` says whether there is room for more.
    pub(crate) fn collect(&self, mut take: impl FnMut(Mail) -> bool) {
        let mut state = self.circuit.state();
        state.mailbox.open();
        self.circuit.step_locked(&mut state, Event::Seen);
        let now = clock::now();
        let mut full = false;
        while !full {
            let State { core, entropy, mailbox } = &mut *state;
            let Some(mail) = mailbox.next(core, entropy, now) else {
                break;
            };
            full = !take(mail);
        }
        let pending = (0..self.circuit.nodes.len()).any(|node| state.core.has_requests(node));
        self.circuit.arm(&state);
        drop(state);
        if pending {
            // A grant ran out on its way, and was given back.
            self.circuit.circulate(Side::EventLoop);
            self.circuit.announce();
        }
    }

    /// Reads from the core.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut Core, Moment) -> T) -> T {
        read(&mut self.circuit.state().core, clock::now())
    }

    pub(crate) fn next_word(&self) -> Option<super::Word> {
        let mut state = self.circuit.state();
        let State { core, mailbox, .. } = &mut *state;
        mailbox.next_word(core)
    }

    pub(crate) fn answer_password(&self, node: usize, password: Result<String, String>) {
        self.circuit.nodes.answer_password(node, password);
    }

    /// Round trips of a node: median and 99th percentile.
    pub(crate) fn round_trip(&self, node: usize) -> (Duration, Duration) {
        self.circuit.nodes.node(node).round_trip()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Gives everything back and waits for the answers, at most so long.
    pub(crate) fn shut_down(&self, limit: Duration) {
        if self.is_closed() {
            return;
        }
        let end = Instant::now() + limit;
        self.circuit.state().core.surrender(clock::now());
        // From here on this thread waits, so that its event loop sees nothing.
        (0..self.circuit.nodes.len()).for_each(|node| self.circuit.nodes.leave(node));
        self.circuit.circulate(Side::EventLoop);
        while !self.circuit.state().core.is_quiet() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.close();
    }

    pub(crate) fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        for task in &self.tasks {
            task.abort();
        }
        let fault = Fault::new(FaultCode::Connect, "closed");
        for node in 0..self.circuit.nodes.len() {
            self.circuit.nodes.fail(node, &fault, &mut Vec::new());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shut_down(Duration::ZERO);
    }
}
