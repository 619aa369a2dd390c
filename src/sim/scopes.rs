//! What is searched, and how far.

use std::process::ExitCode;

use super::search::{Budgets, Scope, search};
use crate::lock::{Mutant, RestartGuard};

const NONE: Budgets =
    Budgets { acquires: [1, 1], extends: 0, releases: 2, duplicates: 0, restarts: 0, ticks: 0, expiries: 0 };

fn scopes(is_full: bool) -> Vec<Scope> {
    let more = u8::from(is_full);
    let scope =
        |name, fencing, guard, budgets| Scope { name, fencing, guard, budgets, mutant: None, is_known_to_break: false };
    let mut scopes = Vec::new();
    for (fencing, mode) in [(false, "classic"), (true, "fenced")] {
        let name = |text: &str| -> &'static str { format!("{mode}, {text}").leak() };
        scopes.push(scope(
            name("late, lost and out of order"),
            fencing,
            RestartGuard::Off,
            Budgets { ticks: more, releases: 1 + more, ..NONE },
        ));
        scopes.push(scope(
            name("doubled"),
            fencing,
            RestartGuard::Off,
            Budgets { duplicates: 1, releases: more, ..NONE },
        ));
        scopes.push(scope(
            name("an empty restart, guarded"),
            fencing,
            RestartGuard::Observed,
            Budgets { restarts: 1, ticks: more, releases: more, ..NONE },
        ));
        scopes.push(Scope {
            is_known_to_break: true,
            ..scope(name("an empty restart, not guarded"), fencing, RestartGuard::Off, Budgets { restarts: 1, ..NONE })
        });
        if is_full {
            scopes.push(scope(
                name("extended, and expired"),
                fencing,
                RestartGuard::Off,
                Budgets { extends: 1, releases: 0, expiries: 1, ..NONE },
            ));
        }
    }
    scopes
}

/// Mistakes of which a few messages are enough.
fn mistakes() -> Vec<Scope> {
    let base = |mutant, fencing, budgets| Scope {
        name: "",
        fencing,
        guard: RestartGuard::Off,
        budgets,
        mutant: Some(mutant),
        is_known_to_break: true,
    };
    let extended = Budgets { extends: 1, releases: 0, expiries: 1, ticks: 1, ..NONE };
    vec![
        base(Mutant::BlindRelease, false, Budgets { acquires: [1, 2], releases: 0, ..NONE }),
        base(Mutant::DeadlineFromReply, false, extended),
    ]
}

pub(super) fn main(is_full: bool, threads: usize) -> ExitCode {
    let mut all_well = true;
    for scope in scopes(is_full).into_iter().chain(mistakes()) {
        let found = search(&scope, threads);
        let name = scope.mutant.map_or(scope.name, Mutant::name);
        let verdict = match &found.counterexample {
            None => "no promise broken".to_owned(),
            Some((path, text)) => format!("{text}, after {} steps", path.len()),
        };
        let (states, depth, seconds) = (found.states, found.depth, found.seconds);
        println!("{name}\t{states}\t{depth}\t{seconds:.1}\t{verdict}");
        if found.counterexample.is_some() != scope.is_known_to_break {
            all_well = false;
            if let Some((path, _)) = &found.counterexample {
                println!("  {path:?}");
            }
        }
    }
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
