//! What is searched, in words: `fenced observed acquires=1,1 extends=1 pauses=1`.

use std::time::Duration;

use super::state::CLIENTS;
use crate::lock::{Mutant, RestartGuard};

/// How often what may happen.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Budgets {
    pub(crate) acquires: [u8; CLIENTS],
    pub(crate) extends: u8,
    pub(crate) releases: u8,
    /// Requests that arrive once more, later.
    pub(crate) duplicates: u8,
    pub(crate) restarts: u8,
    /// Time passes until a client's timer, which it hears of.
    pub(crate) ticks: u8,
    /// Time passes until a key expires.
    pub(crate) expiries: u8,
    /// [`PAUSE`] passes.
    pub(crate) pauses: u8,
}

/// Longer than a client waits for an answer; two of them are shorter than a validity, three are not.
pub(super) const PAUSE: Duration = Duration::from_millis(400);

/// What is searched.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) fencing: bool,
    pub(crate) guard: RestartGuard,
    pub(crate) budgets: Budgets,
    pub(crate) mutant: Option<Mutant>,
    /// It breaks a promise, and is known to.
    pub(crate) is_known_to_break: bool,
}

impl Scope {
    pub(crate) fn parse(words: &str) -> Option<Self> {
        let budgets = Budgets::default();
        let mut scope =
            Self { fencing: false, guard: RestartGuard::Off, budgets, mutant: None, is_known_to_break: false };
        for word in words.split(' ') {
            let budgets = &mut scope.budgets;
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let budget = match name {
                "classic" | "off" => continue,
                "fenced" => {
                    scope.fencing = true;
                    continue;
                }
                "observed" => {
                    scope.guard = RestartGuard::Observed;
                    continue;
                }
                "strict" => {
                    scope.guard = RestartGuard::Strict;
                    continue;
                }
                "breaks" => {
                    scope.is_known_to_break = true;
                    continue;
                }
                "mutant" => {
                    scope.mutant = Some(*Mutant::ALL.iter().find(|mutant| mutant.name() == value)?);
                    continue;
                }
                "acquires" => {
                    let (one, other) = value.split_once(',')?;
                    budgets.acquires = [one.parse().ok()?, other.parse().ok()?];
                    continue;
                }
                "extends" => &mut budgets.extends,
                "releases" => &mut budgets.releases,
                "duplicates" => &mut budgets.duplicates,
                "restarts" => &mut budgets.restarts,
                "ticks" => &mut budgets.ticks,
                "expiries" => &mut budgets.expiries,
                "pauses" => &mut budgets.pauses,
                _ => return None,
            };
            *budget = value.parse().ok()?;
        }
        Some(scope)
    }
}
