//! Keeps one node's watcher: connects it when somebody first waits for a key there, has it do what the core asks, and
//! brings the core what it sees. Without it who waits polls.

use std::sync::Arc;
use std::time::Duration;

use super::circuit::Circuit;
use super::{clock, supervisor, warnings};
use crate::lock::Event;
use crate::node::memory::MemoryWatcher;
use crate::node::{Fault, FaultCode, Options, RedisWatcher, Side, Sighting, Watch};

/// A server that refuses to tell is asked again after so long: somebody may have changed its ACL.
const REFUSED_DELAY: Duration = Duration::from_secs(60);

pub(super) struct WatcherTask {
    pub(super) circuit: Arc<Circuit>,
    pub(super) node: usize,
    /// `None` for memory.
    pub(super) options: Option<Options>,
    pub(super) timeout: Duration,
}

enum Watcher {
    Memory(MemoryWatcher),
    Redis(RedisWatcher),
}

impl Watcher {
    async fn ask(&mut self, watches: Vec<Watch>) -> Result<Vec<Sighting>, Fault> {
        match self {
            Self::Memory(memory) => Ok(memory.ask(clock::now(), watches)),
            Self::Redis(redis) => redis.ask(watches).await,
        }
    }

    async fn next(&mut self) -> Option<Vec<Sighting>> {
        match self {
            Self::Memory(memory) => memory.next().await,
            Self::Redis(redis) => redis.next().await,
        }
    }
}

impl WatcherTask {
    pub(super) async fn run(self) {
        let mut delay = supervisor::RECONNECT_DELAY;
        loop {
            if !self.is_wanted() {
                self.circuit.nodes.watcher_rung(self.node).await;
                continue;
            }
            let wait = match self.connect().await {
                Ok(watcher) => {
                    delay = supervisor::RECONNECT_DELAY;
                    self.step(Event::Watching { node: self.node });
                    self.serve(watcher).await;
                    delay
                }
                Err(fault) if is_refusal(&fault) => {
                    let loss = "the server does not tell of releases, so that who waits for a lock polls";
                    self.warn(loss, &fault.message);
                    REFUSED_DELAY
                }
                Err(_) => {
                    delay = (delay * 2).min(supervisor::RECONNECT_DELAY_MAX);
                    delay
                }
            };
            self.rest(wait).await;
        }
    }

    /// Nobody is there to do what is asked meanwhile: it is asked again once somebody is.
    async fn rest(&self, wait: Duration) {
        let end = tokio::time::sleep(wait);
        tokio::pin!(end);
        loop {
            self.circuit.state().core.take_watches(self.node);
            tokio::select! {
                () = &mut end => return,
                () = self.circuit.nodes.watcher_rung(self.node) => {}
            }
        }
    }

    fn is_wanted(&self) -> bool {
        let state = self.circuit.state();
        state.core.has_watches(self.node) || state.core.is_watching()
    }

    async fn connect(&self) -> Result<Watcher, Fault> {
        // What was asked of the one before is asked again.
        self.circuit.state().core.take_watches(self.node);
        match &self.options {
            None => Ok(Watcher::Memory(self.circuit.nodes.memory_watcher(self.node).ok_or_else(silence)?)),
            Some(options) => {
                let password = self.circuit.nodes.password(self.node);
                let connected = RedisWatcher::connect(options, password.as_deref());
                let connected = tokio::time::timeout(self.timeout, connected).await;
                connected.unwrap_or_else(|_| Err(silence())).map(Watcher::Redis)
            }
        }
    }

    async fn serve(&self, mut watcher: Watcher) {
        loop {
            let watches = self.circuit.state().core.take_watches(self.node);
            if !watches.is_empty() {
                let asked = tokio::time::timeout(self.timeout, watcher.ask(watches)).await;
                let Ok(Ok(sightings)) = asked else { return };
                if let Watcher::Redis(redis) = &watcher
                    && let Some(message) = redis.refusal()
                {
                    let loss = "holders cannot count the processes that wait";
                    self.warn(loss, message);
                }
                self.tell(sightings);
            }
            tokio::select! {
                biased;
                sightings = watcher.next() => match sightings {
                    Some(sightings) => self.tell(sightings),
                    None => return,
                },
                () = self.circuit.nodes.watcher_rung(self.node) => {}
            }
        }
    }

    fn tell(&self, sightings: Vec<Sighting>) {
        for sighting in sightings {
            let mut state = self.circuit.state();
            if let Some((topic, message)) = warnings::by_sighting(&sighting, state.core.longest()) {
                state.warn(self.node, topic, message);
            }
            self.circuit.step_locked(&mut state, Event::Sighted { node: self.node, sighting });
        }
        self.settle();
    }

    fn step(&self, event: Event) {
        self.circuit.step(event);
        self.settle();
    }

    fn settle(&self) {
        self.circuit.circulate(Side::IoThread);
        self.circuit.announce();
    }

    fn warn(&self, loss: &'static str, message: &str) {
        self.circuit.state().warn(self.node, loss, format!("{loss}: {message}"));
        self.circuit.announce();
    }
}

fn is_refusal(fault: &Fault) -> bool {
    !matches!(fault.code, FaultCode::Connect | FaultCode::Timeout | FaultCode::Loading | FaultCode::Auth)
}

fn silence() -> Fault {
    Fault::new(FaultCode::Timeout, "no answer")
}
