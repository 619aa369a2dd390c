//! Situations that chance alone makes seldom: they are set, and what happens in them is drawn.

use std::time::Duration;

use super::clock::{MS, SECOND, Time};
use super::plan::{Fault, Forgets, Op, Plan, Regime, Span, What, When};
use super::rng::Rng;
use crate::lock::{RestartGuard, Retry};

/// Of so many histories in a hundred.
const SHARE: u64 = 8;
const NEGLECTED_SHARE: u64 = 2;

pub(super) fn stage(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>) {
    if rng.percent(SHARE) && is_plain(plan) {
        let [lost, late, _] = draw_servers(rng);
        if plan.config.restart_guard != RestartGuard::Off && plan.processes.len() > 1 && rng.percent(70) {
            forget(rng, plan, ops, lost, late);
        } else {
            crowd(rng, plan, ops, lost, late);
        }
    }
    if rng.percent(NEGLECTED_SHARE) && is_plain(plan) && plan.processes.len() > 1 {
        neglect(rng, plan, ops);
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

fn op(plan: &Plan, process: usize, at: Time, hold: Time) -> Op {
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

fn away(process: usize, node: usize, span: Time) -> What {
    What::Hold { process, node, there: true, back: true, span }
}

/// A lock is held by two servers of three, and one of them forgets it; another process waits for it. The holder is
/// suspended, or goes on renewing it.
fn forget(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, lost: usize, late: usize) {
    let begin = rng.below(SECOND) + MS;
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    let long = 3 * ttl + if plan.config.fencing { 14 * SECOND } else { 3 * SECOND };
    let renews = rng.percent(40);
    let is_new = plan.config.restart_guard == RestartGuard::Strict && rng.percent(70);
    // Who waits for long has been told the tokens of the holder.
    let any = rng.below(long);
    let second = if is_new { SECOND } else { rng.pick(&[20 * MS, any]) };
    *ops = vec![op(plan, 0, begin, long), op(plan, 1, begin + second, MS)];
    ops[0].renew = renews;
    plan.end = begin + long;
    let granted = When::Granted { process: 0, nth: 1 };
    let restart = What::Restart { server: lost, span: rng.below(20 * MS), forgets: Forgets::Everything };
    plan.faults = vec![Fault { when: granted, what: restart }];
    if is_new {
        // Another process in its place, which has not seen the restart.
        plan.faults.push(Fault { when: granted, what: What::Crash { process: 1, span: rng.below(SECOND * 9 / 10) } });
    }
    if renews {
        let leaves = begin + ttl / 2 + rng.below(long / 2);
        plan.faults.push(Fault { when: When::At(leaves), what: away(0, late, long) });
    } else {
        let cut = What::Cut { process: 0, node: late, arrives: false, late: 0 };
        plan.faults.push(Fault { when: When::At(begin - MS / 2), what: cut });
        plan.faults.push(Fault { when: granted, what: What::Pause { process: 0, span: Span::For(long) } });
    }
}

/// A lock is granted while the JavaScript thread hangs. It is renewed, until too few servers are heard, and runs out before
/// it is taken. What one of them had to say of the renewals arrives later; by then another process may hold the lock there.
fn neglect(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>) {
    let [lost, late, own] = draw_servers(rng);
    let begin = rng.below(SECOND) + MS;
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    let hangs = rng.between(ttl, 4 * ttl);
    *ops = vec![op(plan, 0, begin, MS), op(plan, 1, begin + rng.below(ttl), 4 * hangs)];
    ops.iter_mut().for_each(|op| op.renew = true);
    plan.end = begin + 8 * hangs;
    let silent = What::Hold { process: 0, node: late, there: false, back: true, span: hangs + rng.below(ttl) };
    plan.faults = vec![
        Fault { when: When::At(begin + 1), what: What::Stall { process: 0, span: hangs } },
        Fault { when: When::At(begin - MS / 2), what: away(1, own, 8 * hangs) },
        Fault { when: When::At(begin + rng.below(ttl / 3)), what: silent },
        Fault { when: When::At(begin + rng.below(hangs / 2)), what: away(0, lost, hangs + rng.below(ttl)) },
    ];
}

/// Many calls of one process hand the lock on, until their tokens are used up; meanwhile the keys expire on one server,
/// and then another cannot be reached.
fn crowd(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, lost: usize, late: usize) {
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
