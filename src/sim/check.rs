//! The promises, looked at after every event. The simulator sees into the servers: that is far more than to look for two
//! holders.

use std::time::Duration;

use super::call::{KEYS, Stage};
use super::clock::{MS, SECOND, Time};
use super::history::History;
use super::link::Sent;
use super::plan::Regime;
use crate::lock::event::{Failure, Verdict, VoteSeen};
use crate::lock::{Config, RestartGuard};
use crate::node::{Command, FaultCode, Id, Moment, Reply, Request};

impl History {
    pub(crate) fn check(&mut self) {
        if self.violation.is_none() {
            self.check_holders();
            self.check_progress();
            self.check_left_keys();
        }
    }

    /// I1, I2, and I5: nothing becomes valid again, whether or not somebody else has held it since.
    fn check_holders(&mut self) {
        let held: Vec<usize> = self.calls.held().map(|(index, ..)| index).collect();
        if held.is_empty() {
            return;
        }
        let mut valid: [Option<usize>; 3] = [None; 3];
        for index in held {
            let is_valid = self.is_valid(index);
            let call = &mut self.calls.list[index];
            let Some(hold) = &mut call.hold else { continue };
            if !is_valid {
                hold.was_invalid = true;
                continue;
            }
            if hold.was_invalid {
                self.violate("I5", format!("call {index} was not valid any more, and is again"));
                return;
            }
            if self.plan.regime != Regime::Assumed {
                continue;
            }
            let mask = call.op.keys;
            for key in (0..KEYS.len()).filter(|key| mask >> key & 1 == 1) {
                if let Some(other) = valid[key].replace(index) {
                    self.violate("I2", format!("calls {other} and {index} are valid at once"));
                    return;
                }
                self.check_quorum(index, KEYS[key]);
            }
        }
    }

    /// A valid handle stands on a quorum of servers that hold its id until its end, or that nobody counts.
    fn check_quorum(&mut self, index: usize, key: &str) {
        let call = &self.calls.list[index];
        let Some(id) = call.hold.as_ref().map(|hold| hold.id) else { return };
        let (process, slot) = (call.op.process, call.slot);
        let place = &mut self.processes[process];
        let moment = place.look(self.now);
        let end: Moment = moment + place.core.remaining(moment, slot);
        let end = place.clock.time_of(end);
        let standing = (0..self.sites.len()).filter(|server| self.is_covered(*server, key, id, end)).count();
        let mut servers = self.plan.addresses.clone();
        servers.sort_unstable();
        servers.dedup();
        // Of the servers that no address leads to, none can grant anything.
        let idle = self.sites.len() - servers.len();
        if standing < self.plan.config.quorum.min(servers.len()) + idle {
            let text = format!("call {index} is valid until {} ms, on {standing} servers", end as f64 / MS as f64);
            self.violate("I1", text);
        }
    }

    fn is_covered(&mut self, server: usize, key: &str, id: Id, end: Time) -> bool {
        let addresses: Vec<usize> =
            (0..self.plan.config.nodes).filter(|node| self.plan.addresses[*node] == server).collect();
        if addresses.is_empty() || self.sites[server].keeps(key, id, end) {
            return true;
        }
        if self.plan.config.restart_guard == RestartGuard::Off || self.sites[server].run == 0 {
            return false;
        }
        (0..self.processes.len()).all(|process| {
            let place = &mut self.processes[process];
            let moment = place.look(self.now);
            addresses.iter().all(|node| {
                let link = &self.links[process * self.plan.config.nodes + node];
                let is_counted = self.sites[server].is_up && link.is_up && link.run == self.sites[server].run;
                !is_counted || self.processes[process].core.fault(moment, *node).is_some()
            })
        })
    }

