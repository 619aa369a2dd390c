//! Seeded histories: several clients, lost and late messages in any order between nodes, crashes of links. While the
//! assumptions hold, two handles of one key are never valid at once, and a valid handle stands on a quorum of nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::node::TestNode;
use super::script::{Seeded, config, ms};
use crate::lock::{Call, Core, Entropy, Event, Kind, Retry, Slot, Status};
use crate::node::{Answer, Fault, FaultCode, Id, Identity, Keys, Moment, Reply, Request};

const NODES: usize = 3;
const CLIENTS: usize = 3;
const SEEDS: u64 = 800;
const STEPS: usize = 1500;

enum Message {
    Request(Request),
    Answer(Answer),
}

struct Client {
    core: Core,
    /// What it holds, and under which id.
    held: BTreeMap<Slot, Id>,
    waiting: Vec<Slot>,
    up: [bool; NODES],
}

struct History {
    clients: Vec<Client>,
    nodes: Vec<TestNode>,
    /// By client and node, in order: one connection each.
    wires: BTreeMap<(usize, usize), Vec<(Moment, Message)>>,
    entropy: Seeded,
    now: Moment,
    grants: usize,
}

impl History {
    fn new(seed: u64) -> Self {
        let client = || {
            let mut core = Core::new(config(NODES));
            core.join(Moment::default());
            Client { core, held: BTreeMap::new(), waiting: Vec::new(), up: [true; NODES] }
        };
        let mut history = Self {
            clients: (0..CLIENTS).map(|_| client()).collect(),
            nodes: (0..NODES).map(|_| TestNode::default()).collect(),
            wires: BTreeMap::new(),
            entropy: Seeded::new(seed),
            now: Moment::from_nanos(1),
            grants: 0,
        };
        for client in 0..CLIENTS {
            for node in 0..NODES {
                history.step(client, Event::Node { node, status: Status::Up(Identity::default()) });
            }
        }
        history
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.entropy.bits() % limit
    }

    /// Mostly fast, sometimes slow, now and then longer than a ttl.
    fn latency(&mut self) -> Duration {
        match self.below(100) {
            0 => ms(self.below(400)),
            1..6 => ms(self.below(60)),
            _ => Duration::from_micros(self.below(2000)),
        }
    }

    fn step(&mut self, client: usize, event: Event) {
        self.clients[client].core.step(self.now, &mut self.entropy, event);
        self.carry(client);
    }

    fn carry(&mut self, client: usize) {
        for node in 0..NODES {
            let mut requests = Vec::new();
            self.clients[client].core.take_requests(node, &mut requests);
            for request in requests {
                if self.clients[client].up[node] {
                    self.post(client, node, Message::Request(request));
                } else {
                    let reply = Reply::fault(Fault::new(FaultCode::Connect, "down"));
                    self.step(client, Event::Answer { node, answer: Answer { tag: request.tag, reply } });
                }
            }
        }
        while let Some(notice) = self.clients[client].core.next_notice(0) {
            self.notice(client, notice);
        }
    }

    fn post(&mut self, client: usize, node: usize, message: Message) {
        let at = self.now + self.latency();
        let wire = self.wires.entry((client, node)).or_default();
        let last = wire.iter().map(|(at, _)| *at).max().unwrap_or_default();
        wire.push((at.max(last), message));
    }

    fn notice(&mut self, client: usize, notice: crate::lock::event::Notice) {
        let place = &mut self.clients[client];
        match notice.kind {
            Kind::Granted => {
                if let Some(grant) = place.core.accept(self.now, &mut self.entropy, notice) {
                    place.held.insert(notice.slot, grant.id);
                    self.grants += 1;
                }
                self.carry(client);
            }
            Kind::Failed(_) => {
                place.core.take_failure(notice.slot);
            }
            Kind::Lost(_) => {
                place.held.remove(&notice.slot);
                self.step(client, Event::Release { slot: notice.slot });
            }
            _ => {}
        }
        self.clients[client].waiting.retain(|slot| *slot != notice.slot);
    }

    fn deliver(&mut self) {
        let due = |wire: &Vec<(Moment, Message)>, now| wire.first().is_some_and(|(at, _)| *at <= now);
        let now = self.now;
        while let Some((&(client, node), wire)) = self.wires.iter_mut().find(|(_, wire)| due(wire, now)) {
            match wire.remove(0).1 {
                Message::Request(request) => {
                    let answer = self.nodes[node].run(now, &request);
                    self.post(client, node, Message::Answer(answer));
                }
                Message::Answer(answer) => self.step(client, Event::Answer { node, answer }),
            }
        }
    }

