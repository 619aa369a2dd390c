//! One round of an attempt: whom it asks, when it is decided, and what follows when it is lost.

use std::time::Duration;

use super::bid::Bid;
use super::{Attempt, Phase, Turn};
use crate::lock::ballot::{Ballot, Count};
use crate::lock::event::Entropy;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Errand, Seat, World, new_id};
use crate::node::{Command, Moment, Tokens};

/// The gate has at least so long to answer before the other nodes are asked without it.
const REST_FLOOR: Duration = Duration::from_millis(1);

impl Attempt {
    pub(super) fn begin_round(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        self.begin_round_at(world, entropy, seat, None)
    }

    /// Asks the gate first, if one is named, else all nodes.
    pub(super) fn begin_round_at(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        gate: Option<usize>,
    ) -> Turn {
        let patience = world.config.patience(self.call.ttl);
        if self.one_round {
            self.deadline = world.now + patience;
        } else if self.round == 0 {
            self.schedule = world.now;
            self.deadline = self.deadline.min(world.now + self.call.retry.total);
        }
        if self.round == 0 || !world.config.has(Mutant::ReusedId) {
            self.id = new_id(entropy);
        }
        self.sent = 0;
        self.bid = Bid::default();
        let wall = world.wall(entropy);
        self.forget_far(wall);
        self.open_ballot(world, wall);
        match gate {
            Some(node) => self.ask(world, seat, node),
            None => self.ask_rest(world, seat),
        }
        let rest = gate.map(|_| world.now + (world.members.round_trip() * 4).clamp(REST_FLOOR, patience));
        self.phase = self.asking(world, rest);
        self.decide(world, entropy, seat)
    }

    /// Only a wait in time cuts a round short; what was promised as a number of rounds is seen through.
    pub(super) fn asking(&self, world: &World, rest: Option<Moment>) -> Phase {
        let until = world.now + world.config.patience(self.call.ttl);
        let end = if self.call.retry.wait.is_some() { self.deadline } else { until };
        Phase::Asking { until: until.min(end), whole: until <= end, rest }
    }

    /// From now on answers count that are sent from now on. Tokens are of this time, in microseconds since 1970.
    pub(super) fn open_ballot(&mut self, world: &World, wall: u64) {
        self.round += 1;
        self.asked = 0;
        self.sent_at = world.now;
        self.ballot = Ballot::new(world.members.len(), self.call.keys.mask());
        self.tokens = world.config.fencing.then(|| Tokens::propose(wall, self.beyond));
    }

    fn ask(&mut self, world: &mut World, seat: Seat, node: usize) {
        let command = Command::Acquire { ttl_ms: self.call.ttl.as_millis() as u64 };
        let errand = Errand { keys: &self.call.keys, id: self.id, tokens: self.tokens };
        match world.ask(node, seat, self.round, command, errand) {
            Some(fault) if world.members.is_quarantined(node) => {
                self.ballot.cast(node, 0, 0, Some(fault));
                self.note_asked(node);
            }
            Some(fault) => self.ballot.cast(node, 0, 0, Some(fault)),
            None => self.note_asked(node),
        }
    }

    fn note_asked(&mut self, node: usize) {
        self.asked |= 1 << node;
        self.sent |= 1 << node;
    }

    /// Asks whom this ballot has not asked yet.
    pub(super) fn ask_rest(&mut self, world: &mut World, seat: Seat) {
        for node in 0..world.members.len() {
            if self.asked >> node & 1 == 0 {
                self.ask(world, seat, node);
            }
        }
    }

    pub(super) fn decide(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        match self.ballot.count(world.quorum()) {
            Count::Open => Turn::Wait(self.timer()),
            Count::Granted if self.is_worth_having(world) => Turn::Granted,
            Count::Impossible if self.may_rebid(world) => self.rebid(world, entropy, seat),
            Count::Granted | Count::Impossible => self.fail_round(world, entropy, seat, true),
        }
    }

    /// At least a quarter of the ttl is left.
    fn is_worth_having(&self, world: &World) -> bool {
        self.validity_end(world).since(world.now) >= self.call.ttl / 4
    }

    /// Gives everything back, and sleeps, or ends. A round that the caller's deadline cut short says nothing
    /// of the nodes, so that the verdict stays that of the round before, if there was one.
    pub(super) fn fail_round(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat, whole: bool) -> Turn {
        self.give_back(world);
        let refused = self.ballot.votes().iter().any(|vote| vote.no != 0);
        self.contended |= refused;
        let granted =
            (0..).zip(self.ballot.votes()).fold(0, |mask, (node, vote)| mask | u16::from(vote.yes != 0) << node);
        let ballot = std::mem::replace(&mut self.ballot, Ballot::new(0, 0));
        for (node, vote) in ballot.votes().iter().enumerate() {
            self.probe(world, seat, vote.no, node);
        }
        // What the gate alone refused says less than the round before, which asked all.
        let asked_all = !matches!(self.phase, Phase::Asking { rest: Some(_), .. });
        if (whole && asked_all) || self.failed.is_none() {
            self.failed = Some(ballot);
        }
        if self.may_retry(world) {
            if refused {
                world.watch(seat, &self.call.keys);
            }
            self.sleep(world, entropy, granted)
        } else if refused && whole && !self.call.once {
            let until = world.now + world.config.patience(self.call.ttl);
            self.phase = Phase::Probing { until };
            Turn::Wait(until)
        } else {
            self.end(world)
        }
    }
}