    /// I3, I4.
    pub(crate) fn check_token(&mut self, index: usize, token: u64) {
        if !self.plan.config.fencing {
            return;
        }
        let mask = self.calls.list[index].op.keys;
        for key in (0..KEYS.len() as u8).filter(|key| mask >> key & 1 == 1) {
            let (is_larger, is_new) = self.store.give(key, token);
            if !is_larger && self.plan.regime == Regime::Assumed {
                self.violate("I3", format!("call {index} has token {token}, and an earlier holder a larger one"));
            } else if !is_new && self.plan.regime != Regime::Fenceless {
                self.violate("I4", format!("call {index} has token {token}, and another has had it"));
            }
        }
    }

    /// I10: nobody of the same process who called earlier for the same key still waits, whatever was lost.
    pub(crate) fn check_order(&mut self, index: usize) {
        let call = &self.calls.list[index];
        let queued = |op: &super::plan::Op| !op.once && !op.retry.total.is_zero() && op.keys.count_ones() == 1;
        if !queued(&call.op) || self.calls.have_many() {
            return;
        }
        let earlier = self.calls.open.iter().find(|other| {
            let other = &self.calls.list[**other];
            other.stage == Stage::Waiting
                && other.op.process == call.op.process
                && other.op.keys == call.op.keys
                && other.order < call.order
                && queued(&other.op)
        });
        if let Some(earlier) = earlier {
            self.violate("I10", format!("call {index} is before call {earlier}, which came earlier"));
        }
    }

    /// I7: a call that waited has come to its end in time.
    pub(crate) fn end_wait(&mut self, index: usize) {
        let call = &self.calls.list[index];
        let (began, since, process) = (call.began, call.since, call.op.process);
        let (op, config) = (&call.op, &self.plan.config);
        let patience = config.node_timeout.min(op.ttl / 4);
        let thread = Duration::from_micros(self.plan.latency.thread);
        let rounds = match op.retry.wait {
            // Its end is fixed, but one round is made in any case, after those before it, and who holds it is asked.
            Some(_) => patience * 3,
            None => patience * (op.retry.count + 3) * 3,
        };
        let most = op.retry.total + config.connect_timeout + rounds + thread + Duration::from_millis(20);
        let place = &mut self.processes[process];
        if place.disturbed >= began && place.disturbed > 0 {
            return;
        }
        let took = place.look(self.now).since(since);
        if took > most {
            self.violate("I7", format!("call {index} took {took:?}, and was to end within {most:?}"));
        }
    }

    /// I13: who was not granted it is told why, node by node.
    pub(crate) fn check_failure(&mut self, index: usize, verdict: Verdict, failure: Option<&Failure>) {
        let votes = failure.map_or(&[][..], |failure| &failure.votes);
        let faulted = votes.iter().filter(|vote| matches!(vote, VoteSeen::Faulted(_))).count();
        let Config { nodes, quorum, .. } = self.plan.config;
        let is_told = votes.len() == nodes && (faulted > nodes - quorum) == (verdict == Verdict::Unavailable);
        if !is_told {
            self.violate("I13", format!("call {index} is told {verdict:?}, and of the nodes {votes:?}"));
        }
        // Where nothing is wrong with any node, and rounds have the time they take, none is at fault once it was reached. Who
        // waits in a queue is told of the rounds of those before it.
        let has_time = self.plan.ops.iter().all(|op| op.ttl >= self.latency_ttl());
        let is_well = self.plan.faults.is_empty() && self.plan.latency.slow.0 == 0 && has_time;
        let is_at_fault =
            |vote: &&VoteSeen| matches!(vote, VoteSeen::Faulted(fault) if fault.code != FaultCode::Connect);
        let at_fault = votes.iter().filter(is_at_fault).count();
        if is_well && at_fault > nodes - quorum {
            self.violate("I13", format!("call {index} is told that the nodes failed, and none has: {votes:?}"));
        }
    }

