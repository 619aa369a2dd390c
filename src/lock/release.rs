//! Giving an id back on every node that may hold it, for as long as it may.
//! Either the user asked for it and waits for the answer, or it cleans up behind a round that failed.

use std::time::Duration;

use super::event::{Kind, Released};
use super::world::{Errand, Seat, World};
use crate::node::{Command, Id, Keys, Moment, Reply, Tokens};

#[derive(Clone, Debug, Hash)]
struct Ask {
    /// The handle was valid when its release was asked for.
    valid: bool,
    until: Moment,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Release {
    keys: Keys,
    id: Id,
    /// The fences are raised to the last of these: what is on its way with them is not granted any more.
    tokens: Option<Tokens>,
    round: u32,
    /// By then the keys have expired everywhere.
    until: Moment,
    targets: u16,
    waiting: u16,
    failed: u16,
    answered: u16,
    ask: Option<Ask>,
    /// JavaScript has no business with the slot any more.
    taken: bool,
    retry_at: Moment,
    retry_delay: Duration,
}

const RETRY_DELAY: Duration = Duration::from_millis(100);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);

impl Release {
    pub(super) fn orphan(keys: Keys, id: Id, tokens: Option<Tokens>, targets: u16, until: Moment) -> Self {
        Self {
            keys,
            id,
            tokens,
            round: 0,
            until,
            targets,
            waiting: 0,
            failed: 0,
            answered: 0,
            ask: None,
            taken: true,
            retry_at: Moment::NEVER,
            retry_delay: RETRY_DELAY,
        }
    }

    /// For a user who waits for the answer, at most until `patience`.
    pub(super) fn asked(self, round: u32, valid: bool, patience: Moment) -> Self {
        let ask = Some(Ask { valid, until: patience });
        Self { ask, round, taken: false, ..self }
    }

    pub(super) fn start(&mut self, world: &mut World, seat: Seat) -> Moment {
        let targets = (0..world.members.len()).filter(|node| self.targets >> node & 1 == 1);
        for node in targets.collect::<Vec<_>>() {
            self.send(world, seat, node);
        }
        self.settle(world, seat);
        self.timer()
    }

    fn send(&mut self, world: &mut World, seat: Seat, node: usize) {
        self.failed &= !(1 << node);
        self.waiting |= 1 << node;
        // Also to a node that does not vote: it may hold the key, and has its own way to say that it cannot be reached.
        let errand = Errand { keys: &self.keys, id: self.id, tokens: self.tokens };
        world.send(node, seat, self.round, Command::Release, errand);
    }

    pub(super) fn answer(&mut self, world: &mut World, seat: Seat, node: usize, round: u32, reply: &Reply) -> Moment {
        if round != self.round || self.waiting >> node & 1 == 0 {
            return self.timer();
        }
        self.waiting &= !(1 << node);
        if matches!(reply, Reply::Voted { fault: None, .. }) {
            self.answered |= 1 << node;
        } else {
            self.failed |= 1 << node;
            if !self.owe(world, seat, node) {
                self.retry_at = self.retry_at.min(world.now + self.retry_delay);
            }
        }
        self.settle(world, seat);
        self.timer()
    }

    /// A node that is down is asked when it comes back.
    fn owe(&self, world: &mut World, seat: Seat, node: usize) -> bool {
        let is_down = !world.members.is_reachable(node);
        if is_down {
            world.owe(node, seat);
        }
        is_down
    }

    /// The node that could not be reached is back.
    pub(super) fn pay(&mut self, world: &mut World, seat: Seat, node: usize) -> Moment {
        if self.failed >> node & 1 == 1 {
            self.send(world, seat, node);
        }
        self.timer()
    }

    pub(super) fn tick(&mut self, world: &mut World, seat: Seat) -> Moment {
        if world.now >= self.until {
            (self.failed, self.waiting) = (0, 0);
        }
        if world.now >= self.retry_at {
            self.retry_at = Moment::NEVER;
            self.retry_delay = (self.retry_delay * 2).min(RETRY_DELAY_MAX);
            for node in 0..world.members.len() {
                // It may have failed just before the news came that its node is down.
                if self.failed >> node & 1 == 1 && !self.owe(world, seat, node) {
                    self.send(world, seat, node);
                }
            }
        }
        self.settle(world, seat);
        self.timer()
    }

    fn settle(&mut self, world: &mut World, seat: Seat) {
        let Some(ask) = &self.ask else { return };
        let answered = self.answered.count_ones() as usize;
        let reachable = (self.answered | self.waiting).count_ones() as usize;
        let outcome = if answered >= world.quorum() {
            if ask.valid { Released::Valid } else { Released::Expired }
        } else if reachable < world.quorum() || world.now >= ask.until {
            Released::Unknown
        } else {
            return;
        };
        self.ask = None;
        world.count_release(seat);
        world.notify(seat, Kind::Released(outcome));
    }

    fn timer(&self) -> Moment {
        let background = if self.waiting | self.failed == 0 { Moment::NEVER } else { self.until };
        let ask = self.ask.as_ref().map_or(Moment::NEVER, |ask| ask.until);
        background.min(ask).min(self.retry_at)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting != 0
    }

    pub(super) fn take(&mut self) {
        self.taken = true;
    }

    /// Nothing is left to do, and nobody looks at the slot.
    pub(super) fn is_over(&self) -> bool {
        self.taken && self.ask.is_none() && self.waiting | self.failed == 0
    }
}
