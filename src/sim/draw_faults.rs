//! The faults that a seed draws: in a history in which the assumptions are to hold, only those that they allow.

use super::clock::{MS, Time};
use super::plan::{Fault, Forgets, Plan, Regime, Span, What, When};
use super::rng::Rng;
use crate::lock::RestartGuard;

pub(super) fn draw_faults(rng: &mut Rng, plan: &Plan) -> Vec<Fault> {
    let count = rng.pick(&[0, 1, 2, 3, 4, 6, 10]);
    let mut faults: Vec<Fault> = (0..count)
        .filter_map(|_| {
            let what = draw_what(rng, plan)?;
            Some(Fault { when: draw_when(rng, plan, &what), what })
        })
        .collect();
    if rng.percent(10) {
        swizzle(rng, plan, &mut faults);
    }
    faults
}

/// Links are held one after the other, and freed in another order.
fn swizzle(rng: &mut Rng, plan: &Plan, faults: &mut Vec<Fault>) {
    let process = rng.index(plan.processes.len());
    let begin = rng.below(plan.end / 2);
    for node in 0..plan.config.nodes {
        let at = begin + node as Time * 5 * MS;
        let what = What::Hold { process, node, there: true, back: true, span: rng.between(10, 900) * MS };
        faults.push(Fault { when: When::At(at), what });
    }
}

fn draw_when(rng: &mut Rng, plan: &Plan, what: &What) -> When {
    let at = When::At(rng.below(plan.end));
    let nth = rng.between(1, 4) as u32;
    match *what {
        What::Pause { process, .. } | What::Stall { process, .. } | What::Crash { process, .. } if rng.percent(70) => {
            When::Granted { process, nth }
        }
        What::Restart { server, .. } if rng.percent(60) => When::Set { server, nth },
        What::Duplicate { node, .. } | What::Cut { node, .. } if rng.percent(50) => {
            When::Set { server: plan.addresses[node], nth }
        }
        What::Flush { .. } | What::Jump { .. } | What::Hold { .. } | What::Stop { .. } if rng.percent(50) => {
            When::Granted { process: rng.index(plan.processes.len()), nth }
        }
        What::Cut { node, .. } | What::Hold { node, .. } if rng.percent(30) => {
            When::Asked { server: plan.addresses[node], nth }
        }
        _ => at,
    }
}

/// A span that matters: near nothing, near the timeouts, near a ttl, or longer than all.
fn draw_span(rng: &mut Rng, plan: &Plan) -> Time {
    let longest = plan.config.max_ttl.as_millis() as u64;
    MS * match rng.below(5) {
        0 => rng.below(10),
        1 => rng.below(300),
        2 => longest.saturating_sub(5) + rng.below(10),
        _ => rng.below(longest * 2),
    }
}

fn draw_what(rng: &mut Rng, plan: &Plan) -> Option<What> {
    let process = rng.index(plan.processes.len());
    let node = rng.index(plan.config.nodes);
    let server = plan.addresses[node];
    let span = draw_span(rng, plan);
    let is_assumed = plan.regime == Regime::Assumed;
    let guard = plan.config.restart_guard;
    Some(match rng.below(25) {
        0..3 => {
            let past = Span::PastDeadline(rng.pick(&[-1, 0, 1, 1_000_000]));
            What::Pause { process, span: if rng.percent(40) { past } else { Span::For(span) } }
        }
        3 => What::Stall { process, span },
        4 => What::Crash { process, span },
        5 | 6 => What::Stop { server, span },
        // Without a guard a restart is a silent loss.
        7..10 if is_assumed && guard == RestartGuard::Off => return None,
        7..10 => {
            let since = Forgets::Since(span);
            // Who comes anew cannot know of a promotion.
            let is_seen = guard == RestartGuard::Observed || !is_assumed;
            let replica = if is_seen { Forgets::AsReplica } else { Forgets::Nothing };
            let kept = rng.pick(&[Forgets::Everything, Forgets::Everything, since, replica, Forgets::Nothing]);
            let is_fenceless = plan.regime == Regime::Fenceless || is_assumed;
            let forgets = if is_fenceless { kept } else { Forgets::Nothing };
            What::Restart { server, span: draw_span(rng, plan) / 4, forgets }
        }
        10 | 11 => What::Cut { process, node, arrives: rng.percent(60), late: rng.pick(&[0, 0, span]) },
        12..15 => {
            let (there, back) = rng.pick(&[(true, true), (true, false), (false, true)]);
            What::Hold { process, node, there, back, span }
        }
        15 | 22 | 23 => {
            let soon = rng.below(20 * MS);
            What::Duplicate { process, node, late: rng.pick(&[soon, soon, span]) }
        }
        16 => What::Deafen { process, node, span },
        17 => What::Unwatch { process, node },
        18 => What::Fill { server, span },
        19 if !is_assumed => What::Jump { server, ms: rng.signed(4000) },
        20 if !is_assumed => What::Flush { server, fences: plan.regime == Regime::Fenceless && rng.percent(50) },
        21 => What::Squat { server, key: 0, ms: rng.percent(70).then(|| rng.below(3000)) },
        _ => What::Cut { process, node, arrives: true, late: span },
    })
}
