//! A client: the lock's core and its user, who hears at once. What it does follows from what it is, from the moment, and
//! from what happens to it; that is worked out once, and looked up whenever it is met again.
//!
//! Nodes are alike, so that of all states that differ by the order of the nodes one is enough. But a core has the nodes'
//! numbers all through it. So a client is six cores, one for each order in which the nodes may be named, and all six are
//! told the same in their own words. A state with its nodes in another order is then one of these six, and is known
//! again by its print. That all six always do the same, in their own words, is looked at in each step: it is not taken for
//! granted.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::kept::Kept;
use super::print::print;
use super::scope::Scope;
use super::state::{KEY, Message, NODES, Pools, Stage, TTL, wall};
use crate::lock::event::Notice;
use crate::lock::{Call, Config, Core, Entropy, Event, Kind, Retry, Slot, Status};
use crate::node::{Answer, Fault, FaultCode, Identity, Keys, Moment, Request, Tag, tokens};

/// What the nodes of a state are called.
pub(super) const ORDERS: [[usize; NODES]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// How long servers have been running when it begins.
const AGE: Duration = Duration::from_secs(3600);
/// What a server may say of its age that has just started: it counts in seconds of its clock.
const YOUNGEST: Duration = Duration::from_secs(1);
/// For so long has a client been there that has not reached one of the nodes.
const ABSENCE: Duration = Duration::from_secs(5);

/// Draws the same numbers in every history.
#[derive(Clone, Debug, Hash)]
struct Draws {
    next: u64,
    /// How far the client's wall clock is ahead.
    ahead: u64,
    now: Moment,
}

impl Entropy for Draws {
    fn bits(&mut self) -> u64 {
        self.next += 1;
        // Ids differ by these; the moments that are drawn by them need not.
        self.next
    }

    fn wall(&mut self) -> u64 {
        wall(self.now) + self.ahead
    }
}

/// What happens to a client.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Deed<'a> {
    Acquire,
    Extend(Slot),
    Release(Slot),
    /// Another call of the process waits for it, and is handed it.
    HandOver(Slot),
    Answer(usize, &'a Answer),
    Tick,
    /// A node is empty, and runs for so many times.
    Restart(usize, u8),
    /// It begins after that.
    Begin(usize, u8),
}

/// What its user learns, what is sent to whom, and all else that a search ever asks a core for.
#[derive(Clone, Debug, Default, Hash)]
struct Outcome {
    sent: [Vec<Request>; NODES],
    stage: Option<Stage>,
    token: u64,
    timer: Moment,
    /// Of each slot: how long what it holds stays valid, and which of its tenants is there.
    slots: Vec<(Duration, Vec<bool>)>,
}

/// The time between two rounds of a call that waits.
const POLL: Duration = Duration::from_millis(200);

/// More than any history here needs.
const SLOTS: Slot = 8;

/// What it has become.
#[derive(Clone)]
pub(super) struct Acted {
    pub(super) client: Kept<Client>,
    pub(super) sent: Vec<(usize, Kept<Message<Request>>)>,
    pub(super) stage: Option<Stage>,
    pub(super) token: u64,
}

/// One core, and what it calls the nodes.
#[derive(Clone, Debug, Hash)]
struct Shadow {
    core: Core,
    draws: Draws,
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    shadows: [Shadow; ORDERS.len()],
    prints: [u128; ORDERS.len()],
}

impl Hash for Client {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.prints.hash(hasher);
    }
}

impl Client {
    pub(super) fn new(scope: &Scope, number: u64, now: Moment) -> Self {
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
        let is_first = number == 0;
        let is_absent = scope.is_absent && !is_first;
        let since = if is_absent { Moment::from_nanos(now.as_nanos() - ABSENCE.as_nanos() as u64) } else { now };
        // The second one's clock is ahead by a block of tokens: what they propose touches.
        let ahead = if is_first { u64::from(scope.ahead_s) * 1_000_000 } else { tokens::BLOCK - 1 };
        let shadow = || {
            let mut core = Core::new(config.clone());
            core.join(since);
            Shadow { core, draws: Draws { next: number << 32, ahead, now: since } }
        };
        let mut shadows = ORDERS.map(|_| shadow());
        for (shadow, order) in shadows.iter_mut().zip(ORDERS) {
            for (node, called) in order.into_iter().enumerate() {
                match node {
                    _ if scope.is_latecomer && !is_first => {}
                    0 if is_absent => shadow.lose(since, called),
                    _ => shadow.greet(since, called, 0, AGE),
                }
            }
            while shadow.core.next_change(0).is_some() {}
        }
        Self { prints: shadows.each_ref().map(print), shadows }
    }

    pub(super) fn called(&self, order: usize) -> u128 {
        self.prints[order]
    }

    pub(super) fn next_timer(&self) -> Moment {
        self.shadows[0].core.next_timer()
    }

    pub(super) fn is_valid(&self, now: Moment, slot: Slot) -> bool {
        self.shadows[0].core.remaining(now, slot) > Duration::ZERO
    }

    pub(super) fn awaits(&self, answer: &Answer) -> bool {
        self.shadows[0].core.awaits(answer.tag)
    }
}

