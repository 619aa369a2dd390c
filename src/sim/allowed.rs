//! Which of the faults that were drawn may happen, since that depends on what has happened before.

use super::history::History;
use super::plan::{Regime, What};
use super::process::Process;
use crate::lock::RestartGuard;

impl History {
    /// Where all promises are checked, a process that has not seen a server before it restarts needs the strict guard:
    /// nobody begins anew once one has, and none does before whoever began anew has reached all.
    pub(super) fn is_allowed(&self, what: What) -> bool {
        let is_observed = self.plan.config.restart_guard == RestartGuard::Observed;
        if !is_observed || self.plan.regime != Regime::Assumed || self.plan.is_staged {
            return true;
        }
        let nodes = self.plan.config.nodes;
        let has_seen_all = |(number, process): (usize, &Process)| {
            let mut links = self.links[number * nodes..][..nodes].iter();
            process.life == 0 || links.all(|link| link.is_up)
        };
        match what {
            What::Crash { .. } => self.sites.iter().all(|site| site.run == 0 && site.is_up),
            What::Restart { .. } => {
                self.processes.iter().all(|process| process.is_alive)
                    && self.processes.iter().enumerate().all(has_seen_all)
            }
            _ => true,
        }
    }
}
