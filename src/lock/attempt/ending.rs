//! How an attempt ends, and what it leaves behind.

use super::{Attempt, Phase, Turn};
use crate::lock::ballot::Ballot;
use crate::lock::event::{Entropy, Failure};
use crate::lock::mutant::Mutant;
use crate::lock::release::Release;
use crate::lock::world::{Seat, World};
use crate::node::{Fault, FaultCode};

impl Attempt {
    /// The wait in the queue is over without its turn; `known` is how it stands at the nodes.
    pub(in crate::lock) fn give_up(&mut self, world: &World, known: Option<Ballot>) -> Turn {
        self.round = self.round.max(1);
        self.failed = known;
        self.end(world)
    }

    pub(super) fn end(&mut self, world: &World) -> Turn {
        let ballot = self.failed.get_or_insert_with(|| unasked(world, self.call.keys.mask()));
        Turn::Failed(ballot.verdict(world.quorum()))
    }

    /// The lease was offered, but ran out before the JavaScript thread took it: that is a failed round. It may have been
    /// renewed meanwhile, up to this `round`.
    pub(in crate::lock) fn take_back(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        votes: Ballot,
        round: u32,
    ) -> Turn {
        self.sent = 0;
        self.ballot = votes;
        if !matches!(self.phase, Phase::Asking { .. }) {
            // It was handed over, in the middle of its wait.
            self.phase = Phase::Asking { until: world.now, whole: true, rest: None };
            self.schedule = self.schedule.min(world.now);
            self.round = self.round.max(1);
        }
        if !world.config.has(Mutant::RenewalsForgotten) {
            // What nodes still say to a renewal is no answer to the rounds to come.
            let next = self.round.max(round + 1);
            self.uncounted += next - self.round;
            self.round = next;
        }
        self.fail_round(world, entropy, seat, true)
    }

    /// Releases what the present round may have been granted, from now on without this attempt.
    pub(in crate::lock) fn give_back(&mut self, world: &mut World) {
        let sent = std::mem::take(&mut self.sent);
        if sent != 0 && !world.config.has(Mutant::NoReleaseAfterFailure) {
            let until = world.now + self.call.ttl + world.config.drift(self.call.ttl);
            let raise = self.tokens;
            world.orphans.push(Release::orphan(self.call.keys.clone(), self.id, raise, sent, until));
        }
    }

    pub(in crate::lock) fn failure(&self, world: &World) -> Failure {
        let none = unasked(world, self.call.keys.mask());
        let ballot = self.failed.as_ref().unwrap_or(&none);
        let retry_after = ballot.free_at(world.quorum()).map(|at| at.since(world.now));
        Failure { attempts: self.attempts(), retry_after, votes: ballot.seen(world.now) }
    }
}

/// The ballot of an attempt that ended before it could ask anybody.
fn unasked(world: &World, all: u64) -> Ballot {
    let mut ballot = Ballot::new(world.members.len(), all);
    for node in 0..world.members.len() {
        let fault = world.members.fault_at(node, world.now);
        let fault = fault.unwrap_or_else(|| Fault::new(FaultCode::Timeout, "the wait ended before it was asked"));
        ballot.cast(node, 0, 0, Some(fault));
    }
    ballot
}