impl Kept<Client> {
    pub(super) fn act(&self, number: usize, now: Moment, deed: Deed<'_>, pools: &Pools) -> Arc<Acted> {
        let key = print(&(self, number, now, deed));
        pools.acted.find(key, || {
            let mut client = self.clone();
            let Client { shadows, prints } = client.edit();
            let outcomes: Vec<Outcome> =
                shadows.iter_mut().zip(ORDERS).map(|(shadow, order)| shadow.act(now, deed, order)).collect();
            *prints = shadows.each_ref().map(print);
            let [first, others @ ..] = outcomes.as_slice() else { unreachable!("there are six orders") };
            for other in others {
                assert_eq!(print(first), print(other), "the core prefers a node: {deed:?}: {first:?}, {other:?}");
            }
            client.seal(&pools.clients);
            let keep = |what: &Request| Kept::sealed(Message { client: number, what: what.clone() }, &pools.requests);
            let sent = first.sent.iter().enumerate();
            let sent = sent.flat_map(|(node, sent)| sent.iter().map(move |what| (node, keep(what)))).collect();
            Acted { client, sent, stage: first.stage, token: first.token }
        })
    }
}

impl Shadow {
    fn act(&mut self, now: Moment, deed: Deed<'_>, order: [usize; NODES]) -> Outcome {
        let mut outcome = Outcome::default();
        match deed {
            Deed::Acquire => {
                let slot = self.core.reserve(0);
                outcome.stage = Some(Stage::Waits(slot));
                let call = Call { keys: Keys::one(KEY), ttl: TTL, renew: false, once: true, retry: Retry::ONCE };
                self.step(now, Event::Acquire { slot, call });
            }
            Deed::Extend(slot) => self.step(now, Event::Extend { slot, ttl: TTL }),
            Deed::Release(slot) => {
                outcome.stage = Some(Stage::Idle);
                self.step(now, Event::Release { slot });
            }
            Deed::HandOver(slot) => {
                let next = self.core.reserve(0);
                outcome.stage = Some(Stage::Waits(next));
                let retry = Retry::new(Some(TTL), 0, POLL, POLL);
                let call = Call { keys: Keys::one(KEY), ttl: TTL, renew: false, once: false, retry };
                self.step(now, Event::Acquire { slot: next, call });
                self.step(now, Event::Release { slot });
            }
            Deed::Answer(node, answer) => {
                self.step(now, Event::Answer { node: order[node], answer: answer.clone() });
            }
            Deed::Tick => self.step(now, Event::Tick),
            Deed::Restart(node, run) => {
                self.lose(now, order[node]);
                self.greet(now, order[node], run, Duration::ZERO);
            }
            Deed::Begin(restarted, run) => {
                for (node, called) in order.into_iter().enumerate() {
                    let (run, age) = if node == restarted { (run, YOUNGEST) } else { (0, AGE) };
                    self.greet(now, called, run, age);
                }
            }
        }
        while let Some(notice) = self.core.next_notice(0) {
            self.hear(now, notice, &mut outcome);
        }
        while self.core.next_change(0).is_some() {}
        for (node, sent) in outcome.sent.iter_mut().enumerate() {
            self.core.take_requests(order[node], sent);
            // Who waits does not, here: there is nothing to watch for.
            self.core.take_watches(order[node]);
        }
        outcome.timer = self.core.next_timer();
        let awaits = |slot, generation| self.core.awaits(Tag { slot, generation, round: 0 });
        let slot = |slot| (self.core.remaining(now, slot), (0..SLOTS).map(|tenant| awaits(slot, tenant)).collect());
        outcome.slots = (0..SLOTS).map(slot).collect();
        outcome
    }

    fn step(&mut self, now: Moment, event: Event) {
        self.draws.now = now;
        self.core.step(now, &mut self.draws, event);
    }

    fn lose(&mut self, now: Moment, node: usize) {
        let fault = Fault::new(FaultCode::Connect, "restarted");
        self.step(now, Event::Node { node, status: Status::Down(fault) });
    }

    fn greet(&mut self, now: Moment, node: usize, run: u8, uptime: Duration) {
        let run = format!("{node}.{run}");
        let identity = Identity { run: Some(run.as_str().into()), uptime: Some(uptime), promotion: None };
        self.step(now, Event::Node { node, status: Status::Up(identity) });
    }

    fn hear(&mut self, now: Moment, notice: Notice, outcome: &mut Outcome) {
        match notice.kind {
            Kind::Granted => {
                if let Some(grant) = self.core.accept(now, &mut self.draws, notice) {
                    outcome.stage = Some(Stage::Holds(notice.slot));
                    outcome.token = grant.token;
                }
            }
            Kind::Failed(_) => {
                self.core.take_failure(notice.slot);
                outcome.stage = Some(Stage::Idle);
            }
            Kind::Lost(_) => {
                outcome.stage = Some(Stage::Idle);
                self.step(now, Event::Release { slot: notice.slot });
            }
            // Who has let go does not wait for the answer.
            _ => {}
        }
    }
}
