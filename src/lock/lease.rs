//! A lock that is held: its deadline, who voted for it, and how it ends. Keeping it is in [`super::renewal`].

use std::time::Duration;

use super::attempt::Attempt;
use super::ballot::Ballot;
use super::event::{Entropy, Kind, Lost};
use super::release::Release;
use super::renewal::Renewal;
use super::world::{Seat, World};
use crate::node::{Answer, Id, Keys, Moment, Reply};

pub(super) struct Lease {
    pub(super) keys: Keys,
    pub(super) id: Id,
    pub(super) ttl: Duration,
    pub(super) granted_at: Moment,
    /// The validity ends here. Only a quorum's word of a renewal moves it.
    pub(super) deadline: Moment,
    pub(super) attempts: u32,
    /// Whose word counts: the nodes that granted it, or were filled since.
    pub(super) voters: Ballot,
    /// One bit for each node that was ever sent the id.
    pub(super) sent: u16,
    pub(super) renewal: Renewal,
    pub(super) lost: Option<Lost>,
    /// The attempt that was granted it, until the JavaScript thread has taken the grant.
    pub(super) offer: Option<Box<Attempt>>,
}

impl Lease {
    pub(super) fn granted(mut attempt: Box<Attempt>, world: &World, entropy: &mut dyn Entropy) -> Self {
        let deadline = attempt.validity_end(world);
        let voters = std::mem::replace(&mut attempt.ballot, Ballot::new(0, 0));
        let mut lease = Self {
            keys: attempt.call.keys.clone(),
            id: attempt.id,
            ttl: attempt.call.ttl,
            granted_at: world.now,
            deadline,
            attempts: attempt.round,
            voters,
            sent: attempt.sent,
            renewal: Renewal::new(attempt.round, attempt.call.renew, world),
            lost: None,
            offer: Some(attempt),
        };
        lease.renewal.schedule(lease.deadline, world, entropy);
        lease
    }

    pub(super) fn is_valid(&self, now: Moment) -> bool {
        self.lost.is_none() && now < self.deadline
    }

    pub(super) fn remaining(&self, now: Moment) -> Duration {
        if self.is_valid(now) { self.deadline.since(now) } else { Duration::ZERO }
    }

    /// The JavaScript thread takes the grant, if it is still worth anything; otherwise the attempt goes on.
    pub(super) fn accept(&mut self, world: &mut World) -> Result<(), Option<Box<Attempt>>> {
        if !self.is_valid(world.now) {
            return Err(self.offer.take());
        }
        if self.offer.take().is_some() {
            world.held += 1;
            world.counters.acquired += 1;
        }
        Ok(())
    }

    pub(super) fn answer(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        answer: &Answer,
    ) -> Moment {
        let Reply::Voted { yes, no, ref fault } = answer.reply else {
            return self.timer();
        };
        if self.lost.is_some() {
            return self.timer();
        }
        if answer.tag.round == self.attempts {
            // A late vote of the round that was granted: one more node whose word counts from now on.
            if !self.voters.has_answered(node) {
                self.voters.cast(node, yes, no, fault.clone());
            }
        } else if self.renewal.is_current(answer.tag.round) {
            self.vote_on_renewal(world, entropy, seat, node, (yes, no, fault.clone()));
        }
        self.timer()
    }

    pub(super) fn tick(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Moment {
        if self.lost.is_none() && world.now >= self.timer() {
            if world.now >= self.deadline {
                let reason = self.renewal.stopped().unwrap_or(Lost::Expired);
                self.lose(world, seat, reason);
            } else {
                self.keep(world, entropy, seat);
            }
        }
        self.timer()
    }

    pub(super) fn timer(&self) -> Moment {
        if self.lost.is_some() { Moment::NEVER } else { self.deadline.min(self.renewal.next()) }
    }

    /// Final: no later word of any node makes the handle valid again.
    pub(super) fn lose(&mut self, world: &mut World, seat: Seat, reason: Lost) {
        self.lost = Some(reason);
        let until = world.now + self.ttl + world.config.drift(self.ttl);
        world.orphans.push(Release::orphan(self.keys.clone(), self.id, self.sent, until));
        if self.offer.is_some() {
            // Nobody was told that it is held. When the grant is taken, it is a failed round.
            return;
        }
        world.held -= 1;
        world.counters.lost += 1;
        if self.renewal.is_asked_for() {
            world.notify(seat, Kind::ExtendFailed);
        }
        world.notify(seat, Kind::Lost(reason));
    }

    /// The user gives it back, valid or not.
    pub(super) fn into_release(self, world: &mut World, seat: Seat) -> Release {
        let valid = self.is_valid(world.now);
        if self.lost.is_none() && self.offer.is_none() {
            world.held -= 1;
        }
        if self.lost.is_none() && self.renewal.is_asked_for() {
            world.notify(seat, Kind::ExtendFailed);
        }
        let voting = (0..world.members.len()).filter(|node| world.members.fault(*node).is_none());
        let targets = voting.fold(self.sent, |targets, node| targets | 1 << node);
        let until = world.now + self.ttl + world.config.drift(self.ttl);
        let patience = world.now + world.config.patience(self.ttl);
        Release::asked(self.keys, self.id, targets, until, self.renewal.round() + 1, valid, patience)
    }
}
