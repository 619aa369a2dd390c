//! A lock that is held: its deadline, who voted for it, and how it ends. Keeping it is in [`super::renewal`].

use std::time::Duration;

use super::attempt::Attempt;
use super::ballot::Ballot;
use super::event::{Entropy, Kind, Lost};
use super::mutant::Mutant;
use super::release::Release;
use super::renewal::Renewal;
use super::tenure::Tenure;
use super::world::{Seat, World};
use crate::node::{Answer, Id, Keys, Moment, Reply, Tokens};

#[derive(Clone, Debug, Hash)]
pub(super) struct Lease {
    pub(super) keys: Keys,
    pub(super) id: Id,
    /// The present holder's token, and those of the holders after it.
    pub(super) tokens: Option<Tokens>,
    /// The largest token that was ever proposed for it, or that a node wants to be passed.
    pub(super) beyond: u64,
    /// The largest token that a node may have taken when it was filled.
    pub(super) filled: u64,
    pub(super) ttl: Duration,
    pub(super) granted_at: Moment,
    /// The handle's validity ends here. Only a quorum's word of a renewal moves it.
    pub(super) deadline: Moment,
    /// Until then a quorum has promised the keys, whoever of this process holds them.
    pub(super) proven: Moment,
    /// Where the nodes' answers go: the slot in which the lease was granted, wherever it has been handed since.
    pub(super) home: Seat,
    /// The round that was granted.
    granted_round: u32,
    /// The latest round of the present slot's own, whose answers may still be on their way to it.
    pub(super) rounds_here: u32,
    pub(super) attempts: u32,
    /// Whose word counts: the nodes that granted it, or were filled since.
    pub(super) voters: Ballot,
    /// One bit for each node that was ever sent the id.
    pub(super) sent: u16,
    /// One bit for each node that holds the keys, as far as is known, and whose word does not count: it was in quarantine
    /// when it got them.
    pub(super) seeded: u16,
    pub(super) renewal: Renewal,
    pub(super) lost: Option<Lost>,
    /// The attempt that was granted it, until the JavaScript thread has taken the grant.
    pub(super) offer: Option<Box<Attempt>>,
    /// How it has fared inside this process.
    pub(super) tenure: Tenure,
}

