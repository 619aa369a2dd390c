//! A situation in which nothing is wrong with any node, and calls end without having asked one.

use std::time::Duration;

use super::clock::{MS, SECOND};
use super::plan::{Op, Plan};
use super::rng::Rng;
use super::stage::op;
use crate::lock::Retry;

/// Calls of one process hand a lock on, and let those of another have their turn every now and then. They wait for so long
/// that some of them give up just then.
pub(super) fn yield_turns(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>) {
    plan.faults.clear();
    plan.latency.slow = (0, 0);
    plan.config.handover_limit = rng.pick(&[1, 2]);
    let begin = rng.below(SECOND) + MS;
    let round_trip = plan.latency.round_trip_ms();
    *ops = (0..24)
        .map(|number| {
            let wait = Duration::from_millis(rng.between(round_trip, 30 * round_trip));
            let retry = Retry::new(Some(wait), 0, Duration::from_millis(50), Duration::from_millis(200));
            let process = usize::from(number % 4 == 3);
            let hold = rng.below(round_trip * MS);
            Op { retry, ..op(plan, process, begin + rng.below(10 * round_trip * MS), hold) }
        })
        .collect();
    ops.sort_by_key(|op| op.at);
    plan.end = begin + SECOND;
}
