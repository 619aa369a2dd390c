//! One lock service at work, as the binding sees it: calls go in, mail comes out. Services may share a circuit.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::circuit::{Circuit, Wake};
use super::lab::Lab;
use super::mailbox::Mail;
use super::registry::{self, Terms};
use super::{clock, launch, runtime};
use crate::lock::{ClientId, Config, Core, Event, Slot};
use crate::node::{Line, Moment, Side, Watched};

/// Dropping it closes it.
pub(crate) struct Engine {
    circuit: Arc<Circuit>,
    client: ClientId,
    /// The number of the event loop on whose thread it is used.
    number: u32,
    /// Where it lives, if not in the world.
    lab: Option<Arc<Lab>>,
    closed: AtomicBool,
}

impl Engine {
    /// Joins the circuit of these terms, or starts one. `wake` may be called from any thread, and must not wait;
    /// `number` is that of the event loop on the caller's thread.
    pub(crate) fn start(terms: &Terms, number: u32, wake: Wake) -> io::Result<Self> {
        let handle = runtime::handle()?;
        let mut shared = registry::shared();
        let running = registry::running(&shared, terms);
        let is_new = running.is_none();
        let circuit = running.unwrap_or_else(|| launch::prepare(terms));
        let client = circuit.join(number, wake);
        if is_new {
            launch::start(&circuit, terms, &handle);
            registry::share(&mut shared, terms, &circuit);
        }
        drop(shared);
        circuit.announce();
        Ok(Self { circuit, client, number, lab: None, closed: AtomicBool::new(false) })
    }

    /// One on the nodes and by the clock of a lab, with a circuit of its own: to the others there it is as one of another
    /// process. Nothing runs for it on the I/O thread.
    pub(crate) fn start_in(lab: &Arc<Lab>, config: Config, number: u32, wake: Wake) -> Self {
        let (circuit, client) = lab.join(config, number, wake);
        Self { circuit, client, number, lab: Some(lab.clone()), closed: AtomicBool::new(false) }
    }

    /// A call of the user, under a slot of its own. Nothing is sent before the next [`Engine::flush`].
    pub(crate) fn call(&self, event: impl FnOnce(Slot) -> Event) -> Slot {
        let mut state = self.circuit.state();
        let slot = state.core.reserve(self.client);
        self.circuit.step_locked(&mut state, event(slot));
        slot
    }

    /// Something about an earlier call.
    pub(crate) fn tell(&self, event: Event) {
        if !self.is_closed() {
            self.circuit.step(event);
        }
    }

    /// Sends what waits, on the calling thread where it may. True when mail waits for the caller, who must then
    /// collect it: nobody wakes the JavaScript thread for it.
    pub(crate) fn flush(&self) -> bool {
        self.circulate();
        match &self.lab {
            None => self.circuit.claim(Some(self.number)),
            Some(lab) => lab.claim(self.number),
        }
    }

    fn circulate(&self) {
        match &self.lab {
            None => self.circuit.circulate(self.side()),
            Some(lab) => lab.settle(),
        }
    }

    fn announce(&self) {
        match &self.lab {
            None => self.circuit.announce(),
            Some(lab) => lab.announce(),
        }
    }

    fn side(&self) -> Side {
        Side::EventLoop(self.number)
    }

    /// Links that the caller's event loop may watch from now on: when one can be read, [`Engine::read_line`].
    /// `watch` says whether it will.
    pub(crate) fn attend(&self, mut watch: impl FnMut(usize, Arc<Line>, Watched) -> bool) {
        for node in 0..self.circuit.nodes.len() {
            if let Some((line, watched)) = self.circuit.nodes.attend(node, self.number)
                && !watch(node, line, watched)
            {
                self.circuit.nodes.leave(node, self.number);
            }
        }
    }

    /// Reads what has come, on the thread of the event loop, and does what follows from it. True as for
    /// [`Engine::flush`].
    pub(crate) fn read_line(&self, node: usize) -> bool {
        let mut answers = Vec::new();
        self.circuit.pump(self.side(), node, &mut answers);
        self.circuit.absorb(node, &mut answers);
        self.circuit.circulate(self.side());
        self.circuit.claim(Some(self.number))
    }

