//! Situations in which a server forgets what it had granted, and is asked for it again.

use std::time::Duration;

use super::clock::{MS, SECOND, Time};
use super::plan::{Fault, Forgets, Op, Plan, Span, What, When};
use super::rng::Rng;
use super::stage::{away, op};
use crate::lock::RestartGuard;

/// Both clocks are off by less than half of what servers tolerate.
const OFF: i64 = 2_300_000;

/// A lock is held by two servers of three, and one of them forgets it; another process waits for it. The holder is
/// suspended, or goes on renewing it.
pub(super) fn forget(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, [lost, late, _]: [usize; 3]) {
    let begin = rng.below(SECOND) + MS;
    let is_new = plan.config.restart_guard == RestartGuard::Strict && rng.percent(70);
    if is_new {
        // The next second begins while it is held: ages are told in seconds.
        plan.config.max_ttl = Duration::from_secs(2);
    }
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    let long = 3 * ttl + if plan.config.fencing { 14 * SECOND } else { 3 * SECOND };
    let renews = rng.percent(40);
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

/// A lock is held by two servers of three, for somebody whose clock is ahead, and one of them forgets it and its fence. Once
/// the key has expired, somebody whose clock is behind asks that one and the third.
pub(super) fn rewind(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, [lost, late, _]: [usize; 3]) {
    plan.config.fencing = true;
    let wall = plan.servers[0].wall;
    plan.servers.iter_mut().for_each(|clock| clock.wall = wall);
    plan.processes.iter_mut().for_each(|clock| clock.wall = wall - OFF);
    plan.processes[0].wall = wall + OFF;
    let begin = rng.below(SECOND) + MS;
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    let long = ttl + 14 * SECOND;
    // Somebody who has waited would know the fence of the server that has forgotten nothing.
    let second = ttl + ttl / 50 + SECOND + rng.below(2 * SECOND);
    *ops = vec![op(plan, 0, begin, long), op(plan, 1, begin + second, MS)];
    plan.end = begin + long;
    let granted = When::Granted { process: 0, nth: 1 };
    let restart = What::Restart { server: lost, span: rng.below(20 * MS), forgets: Forgets::Everything };
    plan.faults = vec![
        Fault { when: When::At(begin - MS / 2), what: What::Cut { process: 0, node: late, arrives: false, late: 0 } },
        Fault { when: granted, what: restart },
        Fault { when: granted, what: What::Pause { process: 0, span: Span::For(long) } },
    ];
}

/// A lock is renewed while one server has forgotten it, and has been sent it anew. Soon before that one's word counts again,
/// another falls silent.
pub(super) fn refill(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, [lost, late, _]: [usize; 3]) {
    plan.config.fencing = false;
    plan.config.max_ttl = Duration::from_millis(600);
    plan.config.node_timeout = Duration::from_millis(250);
    let begin = rng.below(SECOND) + MS;
    let ttl = plan.config.max_ttl.as_nanos() as u64;
    let votes_again = begin + ttl + SECOND;
    let long = 2 * ttl + 2 * SECOND;
    *ops = vec![op(plan, 0, begin, long), op(plan, 1, begin + rng.below(long), MS)];
    ops[0].renew = true;
    plan.end = begin + long;
    let restart = What::Restart { server: lost, span: rng.below(ttl / 8), forgets: Forgets::Everything };
    let silent = votes_again - rng.below(ttl);
    plan.faults = vec![
        Fault { when: When::Granted { process: 0, nth: 1 }, what: restart },
        Fault { when: When::At(silent), what: away(0, late, long) },
    ];
}

/// For how long a server is down, at least, of which it is seen that it has started since: its age is told in seconds.
const DOWN: Time = 5 * SECOND / 2;

/// A lock is held by two servers of three, and one of them is killed. A new process begins meanwhile, which has never seen
/// that one; it is started without its data, long enough after, and while the lock is still held.
pub(super) fn join(rng: &mut Rng, plan: &mut Plan, ops: &mut Vec<Op>, [lost, late, _]: [usize; 3]) {
    plan.config.max_ttl = Duration::from_nanos(2 * DOWN);
    plan.latency.slow = (0, 0);
    let begin = rng.below(SECOND) + MS;
    let long = 2 * DOWN + 4 * SECOND + if plan.config.fencing { 10 * SECOND } else { 0 };
    let second = DOWN + rng.below(2 * SECOND);
    *ops = vec![op(plan, 0, begin, long), op(plan, 1, begin + second, MS)];
    plan.end = begin + long;
    let granted = When::Granted { process: 0, nth: 1 };
    let restart = What::Restart { server: lost, span: DOWN + rng.below(SECOND), forgets: Forgets::Everything };
    plan.faults = vec![
        Fault { when: When::At(begin - MS / 2), what: What::Cut { process: 0, node: late, arrives: false, late: 0 } },
        Fault { when: granted, what: restart },
        Fault { when: granted, what: What::Crash { process: 1, span: rng.between(MS, 50 * MS) } },
    ];
}