    /// I6: who has done a release never grants that id again, with fencing, unless clocks are far apart.
    pub(crate) fn check_ghost(&mut self, server: usize, request: &Request) {
        let fenced = request.tokens.is_some() && self.plan.regime == Regime::Assumed;
        let mut walls = self.plan.processes.iter().chain(&self.plan.servers).map(|clock| clock.wall);
        let least = walls.clone().min().unwrap_or(0);
        let sane = walls.all(|wall| wall - least < 5_000_000);
        if fenced && sane && self.sites[server].released.contains(request.id.as_bytes()) {
            self.violate("I6", format!("server {server} grants {:?} again after its release", request.id));
        }
    }

    /// When so many nodes say that they do not hold the lock that no quorum is left, the holder hears of it at once.
    pub(crate) fn check_gone(&mut self, process: usize, node: usize, sent: &Sent, reply: &Reply) {
        let Reply::Voted { no: 1, .. } = reply else { return };
        let spare = self.plan.config.nodes - self.plan.config.quorum;
        let Command::Extend { .. } = sent.command else { return };
        let Some((index, _)) = self.calls.holder(sent.id) else { return };
        let slot = self.calls.list[index].slot;
        if !self.processes[process].core.is_in_round(slot, sent.tag.round) {
            // A later one may have begun in which nobody could be asked.
            return;
        }
        let Some((index, hold)) = self.calls.holder(sent.id) else { return };
        if hold.round != sent.tag.round {
            return;
        }
        hold.gone |= 1 << node;
        let gone = hold.gone.count_ones() as usize;
        let call = &self.calls.list[index];
        let is_its = call.op.process == process && call.op.keys.count_ones() == 1;
        if gone > spare && is_its && self.is_valid(index) {
            self.violate("I15", format!("call {index} is valid, though {gone} nodes say that they do not hold it"));
        }
    }

    /// Where nothing goes wrong, no key is left soon after the last call.
    fn check_left_keys(&mut self) {
        let is_away = self.is_healed && self.plan.away.is_some();
        let is_disturbed = is_away || !self.plan.faults.is_empty() || self.plan.latency.slow.0 > 0;
        if is_disturbed || !self.calls.open.is_empty() {
            self.probed_over = None;
            return;
        }
        let now = self.now;
        match self.probed_over {
            None => {
                self.probed_over = Some(now);
                self.push(now + 50 * MS, super::heap_item::Next::Look);
            }
            Some(since) if now - since >= 50 * MS => self.check_no_keys("soon after the last call"),
            Some(_) => {}
        }
    }

    fn check_no_keys(&mut self, when: &str) {
        let now = self.now;
        for server in 0..self.sites.len() {
            self.sites[server].expire(now);
            if let Some(key) = self.sites[server].server.locks.keys().next() {
                let text = format!("server {server} holds {key} {when}");
                self.violate("I8", text);
                return;
            }
        }
    }

    /// I8: it is over, and nothing is left. I14: and it took no more messages than it had to.
    pub(crate) fn check_end(&mut self) {
        self.now += self.plan.config.max_ttl.as_nanos() as u64 * 2 + 10 * SECOND;
        if let Some(open) = self.calls.open.first() {
            let text = format!("call {open} was forgotten: {:?}", self.calls.list[*open].stage);
            self.violate("I8", text);
        }
        for process in 0..self.processes.len() {
            let place = &self.processes[process];
            let left = place.core.leftovers();
            let counts = (place.core.held(place.client), place.core.waiting(place.client));
            if left != (0, 0) || counts != (0, 0) || place.core.next_timer() != Moment::NEVER {
                self.violate("I8", format!("process {process} keeps {left:?} slots and queues, counts {counts:?}"));
            }
        }
        self.check_no_keys("in the end");
        let watched = self.sites.iter().position(|site| !site.watchers.is_empty());
        if let Some(server) = watched {
            self.violate("I8", format!("server {server} is still watched"));
        }
        let calls = self.figures.calls;
        if self.plan.calm {
            for server in 0..self.sites.len() {
                let requests = self.sites[server].requests;
                if requests != 2 * calls {
                    let text = format!("server {server} was sent {requests} requests for {calls} calls");
                    self.violate("I14", text);
                }
            }
        }
    }
}
