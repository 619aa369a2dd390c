//! I10: for how long a process hands a lock on among its own calls, while those of others wait for it.

use std::time::Duration;

use super::call::Stage;
use super::clock::{MS, Time};
use super::history::History;
use crate::node::Id;

/// Clients of other kinds poll, and nobody knows of them: so many times its ttl, whoever waits.
const TTLS_MAX: u32 = 10;

/// What a process has been granted by the nodes once, through all of its calls that had it.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    id: Id,
    since: Time,
    /// The longest that was asked for.
    ttl: Duration,
    hand_overs: u32,
    /// When the limit of hand-overs was reached.
    full: Option<Time>,
    /// When the last holder gave it back.
    freed: Time,
}

impl History {
    /// The lock was granted to a call, by the nodes or by the one before it.
    pub(crate) fn check_turn(&mut self, index: usize, id: Id) {
        let (now, limit) = (self.now, self.plan.config.handover_limit);
        let op = self.calls.list[index].op.clone();
        let longest = op.extend.map_or(op.ttl, |(_, ttl)| ttl.max(op.ttl));
        let turns = &mut self.processes[op.process].turns;
        let Some(turn) = turns.get_mut(&op.keys).filter(|turn| turn.id == id) else {
            let turn = Turn { id, since: now, ttl: longest, hand_overs: 0, full: None, freed: now };
            turns.insert(op.keys, turn);
            return;
        };
        let before = turn.clone();
        turn.ttl = turn.ttl.max(longest);
        turn.hand_overs += 1;
        if turn.hand_overs == limit {
            turn.full = Some(now);
        }
        // Clocks differ.
        let most = before.ttl.as_nanos() as u64 * u64::from(TTLS_MAX) / 100 * 101;
        if before.freed - before.since > most {
            self.violate("I10", format!("call {index} is handed what its process has had for ten ttls"));
        } else if before.full.is_some_and(|full| self.was_known(op.process, op.keys, full, before.freed)) {
            self.violate("I10", format!("call {index} is handed what calls of another process have waited for"));
        }
    }

    /// A holder gives back what it has.
    pub(crate) fn end_turn(&mut self, index: usize) {
        let call = &self.calls.list[index];
        let Some(id) = call.hold.as_ref().map(|hold| hold.id) else { return };
        let turn = self.processes[call.op.process].turns.get_mut(&call.op.keys);
        if let Some(turn) = turn.filter(|turn| turn.id == id) {
            turn.freed = self.now;
        }
    }

    /// Where nothing goes wrong: between these moments the process has counted those that wait elsewhere, and one did.
    fn was_known(&self, process: usize, keys: u8, full: Time, freed: Time) -> bool {
        let latency = &self.plan.latency;
        let is_undisturbed = self.plan.faults.is_empty() && latency.slow.0 == 0 && !self.is_healed;
        // Whose ttl is too short for the network is refused by nobody, and waits for nothing but time.
        let have_time = self.plan.ops.iter().all(|op| op.ttl >= self.latency_ttl());
        let enough = (4 * latency.round_trip_ms() + 10) * MS + 4 * latency.thread * 1000;
        let waits = |index: &usize| {
            let call = &self.calls.list[*index];
            let other = &self.processes[call.op.process];
            let queues = !call.op.once && !call.op.retry.total.is_zero() && call.op.keys == keys;
            // Who has had it may be letting others go first.
            let is_new = !other.turns.contains_key(&keys);
            call.stage == Stage::Waiting
                && call.op.process != process
                && queues
                && is_new
                && call.began + enough <= full
        };
        is_undisturbed
            && have_time
            && full + enough <= freed
            && keys.count_ones() == 1
            && self.calls.open.iter().any(waits)
    }
}
