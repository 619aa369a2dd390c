//! One acquire from the call to the grant or the verdict: rounds, and the sleeps between them.

mod sleep;

use super::ballot::{Ballot, Count};
use super::event::{Call, Entropy, Failure, Verdict};
use super::release::Release;
use super::world::{Seat, World, new_id};
use crate::node::{Answer, Command, Fault, FaultCode, Id, Moment, Reply};

/// What an attempt's step led to.
pub(super) enum Turn {
    Wait(Moment),
    Granted,
    Failed(Verdict),
}

enum Phase {
    /// Until the nodes have been reached, or have failed to be, for the first time.
    Contact { until: Moment },
    /// A round is under way; `whole` when it ends by the nodes' silence and not by the caller's deadline.
    Asking { until: Moment, whole: bool },
    /// Until the next poll, or until the holders' keys expire, if that is known and earlier.
    Sleeping { poll: Moment, expiry: Moment },
    /// The last round failed; who holds the keys is being asked.
    Probing { until: Moment },
}

pub(super) struct Attempt {
    pub(super) call: Call,
    pub(super) id: Id,
    pub(super) sent_at: Moment,
    /// One bit for each node that was ever sent this id.
    pub(super) sent: u16,
    pub(super) ballot: Ballot,
    /// Rounds begun; also the tag of their answers.
    pub(super) round: u32,
    /// Rounds begun that count as retries.
    polls: u32,
    /// The undisturbed times of the polls: drawn delays added up from the first round on, whatever the rounds take.
    schedule: Moment,
    /// The poll that an expiry came before.
    next_poll: Option<Moment>,
    deadline: Moment,
    phase: Phase,
    /// The last round that was completed, and lost.
    failed: Option<Ballot>,
    contended: bool,
    one_round: bool,
}

impl Attempt {
    pub(super) fn new(call: Call, world: &World) -> Self {
        let one_round = call.once || call.retry.total.is_zero();
        let deadline = call.retry.wait.map_or(Moment::NEVER, |wait| world.now + wait);
        let deadline = if one_round { Moment::NEVER } else { deadline };
        let until = (world.now + world.config.connect_timeout).min(deadline);
        Self {
            id: Id::NIL,
            sent_at: world.now,
            sent: 0,
            ballot: Ballot::new(0, 0),
            round: 0,
            polls: 0,
            schedule: Moment::NEVER,
            next_poll: None,
            deadline,
            phase: Phase::Contact { until },
            failed: None,
            contended: false,
            one_round,
            call,
        }
    }

    pub(super) fn is_in_contact(&self) -> bool {
        matches!(self.phase, Phase::Contact { .. })
    }

    /// Begins, once it is known whom to ask.
    pub(super) fn contact(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        match self.phase {
            Phase::Contact { until } if !world.is_settled() && world.now < until => {
                let patience_end = if world.now < world.patience_end() { world.patience_end() } else { until };
                Turn::Wait(until.min(patience_end))
            }
            Phase::Contact { .. } => self.begin_round(world, entropy, seat),
            _ => Turn::Wait(self.timer()),
        }
    }

    fn begin_round(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        let patience = world.config.patience(self.call.ttl);
        if self.one_round {
            self.deadline = world.now + patience;
        } else if self.round == 0 {
            self.schedule = world.now;
            self.deadline = self.deadline.min(world.now + self.call.retry.total);
        }
        self.round += 1;
        self.id = new_id(entropy);
        self.sent = 0;
        self.sent_at = world.now;
        self.ballot = Ballot::new(world.members.len(), self.call.keys.mask());
        let ttl_ms = self.call.ttl.as_millis() as u64;
        for node in 0..world.members.len() {
            let command = Command::Acquire { ttl_ms };
            match world.ask(node, seat, self.round, command, &self.call.keys, self.id) {
                Some(fault) => self.ballot.cast(node, 0, 0, Some(fault)),
                None => self.sent |= 1 << node,
            }
        }
        // Only a wait in time cuts a round short; what was promised as a number of rounds is seen through.
        let until = world.now + patience;
        let end = if self.call.retry.wait.is_some() { self.deadline } else { until };
        self.phase = Phase::Asking { until: until.min(end), whole: until <= end };
        self.decide(world, entropy, seat)
    }

    fn decide(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        match self.ballot.count(world.quorum()) {
            Count::Open => Turn::Wait(self.timer()),
            Count::Granted if self.is_worth_having(world) => Turn::Granted,
            Count::Granted | Count::Impossible => self.fail_round(world, entropy, seat, true),
        }
    }

    /// The end of the validity that the present round's grant gives.
    pub(super) fn validity_end(&self, world: &World) -> Moment {
        self.sent_at + world.config.validity(self.call.ttl)
    }

    /// At least a quarter of the ttl is left.
    fn is_worth_having(&self, world: &World) -> bool {
        self.validity_end(world).since(world.now) >= self.call.ttl / 4
    }

