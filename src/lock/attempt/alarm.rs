//! What wakes an attempt that sleeps: the nodes' word that the key may be free.
//!
//! One process that waits asks all nodes at the first word. Several would split the votes: they ask one node first, the
//! gate, at a moment drawn by each, and the others only when it has granted.

use std::time::Duration;

use super::{Attempt, Phase, Turn};
use crate::lock::backoff::draw;
use crate::lock::ballot::Ballot;
use crate::lock::event::Entropy;
use crate::lock::gate::gate;
use crate::lock::mutant::Mutant;
use crate::lock::world::{Seat, World};
use crate::node::Moment;

/// Drawn for each process that waits.
const JITTER: Duration = Duration::from_millis(1);
/// How much longer the gate's own word is waited for, when the others have said that the key is free.
const GATE_PATIENCE: Duration = Duration::from_millis(1);
/// So many rounds that a word of the nodes has begun, since the last poll, follow at once.
const WAKES_FREE: u32 = 8;
const PAUSE: Duration = Duration::from_millis(1);
const PAUSE_DOUBLINGS: u32 = 6;
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// The shortest time for which who gave the key up stays out.
const STAY_OUT: Duration = Duration::from_micros(500);

#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Alarm {
    /// One bit for each node that said so.
    heard: u16,
    at: Moment,
    /// Whom to ask first then.
    gate: Option<usize>,
    /// It gave the key up for others: until then it hears nothing.
    deaf_until: Moment,
    /// One bit for each node whose grant it has just given back: that is no news to it.
    deaf_to: u16,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { heard: 0, at: Moment::NEVER, gate: None, deaf_until: Moment::default(), deaf_to: 0 }
    }
}

impl Alarm {
    /// After a round in which these nodes, one bit each, had granted.
    pub(super) fn after(granted: u16) -> Self {
        Self { deaf_to: granted, ..Self::default() }
    }

    pub(super) fn at(&self) -> Moment {
        self.at
    }

    /// Whom to ask first, when it is this alarm that rings.
    pub(super) fn gate(&self, now: Moment) -> Option<usize> {
        self.gate.filter(|_| self.at <= now)
    }
}

impl Attempt {
    /// The process has held the key for long, and others wait for it: they are let try first.
    pub(in crate::lock) fn stay_out(
        &mut self,
        world: &World,
        entropy: &mut dyn Entropy,
        others: u32,
        lost: Option<Ballot>,
    ) -> Moment {
        self.failed = lost;
        self.contenders = others.saturating_add(1);
        let round_trip = world.members.round_trip();
        let out = (round_trip * 2).max(STAY_OUT) + JITTER * others;
        let at = world.now + out + draw(entropy, Duration::ZERO, JITTER);
        let key = self.call.keys.single();
        let gate = key.and_then(|key| gate(&world.members, key));
        let alarm = Alarm { at, gate, deaf_until: at, ..Alarm::default() };
        self.phase = Phase::Sleeping { poll: Moment::NEVER, expiry: Moment::NEVER, alarm };
        self.timer()
    }

    /// A node says how many processes wait for a key, and for how long it is held, if it is.
    pub(in crate::lock) fn armed(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
        remaining: Option<Duration>,
        contenders: u32,
    ) -> Turn {
        self.contenders = contenders.max(1);
        match remaining {
            None if world.config.has(Mutant::NoRecheck) => Turn::Wait(self.timer()),
            None => self.hear(world, entropy, seat, node),
            Some(remaining) => {
                if self.call.keys.single().is_some()
                    && let Some(ballot) = &mut self.failed
                {
                    ballot.note_remaining(node, world.now, remaining);
                    self.reckon_expiry(world, entropy);
                }
                Turn::Wait(self.timer())
            }
        }
    }

    /// A node says that a key may be free.
    pub(in crate::lock) fn hear(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        node: usize,
    ) -> Turn {
        let quorum = world.quorum() as u32;
        let (contenders, now) = (self.contenders, world.now);
        // Shorter for each round that was lost: who has waited for long is first.
        let jitter = (JITTER * (contenders - 1)) / 2u32.pow(self.attempts().min(8));
        let pause = self.pause();
        let gate = self.call.keys.single().and_then(|key| gate(&world.members, key));
        let Phase::Sleeping { poll, alarm, .. } = &mut self.phase else {
            return Turn::Wait(self.timer());
        };
        if now < alarm.deaf_until || alarm.deaf_to >> node & 1 == 1 {
            return Turn::Wait(self.timer());
        }
        alarm.heard |= 1 << node;
        // What it has given back itself is free as well, though it does not wake.
        let by_quorum = (alarm.heard | alarm.deaf_to).count_ones() >= quorum;
        if contenders <= 1 {
            // The others have been told as well, and will have done it before this round reaches them.
            if pause.is_zero() {
                self.woken += 1;
                self.next_poll = Some(*poll).filter(|poll| *poll != Moment::NEVER);
                return self.begin_round(world, entropy, seat);
            }
            alarm.at = alarm.at.min(now + pause);
        } else if gate == Some(node) {
            (alarm.at, alarm.gate) = (now + pause + draw(entropy, Duration::ZERO, jitter), gate);
        } else if by_quorum && alarm.at == Moment::NEVER {
            let patience = (world.members.round_trip() * 2).max(GATE_PATIENCE);
            alarm.at = now + pause + patience + draw(entropy, Duration::ZERO, jitter);
        }
        Turn::Wait(self.timer())
    }

    /// It sleeps, and this node could not vote in its last round.
    pub(in crate::lock) fn lacks(&self, node: usize) -> bool {
        let is_faulted = |ballot: &Ballot| ballot.votes()[node].fault.is_some();
        matches!(self.phase, Phase::Sleeping { .. }) && self.failed.as_ref().is_some_and(is_faulted)
    }

    /// Something that changes the key all the time, and never lets it go, wakes in vain: ever more seldom.
    fn pause(&self) -> Duration {
        match self.woken.checked_sub(WAKES_FREE) {
            None => Duration::ZERO,
            Some(more) => (PAUSE * 2u32.pow(more.min(PAUSE_DOUBLINGS))).min(PAUSE_MAX),
        }
    }

    /// The gate has answered: at its grant the others are asked, at its refusal nobody is.
    pub(super) fn pass_gate(
        &mut self,
        world: &mut World,
        entropy: &mut dyn Entropy,
        seat: Seat,
        refused: bool,
    ) -> Turn {
        match self.phase {
            Phase::Asking { rest: Some(_), .. } if refused => self.fail_round(world, entropy, seat, true),
            Phase::Asking { rest: Some(_), .. } => self.open_gate(world, entropy, seat),
            _ => self.decide(world, entropy, seat),
        }
    }

    pub(super) fn open_gate(&mut self, world: &mut World, entropy: &mut dyn Entropy, seat: Seat) -> Turn {
        if let Phase::Asking { rest, .. } = &mut self.phase {
            *rest = None;
        }
        self.ask_rest(world, seat);
        self.decide(world, entropy, seat)
    }
}
