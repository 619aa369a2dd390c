//! How an attempt ends, and what it leaves behind.

use std::borrow::Cow;

use super::{Attempt, Phase, Turn};
use crate::lock::ballot::Ballot;
use crate::lock::event::{Entropy, Failure};
use crate::lock::mutant::Mutant;
use crate::lock::release::Release;
use crate::lock::world::{Seat, World};

impl Attempt {
    /// The wait in the queue is over without its turn; `known` is how it stands at the nodes.
    pub(in crate::lock) fn give_up(&mut self, world: &World, known: Option<Ballot>) -> Turn {
        self.round = self.round.max(1);
        self.failed = known;
        self.end(world)
    }

    pub(super) fn end(&mut self, world: &World) -> Turn {
        Turn::Failed(self.outcome(world).verdict(world.quorum()))
    }

    /// The last round that was lost; or, of an attempt that ended before it could ask anybody, who could not have voted.
    fn outcome(&self, world: &World) -> Cow<'_, Ballot> {
        let unasked = || {
            let mut ballot = world.blank_ballot(&self.call.keys);
            if world.config.has(Mutant::UnaskedAtFault) {
                ballot.time_out();
            }
            Cow::Owned(ballot)
        };
        self.failed.as_ref().map_or_else(unasked, Cow::Borrowed)
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
        let ballot = self.outcome(world);
        let retry_after = ballot.free_at(world.quorum()).map(|at| at.since(world.now));
        Failure { attempts: self.attempts(), retry_after, votes: ballot.seen(world.now) }
    }
}
