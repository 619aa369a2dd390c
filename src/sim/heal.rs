//! In the end a quorum has nothing wrong any more, and everybody asks once more; a minority may be away until that is over.

use std::time::Duration;

use super::call::KEYS;
use super::clock::{MS, SECOND, Time};
use super::heap_item::Next;
use super::history::History;
use super::link::Link;
use super::plan::{Away, Forgets, Op, What};
use crate::lock::Retry;

/// Long enough for every quarantine, and for every lock to expire.
const PROBE_WAIT: Duration = Duration::from_secs(60);
/// Longer than that: nobody has waited for who is away.
const AWAY: Time = 70 * SECOND;

impl History {
    /// A quorum at least has nothing wrong any more: whoever wants a lock gets it.
    pub(crate) fn heal(&mut self) {
        self.is_healed = true;
        let now = self.now;
        self.trace.note(now, [22, 0, 0], || "all is well".to_owned());
        for server in 0..self.sites.len() {
            self.sites[server].clock = self.plan.servers[server].clone();
            self.sites[server].server.full = 0;
            self.sites[server].evict_squatters();
        }
        for process in 0..self.processes.len() {
            for node in 0..self.plan.config.nodes {
                let link: &mut Link = self.link(process, node);
                (link.held_there, link.held_back, link.deaf, link.duplicate) = (0, 0, 0, None);
                self.free_link(process, node);
            }
        }
        (0..self.sites.len()).for_each(|server| self.proceed(server));
        for process in 0..self.processes.len() {
            self.unblock(process);
            self.resume(process);
            self.revive(process);
        }
        self.send_away();
        let used = self.plan.ops.iter().fold(1, |used, op| used | op.keys);
        for process in 0..self.processes.len() {
            for key in (0..KEYS.len()).filter(|key| used >> key & 1 == 1) {
                let op = Op {
                    at: now + SECOND / 10,
                    process,
                    keys: 1 << key,
                    ttl: self.plan.config.max_ttl,
                    renew: false,
                    once: false,
                    retry: Retry::new(Some(PROBE_WAIT), 0, Duration::from_millis(50), Duration::from_secs(1)),
                    hold: MS,
                    extend: None,
                    cancel: None,
                    looks: self.plan.ops.first().is_none_or(|op| op.looks),
                };
                let at = op.at;
                let call = self.calls.add(op, true);
                self.push(at, Next::Op(call));
            }
        }
    }

    fn send_away(&mut self) {
        let Some(Away { servers, hang }) = self.plan.away.clone() else { return };
        for server in servers {
            let what = match hang {
                true => What::Stop { server, span: AWAY },
                false => What::Restart { server, span: AWAY, forgets: Forgets::Nothing },
            };
            self.figures.faults[what.kind()] += 1;
            self.trace.note(self.now, [23, server as u64, 0], || format!("but {what:?}"));
            if hang {
                self.sites[server].is_stopped = self.sites[server].is_up;
            } else if self.sites[server].is_up {
                self.kill(server, AWAY, Forgets::Nothing);
            }
        }
        self.push(self.now + AWAY, Next::Return);
    }

    pub(crate) fn bring_back(&mut self) {
        let away = self.plan.away.clone();
        away.into_iter().flat_map(|away| away.servers).for_each(|server| self.proceed(server));
    }
}