    /// The link breaks. The node may still run what it has been sent; no answer comes back.
    fn cut(&mut self, client: usize, node: usize) {
        self.clients[client].up[node] = false;
        let fault = Fault::new(FaultCode::Connect, "cut");
        self.step(client, Event::Node { node, status: Status::Down(fault.clone()) });
        let runs = self.below(2) == 0;
        for (_, message) in self.wires.remove(&(client, node)).unwrap_or_default() {
            let tag = match &message {
                Message::Request(request) => request.tag,
                Message::Answer(answer) => answer.tag,
            };
            if let Message::Request(request) = message
                && runs
            {
                self.nodes[node].run(self.now, &request);
            }
            self.step(client, Event::Answer { node, answer: Answer { tag, reply: Reply::fault(fault.clone()) } });
        }
    }

    fn act(&mut self) {
        let client = self.below(CLIENTS as u64) as usize;
        let held: Vec<Slot> = self.clients[client].held.keys().copied().collect();
        let pick = self.below(100);
        match pick {
            0..30 => {
                let ttl = ms(20 + self.below(300));
                let retry = Retry::new(Some(ms(self.below(500))), 0, ms(5), ms(40));
                let call = Call {
                    keys: Keys::one("k"),
                    ttl,
                    renew: pick.is_multiple_of(2),
                    once: pick.is_multiple_of(5),
                    retry,
                };
                let slot = self.clients[client].core.reserve(0);
                self.clients[client].waiting.push(slot);
                self.step(client, Event::Acquire { slot, call });
            }
            30..50 if !held.is_empty() => {
                let slot = held[self.below(held.len() as u64) as usize];
                self.clients[client].held.remove(&slot);
                self.step(client, Event::Release { slot });
            }
            50..65 if !held.is_empty() => {
                let slot = held[self.below(held.len() as u64) as usize];
                let ttl = ms(10 + self.below(400));
                self.step(client, Event::Extend { slot, ttl });
            }
            65..70 => {
                if let Some(slot) = self.clients[client].waiting.pop() {
                    self.step(client, Event::Cancel { slot });
                }
            }
            70..75 => {
                let node = self.below(NODES as u64) as usize;
                if self.clients[client].up[node] && pick > 70 {
                    return;
                }
                if self.clients[client].up[node] {
                    self.cut(client, node);
                } else {
                    self.clients[client].up[node] = true;
                    self.step(client, Event::Node { node, status: Status::Up(Identity::default()) });
                }
            }
            75..77 => self.now = self.now + ms(self.below(300)),
            _ => self.now = self.now + Duration::from_micros(self.below(8000)),
        }
    }

    fn check(&self, seed: u64, step: usize) {
        let mut valid = Vec::new();
        for client in &self.clients {
            for (slot, id) in &client.held {
                if client.core.remaining(self.now, *slot) > Duration::ZERO {
                    valid.push(*id);
                }
            }
        }
        assert!(valid.len() <= 1, "seed {seed}, step {step}: two handles are valid");
        for id in valid {
            let nodes = self.nodes.iter().filter(|node| node.holder(self.now, "k") == Some(id)).count();
            assert!(nodes > NODES / 2, "seed {seed}, step {step}: a valid handle stands on {nodes} nodes");
        }
    }

    /// Lets everything end: no call waits, no slot is used, no key is held.
    fn end(&mut self, seed: u64) {
        for client in 0..CLIENTS {
            for node in 0..NODES {
                if !self.clients[client].up[node] {
                    self.clients[client].up[node] = true;
                    self.step(client, Event::Node { node, status: Status::Up(Identity::default()) });
                }
            }
            for slot in std::mem::take(&mut self.clients[client].held).into_keys() {
                self.step(client, Event::Release { slot });
            }
        }
        for _ in 0..5000 {
            self.now = self.now + ms(1);
            (0..CLIENTS).for_each(|client| self.step(client, Event::Tick));
            self.deliver();
            for client in 0..CLIENTS {
                for slot in std::mem::take(&mut self.clients[client].held).into_keys() {
                    self.step(client, Event::Release { slot });
                }
            }
        }
        for client in &self.clients {
            assert_eq!(client.core.slots.len(), 0, "seed {seed}: a slot is never freed");
            assert_eq!((client.core.held(0), client.core.waiting(0)), (0, 0), "seed {seed}");
        }
        assert!(self.nodes.iter().all(|node| node.holder(self.now, "k").is_none()), "seed {seed}: a key is left");
    }
}

#[test]
fn no_two_handles_are_ever_valid_at_once() {
    let mut grants = 0;
    for seed in 0..SEEDS {
        let mut history = History::new(seed);
        for step in 0..STEPS {
            history.act();
            for client in 0..CLIENTS {
                history.step(client, Event::Seen { client: 0 });
                history.step(client, Event::Tick);
            }
            history.deliver();
            history.check(seed, step);
        }
        grants += history.grants;
        history.end(seed);
    }
    assert!(grants > 10_000, "the histories are not worth much: {grants} grants");
}
