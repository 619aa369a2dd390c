//! How the connections of processes to servers come and go.

use super::clock::{SECOND, Time};
use super::heap_item::Next;
use super::history::History;
use super::link::RECONNECT;
use super::site::RECONNECT_MAX;
use crate::lock::{Event, Status};
use crate::node::{Answer, Fault, FaultCode, Identity, Reply};

pub(super) fn refused() -> Fault {
    Fault::new(FaultCode::Connect, "the link is broken")
}

impl History {
    /// The network breaks the link; the process hears of it later.
    pub(crate) fn cut(&mut self, process: usize, node: usize, late: Option<Time>) {
        let (now, latency) = (self.now, self.plan.latency.clone());
        let link = self.link(process, node);
        let epoch = link.epoch;
        link.bury(now, late);
        let at = now + link.span(&latency);
        self.push(at, Next::Broken { process, node, epoch });
    }

    pub(crate) fn lose_link(&mut self, process: usize, node: usize, epoch: u32) {
        let link = self.link(process, node);
        if !link.is_up || epoch != link.own_epoch {
            return;
        }
        link.is_up = false;
        link.silent = None;
        link.is_watched = false;
        let outstanding = std::mem::take(&mut link.outstanding);
        self.trace.note(self.now, [3, process as u64, node as u64], || format!("process {process} has lost {node}"));
        self.step(process, Event::Node { node, status: Status::Down(refused()) });
        for sent in outstanding {
            let answer = Answer { tag: sent.tag, reply: Reply::fault(refused()) };
            self.step(process, Event::Answer { node, answer });
        }
        self.reconnect(process, node);
    }

    /// Another try, later.
    pub(crate) fn reconnect(&mut self, process: usize, node: usize) {
        let life = self.processes[process].life;
        let link = self.link(process, node);
        let delay = link.delay;
        link.delay = (delay * 2).min(RECONNECT_MAX);
        let at = self.now + delay / 2 + self.rng.below(delay / 2 + 1);
        self.push(at, Next::Connect { process, node, life });
    }

    pub(crate) fn connect(&mut self, process: usize, node: usize, life: u32) {
        let server = self.plan.addresses[node];
        let place = &self.processes[process];
        if place.life != life || !place.is_alive {
            return;
        }
        let is_open = self.sites[server].is_up && !self.sites[server].is_stopped;
        let (now, latency) = (self.now, self.plan.latency.clone());
        let timeout = self.plan.config.connect_timeout.as_nanos() as u64;
        let identity = self.sites[server].identity(now, server);
        let run = self.sites[server].run;
        let link = self.link(process, node);
        if link.is_up {
            return;
        }
        let is_held = link.held_there + link.held_back > 0;
        if is_open && !is_held {
            let (epoch, at) = (link.epoch, link.there(now, &latency) + link.span(&latency));
            link.run = run;
            self.push(at, Next::Greeted { process, node, epoch, life, identity });
        } else {
            self.step(process, Event::Node { node, status: Status::Down(refused()) });
            if self.sites[server].is_up {
                self.push(now + timeout.min(SECOND), Next::Connect { process, node, life });
            } else {
                self.reconnect(process, node);
            }
        }
    }

    pub(crate) fn greet(&mut self, process: usize, node: usize, (epoch, life): (u32, u32), identity: Identity) {
        let place = &self.processes[process];
        if place.life != life || !place.is_alive {
            return;
        }
        let link = self.link(process, node);
        if link.epoch != epoch || link.is_up {
            if !link.is_up {
                self.reconnect(process, node);
            }
            return;
        }
        link.is_up = true;
        link.own_epoch = epoch;
        link.delay = RECONNECT;
        link.outstanding.clear();
        self.trace.note(self.now, [4, process as u64, node as u64], || {
            format!("process {process} has reached node {node}: {identity:?}")
        });
        self.step(process, Event::Node { node, status: Status::Up(identity) });
    }
}
