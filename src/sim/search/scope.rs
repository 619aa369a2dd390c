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
    /// The holder hands the lock on, to another call of its own process.
    pub(crate) handovers: u8,
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
    /// By so many seconds the first client's wall clock is ahead of all others.
    pub(crate) ahead_s: u8,
    /// The second client has reached two nodes long ago, and one never: it does when that restarts.
    pub(crate) is_absent: bool,
    /// The second client begins when a server restarts, just after.
    pub(crate) is_latecomer: bool,
    /// No server is to grant an id again whose release it has done.
    pub(crate) has_ghosts: bool,
    /// It breaks a promise, and is known to.
    pub(crate) is_known_to_break: bool,
}

impl Scope {
    pub(crate) fn parse(words: &str) -> Option<Self> {
        let budgets = Budgets::default();
        let mut scope = Self {
            fencing: false,
            guard: RestartGuard::Off,
            budgets,
            mutant: None,
            ahead_s: 0,
            is_absent: false,
            is_latecomer: false,
            has_ghosts: false,
            is_known_to_break: false,
        };
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
                "absent" => {
                    scope.is_absent = true;
                    continue;
                }
                "latecomer" => {
                    scope.is_latecomer = true;
                    continue;
                }
                "ghosts" => {
                    scope.has_ghosts = true;
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
                "ahead" => &mut scope.ahead_s,
                "releases" => &mut budgets.releases,
                "handovers" => &mut budgets.handovers,
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
