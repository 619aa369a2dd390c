//! Three calls, one node and what is on its way between them.

mod moves;

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use crate::lock::event::Notice;
use crate::lock::tests::node::TestNode;
use crate::lock::tests::script::{Seeded, config, ms};
use crate::lock::{Call, Config, Core, Event, Kind, Retry, Slot, Status};
use crate::node::{Identity, Keys, Moment, Request, Sighting, Watch};

pub(super) use moves::Move;

const CALLS: usize = 3;
const KEY: &str = "k";
const WAIT: Duration = ms(5000);
/// Longer than any ttl here.
const LONG: Duration = ms(3500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Waits(Slot, Moment),
    Holds(Slot),
    Releases(Slot),
    Over,
}

#[derive(Clone, Debug)]
pub(super) struct Budgets {
    pub(super) cancels: u8,
    pub(super) vanishes: u8,
    pub(super) silences: u8,
    pub(super) leaps: u8,
    pub(super) ticks: u8,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    core: Core,
    node: TestNode,
    wire: Vec<Request>,
    entropy: Seeded,
    now: Moment,
    calls: [Stage; CALLS],
    armed: bool,
    /// That of the latest holder.
    last_token: u64,
    /// So many other processes are said to wait.
    others: u32,
    budgets: Budgets,
}

/// The first is renewed; the second needs nearly all of its ttl; the third more than the others leave.
fn call(index: usize) -> Call {
    let (ttl, renew) = [(ms(1000), true), (ms(1000), false), (ms(3000), true)][index];
    let retry = Retry::new(Some(WAIT), 0, ms(50), ms(1000));
    Call { keys: Keys::one(KEY), ttl, renew, once: false, retry }
}

impl World {
    pub(super) fn new(others: u32, fencing: bool, budgets: Budgets) -> Self {
        let mut world = Self {
            core: Core::new(Config { handover_limit: 1, fencing, ..config(1) }),
            node: TestNode::default(),
            wire: Vec::new(),
            entropy: Seeded::new(11),
            now: Moment::from_nanos(1_000_000_000),
            calls: [Stage::Idle; CALLS],
            armed: false,
            last_token: 0,
            others,
            budgets,
        };
        world.core.join(world.now);
        world.step(Event::Node { node: 0, status: Status::Up(Identity::default()) });
        world.core.next_change(0);
        world
    }

    fn step(&mut self, event: Event) {
        self.core.step(self.now, &mut self.entropy, event);
        self.carry();
    }

    /// What the core has to say goes on its way; the watcher looks at once.
    fn carry(&mut self) {
        let mut requests = Vec::new();
        self.core.take_requests(0, &mut requests);
        self.wire.append(&mut requests);
        for watch in self.core.take_watches(0) {
            let key = KEY.into();
            let sighting = match watch {
                Watch::Arm(_) => {
                    self.armed = true;
                    self.node.holder(self.now, KEY);
                    let expiry = self.node.expiry(KEY).filter(|expiry| *expiry > self.now);
                    Sighting::Armed { key, remaining: expiry.map(|expiry| expiry.since(self.now)), others: self.others }
                }
                Watch::Count(_) => Sighting::Counted { key, others: self.others },
                Watch::Drop(_) => {
                    self.armed = false;
                    continue;
                }
            };
            self.core.step(self.now, &mut self.entropy, Event::Sighted { node: 0, sighting });
            self.carry();
        }
    }

    fn deliver(&mut self, heard: bool) {
        let request = self.wire.remove(0);
        let held = self.node.holder(self.now, KEY).is_some();
        let answer = self.node.run(self.now, &request);
        if heard {
            self.step(Event::Answer { node: 0, answer });
        }
        if held && self.node.holder(self.now, KEY).is_none() {
            self.free();
        }
    }

    fn free(&mut self) {
        if std::mem::take(&mut self.armed) {
            let sighting = Sighting::Freed { key: KEY.into() };
            self.step(Event::Sighted { node: 0, sighting });
        }
    }

    fn tick(&mut self) {
        self.now = self.now.max(self.core.next_timer());
        self.step(Event::Tick);
    }

    fn take(&mut self) {
        while let Some(notice) = self.core.next_notice(0) {
            let Notice { slot, kind, .. } = notice;
            let index = self.calls.iter().position(
                |stage| matches!(stage, Stage::Waits(at, _) | Stage::Holds(at) | Stage::Releases(at) if *at == slot),
            );
            let grant =
                (kind == Kind::Granted).then(|| self.core.accept(self.now, &mut self.entropy, notice)).flatten();
            let granted = grant.is_some();
            if let Some(grant) = grant.filter(|grant| grant.token != 0) {
                assert!(grant.token > self.last_token, "a later holder has a smaller token");
                self.last_token = grant.token;
            }
            self.carry();
            let index = index.expect("every notice is about a call that has not ended");
            match (kind, self.calls[index]) {
                (Kind::Granted, Stage::Waits(..)) if granted => self.calls[index] = Stage::Holds(slot),
                (Kind::Granted, Stage::Releases(_)) => assert!(!granted, "a call that was given up is granted"),
                (Kind::Failed(_), Stage::Waits(_, since)) => {
                    assert!(self.now >= since + WAIT, "a call has failed before its time");
                    self.core.take_failure(slot);
                    self.calls[index] = Stage::Over;
                }
                (Kind::Failed(_), Stage::Releases(_)) => {
                    // It had failed before it was given up.
                    self.core.take_failure(slot);
                    self.calls[index] = Stage::Over;
                }
                (Kind::Released(_) | Kind::Cancelled, Stage::Releases(_)) => self.calls[index] = Stage::Over,
                _ => {}
            }
        }
    }

    pub(super) fn check(&self) {
        let is_valid = |stage: &&Stage| match stage {
            Stage::Holds(slot) => self.core.remaining(self.now, *slot) > Duration::ZERO,
            _ => false,
        };
        assert!(self.calls.iter().filter(is_valid).count() <= 1, "two handles are valid");
    }

    /// From here on nothing goes wrong: everything comes to its end.
    pub(super) fn end(&mut self) {
        for index in 0..CALLS {
            if self.calls[index] == Stage::Idle {
                self.make(Move::Ask(index));
            }
        }
        for _ in 0..400 {
            while !self.wire.is_empty() || self.core.has_news(0) {
                if !self.wire.is_empty() {
                    self.deliver(true);
                }
                self.take();
                self.check();
            }
            (0..CALLS).for_each(|index| self.release(index));
            if self.wire.is_empty() && !self.core.has_news(0) {
                if self.core.next_timer() == Moment::NEVER {
                    break;
                }
                self.tick();
            }
        }
        assert!(self.calls.iter().all(|stage| *stage == Stage::Over), "a call was forgotten: {:?}", self.calls);
        assert_eq!((self.core.held(0), self.core.waiting(0)), (0, 0));
        assert_eq!((self.core.slots.len(), self.core.queues.len()), (0, 0), "something is left");
        assert!(self.node.holder(self.now, KEY).is_none(), "the key is left");
    }

    pub(super) fn fingerprint(&self) -> u64 {
        struct Into(DefaultHasher);
        impl Write for Into {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        let mut into = Into(DefaultHasher::new());
        write!(into, "{self:?}").expect("a hash takes everything");
        into.0.finish()
    }
}