impl Lease {
    pub(super) fn granted(mut attempt: Box<Attempt>, world: &World, entropy: &mut dyn Entropy, seat: Seat) -> Self {
        let deadline = attempt.validity_end(world);
        let voters = std::mem::replace(&mut attempt.ballot, Ballot::new(0, 0));
        let mut lease = Self {
            keys: attempt.call.keys.clone(),
            id: attempt.id,
            tokens: attempt.tokens,
            beyond: attempt.tokens.map_or(0, |tokens| tokens.last),
            filled: 0,
            ttl: attempt.call.ttl,
            granted_at: world.now,
            deadline,
            proven: deadline,
            home: seat,
            granted_round: attempt.round,
            rounds_here: attempt.round,
            attempts: attempt.attempts(),
            seeded: attempt.sent & voters.quarantined(),
            voters,
            sent: attempt.sent,
            renewal: Renewal::new(attempt.round, attempt.call.renew, world),
            lost: None,
            tenure: Tenure::new(attempt.call.ttl, world.now),
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
    pub(super) fn accept(&mut self, world: &mut World, seat: Seat) -> Result<(), Option<Box<Attempt>>> {
        if !self.is_valid(world.now) {
            if self.lost.is_none() {
                self.give_back(world);
            }
            return Err(self.offer.take());
        }
        if self.offer.take().is_some() {
            let client = world.client(seat.slot);
            client.held += 1;
            client.counters.acquired += 1;
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
        let (yes, no, fault) = match &answer.reply {
            Reply::Voted { yes, no, fault } => (*yes, *no, fault),
            // An answer to an earlier round, or to the acquire: whoever was to be filled then is asked anew in this one.
            Reply::Outbid { .. } | Reply::Untimely { .. } if !self.renewal.is_current(answer.tag.round) => {
                return self.timer();
            }
            // It was to be filled, and is not.
            Reply::Outbid { least } => {
                self.fill_again(world, entropy, node, *least, self.beyond);
                return self.timer();
            }
            Reply::Untimely { clock } => {
                // The clock may lie before what other nodes are being filled with.
                let least = self.tokens.map_or(0, |tokens| tokens.last).max(self.filled);
                self.fill_again(world, entropy, node, *clock, least);
                return self.timer();
            }
            Reply::Probed(_) => return self.timer(),
        };
        if self.lost.is_some() {
            return self.timer();
        }
        if answer.tag.round == self.granted_round {
            // A late vote of the round that was granted: one more node whose word counts from now on.
            if !self.voters.has_answered(node) {
                self.voters.cast(node, yes, no, fault.clone());
            }
        } else if self.renewal.is_current(answer.tag.round) || world.config.has(Mutant::LateAnswerCounted) {
            self.vote_on_renewal(world, entropy, seat, node, (yes, no, fault.clone()));
        }
        self.timer()
    }

    pub(super) fn tick(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Moment {
        if self.lost.is_none() && world.now >= self.timer() {
            if self.tenure.prolonging {
                self.keep_for_offer(world, entropy, seat);
            } else if world.now >= self.deadline {
                let reason = self.renewal.stopped().unwrap_or(Lost::Expired);
                self.lose(world, seat, reason);
            } else {
                self.keep(world, entropy, seat);
            }
        }
        self.timer()
    }

    pub(super) fn timer(&self) -> Moment {
        match &self.offer {
            _ if self.lost.is_some() => Moment::NEVER,
            Some(offer) if self.tenure.prolonging => self.proven.min(self.renewal.next()).min(offer.deadline()),
            _ => self.deadline.min(self.renewal.next()),
        }
    }

    /// By then its keys have expired everywhere, whatever becomes of their release.
    fn expiry(&self, world: &World) -> Moment {
        let ttl = self.ttl.max(self.tenure.ttl);
        world.now + ttl + world.config.drift(ttl)
    }

    /// Nobody of this process will have it any more: the nodes are told.
    pub(super) fn give_back(&self, world: &mut World) {
        let until = self.expiry(world);
        world.orphans.push(Release::orphan(self.keys.clone(), self.id, self.spent(), self.sent, until));
    }

    /// Final: no later word of any node makes the handle valid again.
    pub(super) fn lose(&mut self, world: &mut World, seat: Seat, reason: Lost) {
        self.lost = Some(reason);
        self.give_back(world);
        if self.offer.is_some() {
            // Nobody was told that it is held. When the grant is taken, it is a failed round.
            return;
        }
        let client = world.client(seat.slot);
        client.held -= 1;
        client.counters.lost += 1;
        if self.renewal.is_asked_for() {
            world.notify(seat, Kind::ExtendFailed);
        }
        world.notify(seat, Kind::Lost(reason));
    }

    /// The user gives it back, valid or not.
    pub(super) fn into_release(self, world: &mut World, seat: Seat) -> Release {
        let valid = self.is_valid(world.now);
        if self.lost.is_none() && self.offer.is_none() {
            world.client(seat.slot).held -= 1;
        }
        if self.lost.is_none() && self.renewal.is_asked_for() {
            world.notify(seat, Kind::ExtendFailed);
        }
        let voting = (0..world.members.len()).filter(|node| world.members.is_reachable(*node));
        let targets = voting.fold(self.sent, |targets, node| targets | 1 << node);
        let until = self.expiry(world);
        // Not a share of the ttl, as where votes are only worth something while the rest of it lasts.
        let patience = world.now + world.config.node_timeout;
        let round = self.renewal.round().max(self.rounds_here) + 1;
        let raise = self.spent();
        Release::orphan(self.keys, self.id, raise, targets, until).asked(round, valid, patience)
    }

    /// From the largest token that a quorum has granted it to the largest that any node may have been sent for it.
    pub(super) fn spent(&self) -> Option<Tokens> {
        self.tokens.map(|tokens| Tokens { first: tokens.last, last: self.beyond.max(tokens.last) })
    }
}
