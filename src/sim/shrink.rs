//! The smallest plan that still fails: faults and calls are left out one after the other.

use super::history::{Outcome, run};
use super::plan::Plan;

/// A plan that breaks the same promise, and how its history went.
pub(crate) fn shrink(plan: &Plan, invariant: &str) -> (Plan, Outcome) {
    let fails = |plan: &Plan| {
        let outcome = run(plan.clone(), false);
        outcome.violation.is_some_and(|violation| violation.invariant == invariant)
    };
    let mut best = plan.clone();
    loop {
        let before = (best.faults.len(), best.ops.len());
        for index in (0..best.faults.len()).rev() {
            let mut next = best.clone();
            next.faults.remove(index);
            if fails(&next) {
                best = next;
            }
        }
        for index in (0..best.ops.len()).rev() {
            let mut next = best.clone();
            next.ops.remove(index);
            if fails(&next) {
                best = next;
            }
        }
        if (best.faults.len(), best.ops.len()) == before {
            let outcome = run(best.clone(), true);
            return (best, outcome);
        }
    }
}
