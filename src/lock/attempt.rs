//! One acquire from the call to the grant or the verdict: rounds, and the sleeps between them.

mod aim;
mod alarm;
mod bid;
mod ending;
mod round;
mod sleep;

use std::time::Duration;

use super::ballot::Ballot;
use super::event::{Call, Entropy, Verdict};
use super::mutant::Mutant;
use super::world::{Seat, World};
use crate::node::{Answer, Id, Moment, Reply, Tokens};
use alarm::Alarm;
use bid::{Bid, Wish};

/// What an attempt's step led to.
pub(super) enum Turn {
    Wait(Moment),
    Granted,
    Failed(Verdict),
    /// The wait in the queue is over.
    OutOfTime,
}

#[derive(Clone, Debug, Hash)]
enum Phase {
    /// Others of this process are before it at one of its keys.
    Queued,
    /// Until the nodes have been reached, or have failed to be, for the first time.
    Contact { until: Moment },
    /// A round is under way; `whole` when it ends by the nodes' silence and not by the caller's deadline. While only
    /// the gate has been asked, the others follow at its word, or at `rest`.
    Asking { until: Moment, whole: bool, rest: Option<Moment> },
    /// Until the next poll, or until the holders' keys expire, if that is known and earlier, or until it is woken.
    Sleeping { poll: Moment, expiry: Moment, alarm: Alarm },
    /// The last round failed; who holds the keys is being asked.
    Probing { until: Moment },
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Attempt {
    pub(super) call: Call,
    pub(super) id: Id,
    pub(super) sent_at: Moment,
    /// One bit for each node that was ever sent this id.
    pub(super) sent: u16,
    /// One bit for each node that was asked in the present ballot.
    asked: u16,
    pub(super) ballot: Ballot,
    /// What the present ballot proposes, with fencing.
    pub(super) tokens: Option<Tokens>,
    /// What is to be passed by the next proposal, as far as is known.
    beyond: u64,
    bid: Bid,
    /// Ballots begun; also the tag of their answers.
    pub(super) round: u32,
    /// Of these, so many are no rounds of the user's: other tokens within one, or numbers that renewals have had.
    uncounted: u32,
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
    /// It stands in the queues of its keys.
    pub(super) has_place: bool,
    /// Rounds that the nodes' word has begun, since the last poll.
    woken: u32,
    /// Processes that wait for the key, as far as is known, this one among them.
    contenders: u32,
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
            asked: 0,
            ballot: Ballot::new(0, 0),
            tokens: None,
            beyond: 0,
            bid: Bid::default(),
            round: 0,
            uncounted: 0,
            polls: 0,
            schedule: Moment::NEVER,
            next_poll: None,
            deadline,
            phase: Phase::Contact { until },
            failed: None,
            contended: false,
            one_round,
            has_place: false,
            woken: 0,
            contenders: 1,
            call,
        }
    }

    pub(super) fn is_in_contact(&self) -> bool {
        matches!(self.phase, Phase::Contact { .. })
    }

    /// It never waits: not in the queue either.
    pub(super) fn is_one_round(&self) -> bool {
        self.one_round
    }

    pub(super) fn is_queued(&self) -> bool {
        matches!(self.phase, Phase::Queued)
    }

    pub(super) fn is_asleep(&self) -> bool {
        matches!(self.phase, Phase::Sleeping { .. })
    }

    /// Others are before it. Its wait has begun.
    pub(super) fn queue(&mut self, world: &World) -> Moment {
        let patience = if world.is_settled() { Duration::ZERO } else { world.config.connect_timeout };
        self.phase = Phase::Queued;
        self.deadline = self.deadline.min(world.now + self.call.retry.total + patience);
        self.deadline
    }

    /// Its turn to ask the nodes. `lost` is what those before it were told.
    pub(super) fn lead(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        lost: Option<Ballot>,
    ) -> Turn {
        self.failed = lost;
        if world.now >= self.deadline {
            return self.end(world);
        }
        self.phase = Phase::Contact { until: (world.now + world.config.connect_timeout).min(self.deadline) };
        self.contact(world, entropy, seat)
    }

    /// The last round that was lost, of its own or of those before it.
    pub(super) fn lost_round(&self) -> Option<&Ballot> {
        self.failed.as_ref()
    }

    /// Until then it waits; once a round has begun, or the wait in the queue.
    pub(super) fn deadline(&self) -> Moment {
        self.deadline
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

    /// The end of the validity that the present round's grant gives.
    pub(super) fn validity_end(&self, world: &World) -> Moment {
        let since = if world.config.has(Mutant::DeadlineFromReply) { world.now } else { self.sent_at };
        since + world.config.validity(self.call.ttl)
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
        if self.is_quarantined(node) && !world.config.has(Mutant::QuarantinedGrantCounted) {
            return Turn::Wait(self.timer());
        }
        match (answer.reply, &self.phase) {
            (Reply::Voted { yes, no, fault }, Phase::Asking { .. }) => {
                world.members.observe_round_trip(self.sent_at, world.now);
                self.ballot.cast(node, yes, no, fault);
                self.pass_gate(world, entropy, seat, no != 0)
            }
            (Reply::Voted { yes, no, fault }, Phase::Sleeping { .. } | Phase::Probing { .. }) => {
                // Too late for the round, but it tells who else holds the key.
                if let Some(ballot) = &mut self.failed {
                    ballot.cast(node, yes, no, fault);
                    self.probe(world, seat, no, node);
                }
                Turn::Wait(self.timer())
            }
            (Reply::Outbid { least }, Phase::Asking { .. }) => {
                world.members.observe_round_trip(self.sent_at, world.now);
                self.be_outbid(world, entropy, seat, node, Wish::Beyond(least))
            }
            (Reply::Untimely { clock }, Phase::Asking { .. }) => {
                world.members.observe_round_trip(self.sent_at, world.now);
                self.be_outbid(world, entropy, seat, node, Wish::Near(clock))
            }
            (Reply::Probed(found), Phase::Sleeping { .. } | Phase::Probing { .. }) => {
                self.learn(world, entropy, node, found)
            }
            _ => Turn::Wait(self.timer()),
        }
    }

    pub(super) fn tick(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        if world.now < self.timer() && !self.is_in_contact() {
            return Turn::Wait(self.timer());
        }
        match self.phase {
            Phase::Contact { .. } if world.now >= self.deadline => self.end(world),
            Phase::Contact { .. } => self.contact(world, entropy, seat),
            Phase::Asking { until, rest: Some(_), .. } if world.now < until => self.open_gate(world, entropy, seat),
            Phase::Asking { whole, .. } => {
                // Else the wait was too short for an answer: nothing is known of who has not given any.
                if whole {
                    self.ballot.time_out();
                }
                self.fail_round(world, entropy, seat, whole)
            }
            // The verdict is looked up where those before it stand.
            Phase::Queued => Turn::OutOfTime,
            Phase::Sleeping { .. } if world.now >= self.deadline && self.call.retry.wait.is_some() => self.end(world),
            Phase::Sleeping { poll, alarm, .. } => {
                if world.now < poll {
                    // Woken by an expiry or a release: that is not one of the caller's retries.
                    self.woken += u32::from(alarm.at() <= world.now);
                    self.next_poll = Some(poll).filter(|poll| *poll != Moment::NEVER);
                } else {
                    self.woken = 0;
                    self.polls = self.polls.saturating_add(1);
                }
                self.begin_round_at(world, entropy, seat, alarm.gate(world.now))
            }
            Phase::Probing { .. } => self.end(world),
        }
    }

    fn timer(&self) -> Moment {
        match self.phase {
            Phase::Queued => self.deadline,
            Phase::Contact { until } | Phase::Probing { until } => until,
            Phase::Asking { until, rest, .. } => rest.map_or(until, |rest| rest.min(until)),
            Phase::Sleeping { poll, expiry, alarm } => poll.min(expiry).min(alarm.at()).min(self.deadline),
        }
    }

    /// It was asked for its own sake: its word does not count in this round.
    fn is_quarantined(&self, node: usize) -> bool {
        let asking = matches!(self.phase, Phase::Asking { .. });
        let ballot = if asking { Some(&self.ballot) } else { self.failed.as_ref() };
        ballot.is_some_and(|ballot| ballot.is_quarantined(node))
    }

    pub(super) fn was_contended(&self) -> bool {
        self.contended
    }
}
