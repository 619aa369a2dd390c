//! Two clients, three servers, and what is on its way between them.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use crate::lock::event::Notice;
use crate::lock::{Config, Core, Entropy, Event, Kind, Mutant, RestartGuard, Slot, Status};
use crate::node::{Answer, Command, Identity, Moment, Request, Tag};
use crate::sim::server::Server;

pub(super) const CLIENTS: usize = 2;
pub(super) const NODES: usize = 3;
pub(super) const KEY: &str = "k";
pub(super) const TTL: Duration = Duration::from_millis(1000);
/// What the wall clocks show when it begins, in microseconds.
const WALL: u64 = 1_763_000_000_000_000;
/// How long servers have been running by then.
const AGE: Duration = Duration::from_secs(3600);

/// How often what may happen.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Budgets {
    pub(crate) acquires: [u8; CLIENTS],
    pub(crate) extends: u8,
    pub(crate) releases: u8,
    pub(crate) duplicates: u8,
    pub(crate) restarts: u8,
    pub(crate) ticks: u8,
    pub(crate) expiries: u8,
}

/// What is searched.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) fencing: bool,
    pub(crate) guard: RestartGuard,
    pub(crate) budgets: Budgets,
    pub(crate) mutant: Option<Mutant>,
    /// It breaks a promise, and is known to.
    pub(crate) is_known_to_break: bool,
}

/// Draws the same numbers in every history.
#[derive(Clone, Debug, Hash)]
pub(super) struct Draws {
    next: u64,
    wall: u64,
}

impl Entropy for Draws {
    fn bits(&mut self) -> u64 {
        self.next += 1;
        // Ids differ by these; the moments that are drawn by them need not.
        self.next
    }

