//! A core, its nodes and a clock, moved by hand.

use std::time::Duration;

use super::node::TestNode;
use crate::lock::event::Notice;
use crate::lock::{Call, Config, Core, Entropy, Event, Failure, Kind, RestartGuard, Retry, Slot, Status, Verdict};
use crate::node::{Command, Fault, FaultCode, Identity, Keys, Moment, Reply, Request};

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The client's wall clock, in microseconds, if nothing else is said.
pub(super) const WALL: u64 = 1_750_000_000_000_000;

/// SplitMix64, and a wall clock that stands still: tokens ascend without it.
#[derive(Clone, Debug)]
pub(super) struct Seeded {
    bits: u64,
    pub(super) wall: u64,
}

impl Seeded {
    pub(super) fn new(seed: u64) -> Self {
        Self { bits: seed, wall: WALL }
    }
}

impl Entropy for Seeded {
    fn bits(&mut self) -> u64 {
        self.bits = self.bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.bits;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn wall(&mut self) -> u64 {
        self.wall
    }
}

pub(crate) fn config(nodes: usize) -> Config {
    Config {
        nodes,
        quorum: nodes / 2 + 1,
        drift_factor: 0.01,
        node_timeout: ms(250),
        connect_timeout: ms(2000),
        max_hold: ms(600_000),
        stall_limit: ms(60_000),
        handover_limit: 64,
        fencing: false,
        max_ttl: ms(60_000),
        restart_guard: RestartGuard::Off,
        #[cfg(feature = "sim")]
        mutant: None,
    }
}

pub(super) fn call(key: &str, ttl: Duration) -> Call {
    let retry = Retry::new(None, 10, ms(50), ms(1000));
    Call { keys: Keys::one(key), ttl, renew: false, once: false, retry }
}

pub(super) struct Script {
    pub(super) core: Core,
    pub(super) nodes: Vec<TestNode>,
    pub(super) entropy: Seeded,
    pub(super) now: Moment,
    pub(super) kinds: Vec<(Slot, Kind)>,
}

impl Script {
    pub(super) fn new(nodes: usize) -> Self {
        Self::with(config(nodes))
    }

    pub(super) fn with(config: Config) -> Self {
        let mut script = Self::unconnected(config);
        for node in 0..script.nodes.len() {
            script.up(node);
        }
        script
    }

    pub(super) fn unconnected(config: Config) -> Self {
        let nodes = (0..config.nodes).map(|_| TestNode::default()).collect();
        let now = Moment::from_nanos(1_000_000_000);
        let mut core = Core::new(config);
        core.join(now);
        Self { core, nodes, entropy: Seeded::new(7), now, kinds: Vec::new() }
    }

    pub(super) fn step(&mut self, event: Event) {
        self.core.step(self.now, &mut self.entropy, event);
    }

    pub(super) fn up(&mut self, node: usize) {
        self.step(Event::Node { node, status: Status::Up(Identity::default()) });
    }

    pub(super) fn down(&mut self, node: usize) {
        let fault = Fault::new(FaultCode::Connect, "connection refused");
        self.step(Event::Node { node, status: Status::Down(fault) });
    }

    pub(super) fn acquire(&mut self, call: Call) -> Slot {
        let slot = self.core.reserve(0);
        self.step(Event::Acquire { slot, call });
        slot
    }

    /// What waits to be sent to a node; it will not be sent.
    pub(super) fn take(&mut self, node: usize) -> Vec<Request> {
        let mut requests = Vec::new();
        self.core.take_requests(node, &mut requests);
        requests
    }

    /// Delivers what waits for a node, and its answers.
    pub(super) fn deliver(&mut self, node: usize) {
        for request in self.take(node) {
            self.execute(node, &request);
        }
    }

    pub(super) fn execute(&mut self, node: usize, request: &Request) {
        let answer = self.nodes[node].run(self.now, request);
        self.step(Event::Answer { node, answer });
    }

    /// The node did what it was asked, but nobody will ever hear of it.
    pub(super) fn swallow(&mut self, node: usize) {
        for request in self.take(node) {
            self.nodes[node].run(self.now, &request);
        }
    }

    pub(super) fn fail(&mut self, node: usize, code: FaultCode) {
        for request in self.take(node) {
            let reply = Reply::fault(Fault::new(code, "scripted"));
            self.step(Event::Answer { node, answer: crate::node::Answer { tag: request.tag, reply } });
        }
    }

    /// Delivers everything until nothing moves.
    pub(super) fn settle(&mut self) {
        while (0..self.nodes.len()).any(|node| self.core.has_requests(node)) {
            for node in 0..self.nodes.len() {
                self.deliver(node);
            }
        }
    }

    pub(super) fn advance(&mut self, span: Duration) {
        self.now = self.now + span;
        self.step(Event::Tick);
    }

    /// Takes all notices as the JavaScript thread would.
    pub(super) fn drain(&mut self) -> Vec<(Slot, Kind)> {
        let mut taken = Vec::new();
        while let Some(notice) = self.core.next_notice(0) {
            let Notice { slot, kind, .. } = notice;
            if kind != Kind::Granted || self.core.accept(self.now, &mut self.entropy, notice).is_some() {
                taken.push((slot, kind));
            }
        }
        self.kinds.extend(&taken);
        taken
    }

    /// Moves messages and time until the slot's call has ended; its last notice.
    pub(super) fn run(&mut self, slot: Slot, limit: Duration) -> Kind {
        let end = self.now + limit;
        loop {
            self.settle();
            if let Some((_, kind)) = self.drain().into_iter().find(|(of, _)| *of == slot) {
                return kind;
            }
            let next = self.core.next_timer();
            assert!(next <= end, "nothing happened to the call");
            self.now = self.now.max(next);
            self.step(Event::Tick);
        }
    }

    pub(super) fn grant(&mut self, call: Call) -> Slot {
        let slot = self.acquire(call);
        assert_eq!(self.run(slot, ms(10_000)), Kind::Granted);
        slot
    }

    pub(super) fn failure(&mut self, slot: Slot) -> Failure {
        self.core.take_failure(slot).expect("the call has failed")
    }

    pub(super) fn remaining(&self, slot: Slot) -> Duration {
        self.core.remaining(self.now, slot)
    }

    pub(super) fn holders(&self, key: &str) -> usize {
        self.nodes.iter().filter(|node| node.holder(self.now, key).is_some()).count()
    }

    pub(super) fn commands(&mut self, node: usize) -> Vec<Command> {
        self.take(node).iter().map(|request| request.command).collect()
    }
}

pub(super) const CONTENDED: Kind = Kind::Failed(Verdict::Contended);
pub(super) const UNAVAILABLE: Kind = Kind::Failed(Verdict::Unavailable);