    pub(super) fn answer(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        answer: Answer,
    ) -> Turn {
        if answer.tag.round != self.round {
            // A late answer to a round that failed: its release is on the way behind it, on the same connection.
            return Turn::Wait(self.timer());
        }
        match (answer.reply, &self.phase) {
            (Reply::Voted { yes, no, fault }, Phase::Asking { .. }) => {
                world.members.observe_round_trip(self.sent_at, world.now);
                self.ballot.cast(node, yes, no, fault);
                self.decide(world, entropy, seat)
            }
            (Reply::Voted { yes, no, fault }, Phase::Sleeping { .. } | Phase::Probing { .. }) => {
                // Too late for the round, but it tells who else holds the key.
                if let Some(ballot) = &mut self.failed {
                    ballot.cast(node, yes, no, fault);
                    self.probe(world, seat, no, node);
                }
                Turn::Wait(self.timer())
            }
            (Reply::Probed(found), Phase::Sleeping { .. } | Phase::Probing { .. }) => {
                self.learn(world, entropy, node, found)
            }
            _ => Turn::Wait(self.timer()),
        }
    }

    /// Gives everything back, and sleeps, or ends. A round that the caller's deadline cut short says nothing
    /// of the nodes, so that the verdict stays that of the round before, if there was one.
    fn fail_round(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat, whole: bool) -> Turn {
        self.give_back(world);
        let refused = self.ballot.votes().iter().any(|vote| vote.no != 0);
        self.contended |= refused;
        let ballot = std::mem::replace(&mut self.ballot, Ballot::new(0, 0));
        for (node, vote) in ballot.votes().iter().enumerate() {
            self.probe(world, seat, vote.no, node);
        }
        if whole || self.failed.is_none() {
            self.failed = Some(ballot);
        }
        if self.may_retry(world) {
            self.sleep(world, entropy)
        } else if refused && whole && !self.call.once {
            let until = world.now + world.config.patience(self.call.ttl);
            self.phase = Phase::Probing { until };
            Turn::Wait(until)
        } else {
            self.end(world)
        }
    }

    pub(super) fn tick(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        if world.now < self.timer() && !self.is_in_contact() {
            return Turn::Wait(self.timer());
        }
        match self.phase {
            Phase::Contact { .. } if world.now >= self.deadline => self.end(world),
            Phase::Contact { .. } => self.contact(world, entropy, seat),
            Phase::Asking { whole, .. } => {
                self.ballot.time_out();
                self.fail_round(world, entropy, seat, whole)
            }
            Phase::Sleeping { .. } if world.now >= self.deadline && self.call.retry.wait.is_some() => self.end(world),
            Phase::Sleeping { poll, .. } => {
                if world.now < poll {
                    // Woken by an expiry: that is not one of the caller's retries.
                    self.next_poll = Some(poll);
                } else {
                    self.polls = self.polls.saturating_add(1);
                }
                self.begin_round(world, entropy, seat)
            }
            Phase::Probing { .. } => self.end(world),
        }
    }

    fn timer(&self) -> Moment {
        match self.phase {
            Phase::Contact { until } | Phase::Asking { until, .. } | Phase::Probing { until } => until,
            Phase::Sleeping { poll, expiry } => poll.min(expiry).min(self.deadline),
        }
    }

    fn end(&mut self, world: &World) -> Turn {
        let ballot = self.failed.get_or_insert_with(|| unasked(world, self.call.keys.mask()));
        Turn::Failed(ballot.verdict(world.quorum()))
    }

    /// The lease was offered, but ran out before the JavaScript thread took it: that is a failed round.
    pub(super) fn take_back(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        votes: Ballot,
    ) -> Turn {
        self.ballot = votes;
        self.fail_round(world, entropy, seat, true)
    }

    /// Releases what the present round may have been granted, from now on without this attempt.
    pub(super) fn give_back(&mut self, world: &mut World) {
        let sent = std::mem::take(&mut self.sent);
        if sent != 0 {
            let until = world.now + self.call.ttl + world.config.drift(self.call.ttl);
            world.orphans.push(Release::orphan(self.call.keys.clone(), self.id, sent, until));
        }
    }

    pub(super) fn was_contended(&self) -> bool {
        self.contended
    }

    pub(super) fn failure(&self, world: &World) -> Failure {
        let none = unasked(world, self.call.keys.mask());
        let ballot = self.failed.as_ref().unwrap_or(&none);
        let retry_after = ballot.free_at(world.quorum()).map(|at| at.since(world.now));
        Failure { attempts: self.round, retry_after, votes: ballot.seen(world.now) }
    }
}

/// The ballot of an attempt that ended before it could ask anybody.
fn unasked(world: &World, all: u64) -> Ballot {
    let mut ballot = Ballot::new(world.members.len(), all);
    for node in 0..world.members.len() {
        let fault = world.members.fault(node).cloned();
        let fault = fault.unwrap_or_else(|| Fault::new(FaultCode::Timeout, "the wait ended before it was asked"));
        ballot.cast(node, 0, 0, Some(fault));
    }
    ballot
}