    fn wall(&mut self) -> u64 {
        self.wall
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Idle,
    Waits(Slot),
    Holds(Slot),
    Releases(Slot),
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Client {
    pub(super) core: Core,
    pub(super) draws: Draws,
    pub(super) stage: Stage,
    /// It was seen not to be valid.
    pub(super) was_invalid: bool,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Parcel<T> {
    pub(super) client: usize,
    pub(super) node: usize,
    pub(super) what: T,
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct World {
    pub(super) clients: [Client; CLIENTS],
    pub(super) servers: [Server; NODES],
    pub(super) runs: [u8; NODES],
    pub(super) requests: Vec<Parcel<Request>>,
    pub(super) answers: Vec<Parcel<Answer>>,
    pub(super) now: Moment,
    pub(super) budgets: Budgets,
    pub(super) last_token: u64,
    /// Which users may decide something: what they decide later, at the same time, comes to the same.
    pub(super) is_fresh: [bool; CLIENTS],
    /// Which servers something has happened to. The others are alike.
    pub(super) touched: usize,
    /// The promise that was broken.
    pub(crate) broken: Option<String>,
}

impl World {
    pub(crate) fn new(scope: &Scope) -> Self {
        let config = Config {
            nodes: NODES,
            quorum: NODES / 2 + 1,
            drift_factor: 0.01,
            node_timeout: Duration::from_millis(250),
            connect_timeout: Duration::from_millis(2000),
            max_hold: Duration::from_secs(600),
            stall_limit: Duration::from_secs(60),
            handover_limit: 1,
            fencing: scope.fencing,
            max_ttl: TTL,
            restart_guard: scope.guard,
            mutant: scope.mutant,
        };
        let now = Moment::from_nanos(1_000_000_000);
        let client = |number: u64| {
            let mut core = Core::new(config.clone());
            core.join(now);
            // The second one's clock is ahead by a block of tokens: what they propose touches.
            let ahead = number * (crate::node::tokens::BLOCK - 1);
            let draws = Draws { next: number << 32, wall: WALL + ahead };
            Client { core, draws, stage: Stage::Idle, was_invalid: false }
        };
        let mut world = Self {
            clients: [client(0), client(1)],
            servers: [(); NODES].map(|()| Server::new(scope.mutant)),
            runs: [0; NODES],
            requests: Vec::new(),
            answers: Vec::new(),
            now,
            budgets: scope.budgets.clone(),
            last_token: 0,
            is_fresh: [true; CLIENTS],
            touched: 0,
            broken: None,
        };
        for client in 0..CLIENTS {
            for node in 0..NODES {
                world.greet(client, node, AGE);
            }
        }
        world
    }

    pub(super) fn greet(&mut self, client: usize, node: usize, uptime: Duration) {
        let run = format!("{node}.{}", self.runs[node]);
        let identity = Identity { run: Some(run.as_str().into()), uptime: Some(uptime), promotion: None };
        self.step(client, Event::Node { node, status: Status::Up(identity) });
    }

    pub(super) fn wall(&self) -> u64 {
        WALL + self.now.as_nanos() / 1000
    }

    pub(super) fn step(&mut self, client: usize, event: Event) {
        let place = &mut self.clients[client];
        place.core.step(self.now, &mut place.draws, event);
        self.carry(client);
    }

    /// What a core has to say goes on its way, and its user hears at once.
    fn carry(&mut self, client: usize) {
        for node in 0..NODES {
            let mut requests = Vec::new();
            self.clients[client].core.take_requests(node, &mut requests);
            self.requests.extend(requests.into_iter().map(|what| Parcel { client, node, what }));
            // Who waits does not, here: there is nothing to watch for.
            self.clients[client].core.take_watches(node);
        }
        while let Some(notice) = self.clients[client].core.next_notice(0) {
            self.hear(client, notice);
        }
        while self.clients[client].core.next_change(0).is_some() {}
    }

    fn hear(&mut self, client: usize, notice: Notice) {
        let now = self.now;
        let place = &mut self.clients[client];
        match notice.kind {
            Kind::Granted => {
                if let Some(grant) = place.core.accept(now, &mut place.draws, notice) {
                    place.stage = Stage::Holds(notice.slot);
                    place.was_invalid = false;
                    if grant.token != 0 && grant.token <= self.last_token {
                        self.broken = Some(format!("token {} after {}", grant.token, self.last_token));
                    }
                    self.last_token = self.last_token.max(grant.token);
                }
                self.carry(client);
            }
            Kind::Failed(_) => {
                place.core.take_failure(notice.slot);
                place.stage = Stage::Idle;
            }
            Kind::Cancelled | Kind::Released(_) => place.stage = Stage::Idle,
            Kind::Lost(_) => {
                place.stage = Stage::Releases(notice.slot);
                self.step(client, Event::Release { slot: notice.slot });
            }
            _ => {}
        }
    }

    /// What can have no effect any more is as good as lost.
    pub(super) fn prune(&mut self) {
        let clients = &self.clients;
        self.answers.retain(|parcel| clients[parcel.client].core.awaits(parcel.what.tag));
        let (servers, requests) = (&self.servers, &self.requests);
        let matters = |parcel: &Parcel<Request>| {
            let Parcel { node, what, .. } = parcel;
            let is_release = what.command == Command::Release;
            let is_held = servers[*node].holder(KEY).is_some_and(|(id, _)| id == what.id);
            let raises = what.tokens.is_some_and(|tokens| servers[*node].fence(KEY).unwrap_or(0) < tokens.last);
            let is_expected = requests
                .iter()
                .any(|other| other.node == *node && other.what.id == what.id && other.what.command != Command::Release);
            // A server that makes mistakes may do more.
            !is_release || is_held || raises || is_expected || servers[*node].mutant.is_some()
        };
        let kept: Vec<bool> = requests.iter().map(matters).collect();
        let mut kept = kept.into_iter();
        self.requests.retain(|_| kept.next().unwrap_or(true));
        // In whatever order they were sent.
        let order = |tag: Tag| (tag.slot, tag.generation, tag.round);
        self.requests.sort_by_key(|parcel| {
            let kind = matches!(parcel.what.command, Command::Release);
            (parcel.client, parcel.node, order(parcel.what.tag), kind)
        });
        self.answers.sort_by_key(|parcel| (parcel.client, parcel.node, order(parcel.what.tag)));
    }

    /// At most one is valid, and what was not any more never is again.
    pub(super) fn check(&mut self) {
        let mut valid = 0;
        for client in &mut self.clients {
            let Stage::Holds(slot) = client.stage else { continue };
            let is_valid = client.core.remaining(self.now, slot) > Duration::ZERO;
            if is_valid && client.was_invalid {
                self.broken = Some("a handle is valid again".to_owned());
            }
            client.was_invalid |= !is_valid;
            valid += usize::from(is_valid);
        }
        if valid > 1 {
            self.broken = Some("two handles are valid".to_owned());
        }
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        let mut print = Print(0);
        self.hash(&mut print);
        print.0
    }
}

/// Quick, and good enough for some millions of states.
struct Print(u64);

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Print {
    fn mix(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(FACTOR);
        self.0 = mixed ^ mixed >> 29;
    }
}

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
