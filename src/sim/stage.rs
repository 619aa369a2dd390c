//! Situations that chance alone makes seldom: they are set, and what happens in them is drawn.

use std::time::Duration;

use super::clock::{Clock, MS, SECOND, Time};
use super::plan::{Fault, Op, Plan, Regime, Span, What, When};
use super::rng::Rng;
use super::stage_restarts::{forget, join, refill, rewind};
use super::stage_turns::yield_turns;
use crate::lock::{RestartGuard, Retry};
use crate::node::tokens::BLOCK;

/// Some of a hundred histories each, as far as they are plain.
pub(super) fn stage(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>) {
    let kind = rng.below(100);
    if kind >= 23 || !is_plain(plan) {
        return;
    }
    let servers = draw_servers(rng);
    let are_many = plan.processes.len() > 1;
    let is_guarded = are_many && plan.config.restart_guard != RestartGuard::Off;
    plan.is_staged = true;
    match kind {
        0..8 if is_guarded && rng.percent(70) => forget(rng, plan, ops, servers),
        0..8 => crowd(rng, plan, ops, servers),
        8..13 if are_many => neglect(rng, plan, ops, servers),
        13..15 if are_many => touch(rng, plan, ops),
        15..17 if is_guarded => rewind(rng, plan, ops, servers),
        17..19 if is_guarded => refill(rng, plan, ops, servers),
        19..21 if is_guarded => join(rng, plan, ops, servers),
        21..23 if are_many => yield_turns(rng, plan, ops),
        _ => plan.is_staged = false,
    }
}

fn is_plain(plan: &Plan) -> bool {
    let has_three = plan.config.nodes == 3 && plan.config.quorum == 2 && plan.addresses[1] != 0;
    has_three && plan.regime == Regime::Assumed
}

fn draw_servers(rng: &mut Rng) -> [usize; 3] {
    let mut servers = [0, 1, 2];
    servers.rotate_left(rng.index(3));
    servers
}

pub(super) fn op(plan: &Plan, process: usize, at: Time, hold: Time) -> Op {
    Op {
        at,
        process,
        keys: 1,
        ttl: plan.config.max_ttl,
        renew: false,
        once: false,
        retry: Retry::new(Some(Duration::from_secs(30)), 0, Duration::from_millis(50), Duration::from_millis(200)),
        hold,
        extend: None,
        cancel: None,
        looks: false,
    }
}

pub(super) fn away(process: usize, node: usize, span: Time) -> What {
    What::Hold { process, node, there: true, back: true, span }
}

/// A lock is granted while the JavaScript thread hangs. It is renewed, until too few servers are heard, and runs out before
/// it is taken. What one of them had to say of the renewals arrives later; by then another process may hold the lock there.
fn neglect(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, [lost, late, own]: [usize; 3]) {
    let begin = rng.below(SECOND) + MS;
    // Or for so short that the first answer held back is still waited for.
    let is_short = rng.percent(60);
    if is_short {
        plan.config.max_ttl = Duration::from_millis(300);
        plan.config.node_timeout = Duration::from_millis(250);
    }
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    let hangs = if is_short { ttl + rng.below(ttl / 8) } else { rng.between(ttl, 4 * ttl) };
    *ops = vec![op(plan, 0, begin, MS), op(plan, 1, begin + rng.below(ttl), 4 * hangs)];
    ops.iter_mut().for_each(|op| op.renew = true);
    plan.end = begin + 8 * hangs;
    let leaves = rng.below(if is_short { ttl / 5 } else { ttl / 3 });
    let returns = hangs + rng.below(if is_short { ttl / 8 } else { ttl });
    let silent = What::Hold { process: 0, node: late, there: false, back: true, span: returns - leaves };
    plan.faults = vec![
        Fault { when: When::At(begin + 1), what: What::Stall { process: 0, span: hangs } },
        Fault { when: When::At(begin - MS / 2), what: away(1, own, 8 * hangs) },
        Fault { when: When::At(begin + leaves), what: silent },
        Fault {
            when: When::At(begin + rng.below(if is_short { ttl / 5 } else { hangs / 2 })),
            what: away(0, lost, hangs + rng.below(ttl)),
        },
    ];
}

/// Many calls of one process hand the lock on, until their tokens are used up; meanwhile the keys expire on one server,
/// and then another cannot be reached.
fn crowd(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, [lost, late, _]: [usize; 3]) {
    let begin = rng.below(SECOND) + MS;
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    *ops = (0..30)
        .map(|_| {
            let hold = rng.below(ttl / 5);
            Op { renew: rng.percent(50), ..op(plan, 0, begin, hold) }
        })
        .collect();
    plan.end = plan.end.max(begin + 4 * ttl);
    let (first, second) = (begin + rng.below(ttl), rng.between(ttl / 2, 2 * ttl));
    let close = (first + second).saturating_sub(rng.below(ttl / 4));
    plan.faults = vec![
        Fault { when: When::At(first), what: away(0, lost, second) },
        Fault { when: When::At(close), what: away(0, late, rng.below(ttl)) },
    ];
}

/// The clocks of processes stand still, and differ by as much as makes their blocks of tokens touch, or by seconds. The
/// first hands the lock on until a block is used up; then the others want it, and what it was asked for arrives again.
fn touch(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>) {
    plan.config.fencing = true;
    let begin = rng.below(SECOND) + MS;
    let wall = plan.servers[0].wall;
    for (number, clock) in (0..).zip(&mut plan.processes) {
        *clock = Clock { ppm: 0, wall: wall + number * (BLOCK as i64 - 1), is_frozen: true };
    }
    let others = plan.processes.len();
    *ops = (0..rng.between(BLOCK, BLOCK + 2)).map(|_| op(plan, 0, begin, rng.below(MS))).collect();
    ops.extend((1..others).map(|process| op(plan, process, begin + rng.below(20 * MS), rng.below(MS))));
    plan.faults = vec![match rng.percent(50) {
        true => {
            let what = What::Duplicate { process: 0, node: rng.index(3), late: rng.below(20 * MS) };
            Fault { when: When::At(begin - 1), what }
        }
        false => {
            // Stopped with the last token of the block, until its key has expired.
            plan.processes[0].wall += 2_000_000;
            let what = What::Pause { process: 0, span: Span::For(5 * plan.config.max_ttl.as_nanos() as u64) };
            Fault { when: When::Granted { process: 0, nth: BLOCK as u32 }, what }
        }
    }];
}
