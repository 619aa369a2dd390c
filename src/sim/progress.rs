//! That a key which somebody waits for is soon held by somebody.

use std::time::Duration;

use super::call::{KEYS, Stage};
use super::clock::{MS, SECOND, Time};
use super::history::History;
use super::link::Sent;
use crate::node::{Command, Moment};

impl History {
    /// Where some messages are slow, a round may be lost to that alone, though the key is free: the wait for progress
    /// begins anew.
    pub(crate) fn excuse_late(&mut self, took: Duration, sent: &Sent) {
        if self.is_late(took, sent) {
            self.idle = [None; 3];
        }
    }

    fn is_late(&self, took: Duration, sent: &Sent) -> bool {
        matches!(sent.command, Command::Acquire { ttl_ms } if took > self.plan.config.patience(Duration::from_millis(ttl_ms)))
    }

    fn waits_for_late(&mut self) -> bool {
        let nodes = self.plan.config.nodes;
        let moments: Vec<Moment> = self.processes.iter_mut().map(|process| process.look(self.now)).collect();
        let mut links = self.links.iter().enumerate();
        links.any(|(link, state)| {
            let moment = moments[link / nodes];
            state.outstanding.iter().any(|sent| self.is_late(moment.since(sent.at), sent))
        })
    }

    /// A key that somebody waits for is not free for long.
    pub(crate) fn check_progress(&mut self) {
        if self.calls.have_many() {
            return;
        }
        let latency = &self.plan.latency;
        let slowest = (latency.base + latency.jitter + latency.slow.1 + latency.thread) * 1000;
        let is_undisturbed = self.plan.faults.is_empty() && latency.slow.0 == 0;
        let is_steady = is_undisturbed || (self.is_healed && self.now > self.plan.end + 2 * SECOND);
        if !is_steady {
            return;
        }
        let mut most = 300 * MS + 20 * slowest;
        if !is_undisturbed && self.has_restarted() {
            most += self.longest_quarantine();
        }
        if self.is_healed && self.plan.away.is_some() {
            // Until it is noticed, a round that is not clear waits for who is away.
            most += 2 * self.plan.config.node_timeout.as_nanos() as u64;
        }
        for (key, name) in KEYS.iter().enumerate() {
            let now = self.now;
            let is_free = self.sites.iter_mut().all(|site| {
                site.expire(now);
                !site.server.locks.contains_key(*name)
            });
            if !is_free || !self.is_wanted(1 << key) {
                self.idle[key] = None;
                continue;
            }
            // Whose ttl is too short for the network is never granted anything.
            let shortest = self.latency_ttl();
            let fits = |call: &&super::call::Call| call.stage != Stage::Waiting || call.op.ttl >= shortest;
            if !self.calls.open.iter().map(|index| &self.calls.list[*index]).all(|call| fits(&call)) {
                self.idle[key] = None;
                continue;
            }
            let since = *self.idle[key].get_or_insert(now);
            let waits = self.calls.open.iter().map(|index| &self.calls.list[*index]);
            let waits = waits.filter(|call| call.stage == Stage::Waiting && call.op.keys == 1 << key);
            let poll = waits.map(|call| call.op.retry.delay_max.as_nanos() as u64).max().unwrap_or(0);
            let most = most + if is_undisturbed && !self.are_far_apart() { 0 } else { poll };
            if now - since > most && !self.waits_for_late() {
                let text = format!("{name} is free since {} ms, and somebody waits for it", since as f64 / 1e6);
                self.violate("progress", text);
            }
        }
    }

    /// Who asks for less may not be answered in time.
    pub(crate) fn latency_ttl(&self) -> Duration {
        Duration::from_millis(self.plan.latency.round_trip_ms() * 8)
    }

    /// Where some servers' clocks are wrong, a process whose own is as well may need a round to learn the time.
    fn are_far_apart(&self) -> bool {
        let walls = self.plan.servers.iter().map(|clock| clock.wall);
        let (least, most) = (walls.clone().min().unwrap_or(0), walls.max().unwrap_or(0));
        most - least > 5_000_000
    }

    /// Of servers that have just been reached.
    fn longest_quarantine(&self) -> Time {
        2 * self.plan.config.max_ttl.as_nanos() as u64 + 12 * SECOND
    }

    fn has_restarted(&self) -> bool {
        self.sites.iter().any(|site| site.run > 0) || self.processes.iter().any(|process| process.life > 0)
    }
}
