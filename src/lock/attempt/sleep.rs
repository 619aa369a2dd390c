//! Between two rounds: how long to sleep, and what the nodes that refused say of the holders meanwhile.

use std::time::Duration;

use super::alarm::Alarm;
use super::{Attempt, Phase, Turn};
use crate::lock::backoff::draw;
use crate::lock::event::Entropy;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Errand, Seat, World};
use crate::node::{Command, Holding, Id, Moment};

/// The shortest sleep, whatever the caller's settings: polling never becomes a hot loop.
const SLEEP_FLOOR: Duration = Duration::from_millis(1);
/// With less than this left of a wait, no further round is squeezed in before its end.
const LAST_POLL: Duration = Duration::from_millis(10);
/// How long after a key's expiry it is asked for, at most.
const EXPIRY_JITTER: Duration = Duration::from_millis(1);

impl Attempt {
    pub(super) fn learn(&mut self, world: &World, entropy: &mut dyn Entropy, node: usize, found: Vec<Holding>) -> Turn {
        let Some(ballot) = &mut self.failed else {
            return Turn::Wait(self.timer());
        };
        ballot.note_holdings(node, world.now, found);
        if matches!(self.phase, Phase::Probing { .. }) && ballot.is_probed() {
            return Turn::Failed(ballot.verdict(world.quorum()));
        }
        self.reckon_expiry(world, entropy);
        Turn::Wait(self.timer())
    }

    /// When the holders' keys expire, as far as is known.
    pub(super) fn reckon_expiry(&mut self, world: &World, entropy: &mut dyn Entropy) {
        let free = self.failed.as_ref().and_then(|ballot| ballot.free_at(world.quorum()));
        if let (Phase::Sleeping { expiry, .. }, Some(free)) = (&mut self.phase, free) {
            let at = free + draw(entropy, Duration::ZERO, EXPIRY_JITTER);
            *expiry = at.max(world.now + SLEEP_FLOOR);
        }
    }

    pub(super) fn may_retry(&self, world: &World) -> bool {
        let polls_left = self.call.retry.wait.is_some() || self.polls < self.call.retry.count;
        !self.one_round && polls_left && world.now < self.deadline
    }

    /// The last round was lost, though these nodes, one bit each, had granted.
    pub(super) fn sleep(&mut self, world: &World, entropy: &mut dyn Entropy, granted: u16) -> Turn {
        let poll = self.next_poll.take().unwrap_or_else(|| {
            let delay = self.call.retry.undrawn(self.polls);
            self.schedule = self.schedule + draw(entropy, delay / 2, delay);
            self.schedule
        });
        let mut poll = poll.max(world.now + SLEEP_FLOOR);
        if poll >= self.deadline {
            let left = self.deadline.since(world.now);
            let in_time = self.call.retry.wait.is_none() || left <= LAST_POLL;
            poll = if in_time { self.deadline } else { world.now + left / 2 };
        }
        if world.config.has(Mutant::NoPoll) {
            poll = self.deadline;
        }
        self.phase = Phase::Sleeping { poll, expiry: Moment::NEVER, alarm: Alarm::after(granted) };
        Turn::Wait(self.timer())
    }

    /// Asks a node that refused who holds the keys.
    pub(super) fn probe(&self, world: &mut World, seat: Seat, refused: u64, node: usize) {
        if refused != 0 && !self.call.once {
            let errand = Errand { keys: &self.call.keys, id: Id::NIL, tokens: None };
            world.send(node, seat, self.round, Command::Probe, errand);
        }
    }
}