    /// The links that its event loop watches for it are watched by the I/O thread.
    pub(crate) fn leave(&self) {
        (0..self.circuit.nodes.len()).for_each(|node| self.circuit.nodes.leave(node, self.number));
    }

    /// The event loop has come around since it began to watch for an answer.
    pub(crate) fn visit(&self) {
        self.circuit.nodes.visit(clock::now());
    }

    /// Hands over what has happened, on the JavaScript thread; `take` says whether there is room for more.
    pub(crate) fn collect(&self, mut take: impl FnMut(Mail) -> bool) {
        if self.is_closed() {
            return;
        }
        let mut state = self.circuit.state();
        let now = self.circuit.now();
        let Some((core, entropy, mailbox)) = state.desk(self.client) else {
            return;
        };
        mailbox.open();
        core.step(now, entropy, Event::Seen { client: self.client });
        let mut full = false;
        while !full {
            let Some(mail) = mailbox.next(core, entropy, now, self.client) else {
                break;
            };
            full = !take(mail);
        }
        let pending = (0..self.circuit.nodes.len()).any(|node| core.has_requests(node));
        self.circuit.arm(&state);
        drop(state);
        if pending {
            // A grant ran out on its way, and was given back.
            self.circulate();
            self.announce();
        }
    }

    /// Reads from the core.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut Core, Moment) -> T) -> T {
        read(&mut self.circuit.state().core, self.circuit.now())
    }

    /// A moment as a wall-clock time: only for people to read.
    pub(crate) fn unix_time(&self, moment: Moment) -> Duration {
        self.circuit.unix_time(moment)
    }

    /// The service's name in what is read.
    pub(crate) fn client(&self) -> ClientId {
        self.client
    }

    pub(crate) fn remaining(&self, slot: Slot) -> Duration {
        // Afterwards the slot may be another's, as may the service's name.
        if self.is_closed() { Duration::ZERO } else { self.read(|core, now| core.remaining(now, slot)) }
    }

    pub(crate) fn next_word(&self) -> Option<super::Word> {
        if self.is_closed() {
            return None;
        }
        let mut state = self.circuit.state();
        let (core, _, mailbox) = state.desk(self.client)?;
        mailbox.next_word(core, self.client)
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

    /// Every node that was asked to give something back has answered, as far as closing would cut it short.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_closed() || self.circuit.is_quiet(self.client)
    }

    /// Gives everything back and waits for the answers, at most so long.
    pub(crate) fn shut_down(&self, limit: Duration) {
        Self::shut_down_all(&[self], limit);
    }

    /// The same for several. All are asked before any is waited for.
    pub(crate) fn shut_down_all(engines: &[&Self], limit: Duration) {
        let end = Instant::now() + limit;
        engines.iter().for_each(|engine| engine.surrender());
        engines.iter().for_each(|engine| engine.finish(end));
    }

    fn surrender(&self) {
        if self.is_closed() {
            return;
        }
        // From here on this thread waits, so that its event loop sees nothing.
        self.leave();
        self.give_up();
        self.circulate();
        self.announce();
    }

    /// Waits until everything is given back, at most until `end`, and closes.
    fn finish(&self, end: Instant) {
        // In a lab nothing moves while somebody waits.
        while self.lab.is_none() && !self.is_closed() && !self.circuit.state().core.is_quiet() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.close();
    }

    /// What the service holds, or may have been granted, is handed over or given back.
    fn give_up(&self) {
        let mut state = self.circuit.state();
        if let Some((core, entropy, _)) = state.desk(self.client) {
            core.surrender(self.circuit.now(), entropy, self.client);
        }
        self.circuit.arm(&state);
    }

    pub(crate) fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        self.leave();
        self.give_up();
        self.circulate();
        let shared = registry::shared();
        self.circuit.leave(self.client);
        drop(shared);
        self.announce();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shut_down(Duration::ZERO);
    }
}
