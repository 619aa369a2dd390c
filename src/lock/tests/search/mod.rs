//! Every history of three calls that want one key in one process, as far as small budgets go: each may be given up at
//! any step, the key may vanish, answers may be lost, and time may pass to the next timer or beyond every validity. In
//! none is a grant given twice or lost, no call is forgotten, and tokens ascend.

mod world;

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};

use world::{Budgets, Move, World};

const STATES_MIN: usize = 20_000;

fn search(others: u32, fencing: bool, budgets: &Budgets) -> usize {
    let mut seen = HashSet::new();
    let mut open = vec![(World::new(others, fencing, budgets.clone()), Vec::new())];
    while let Some((world, path)) = open.pop() {
        for step in world.moves() {
            let mut next = world.clone();
            let path: Vec<Move> = path.iter().copied().chain([step]).collect();
            let outcome = panic::catch_unwind(AssertUnwindSafe(move || {
                next.make(step);
                next.check();
                next.clone().end();
                next
            }));
            match outcome {
                Ok(next) if seen.insert(next.fingerprint()) => open.push((next, path)),
                Ok(_) => {}
                Err(_) => panic!("after {path:?}"),
            }
        }
    }
    seen.len()
}

#[test]
fn every_history_of_three_waiters_ends_well() {
    let mut states = 0;
    let none = Budgets { cancels: 0, vanishes: 0, silences: 0, leaps: 0, ticks: 0 };
    for others in [0, 1] {
        for budgets in [
            Budgets { cancels: 3, ticks: 1, ..none },
            Budgets { cancels: 1, leaps: 2, ticks: 1, ..none },
            Budgets { cancels: 1, vanishes: 2, ticks: 1, ..none },
            Budgets { cancels: 1, silences: 2, ticks: 1, ..none },
            Budgets { cancels: 1, vanishes: 1, silences: 1, leaps: 1, ticks: 1 },
        ] {
            states += search(others, false, &budgets);
        }
    }
    let budgets = Budgets { cancels: 1, vanishes: 0, silences: 1, leaps: 1, ticks: 1 };
    states += search(0, true, &budgets);
    assert!(states > STATES_MIN, "the search is not worth much: {states} states");
}
