//! What servers do: requests, and telling of releases.

use std::time::Duration;

use super::clock::{MS, Time};
use super::heap_item::Next;
use super::history::History;
use super::plan::{Forgets, When};
use super::site::{Present, REAP};
use super::trace::told;
use crate::lock::Event;
use crate::node::{Command, Reply, Request, Sighting, Watch};

impl History {
    /// `None` where the server that was asked is no more.
    pub(crate) fn execute(&mut self, server: usize, run: u32, request: &Request) -> Option<Reply> {
        let now = self.now;
        let site = &mut self.sites[server];
        if !site.is_up || site.run != run {
            return None;
        }
        site.requests += 1;
        let wall = site.wall(now);
        let reply = site.server.run(wall, request);
        site.remember(now);
        self.trace.note(now, [5, server as u64, u64::from(request.tag.round)], || {
            format!("server {server} does {}: {reply:?}", told(request))
        });
        match request.command {
            Command::Acquire { .. } if matches!(reply, Reply::Voted { yes, .. } if yes != 0) => {
                self.sites[server].sets += 1;
                self.check_ghost(server, request);
                let nth = self.sites[server].sets;
                self.trigger(|when| matches!(when, When::Set { server: of, nth: n } if of == server && n == nth));
            }
            Command::Release => {
                self.sites[server].asks += 1;
                // A server out of memory cannot raise a fence.
                if self.sites[server].server.full == 0 {
                    self.sites[server].released.insert(*request.id.as_bytes());
                }
                let nth = self.sites[server].asks;
                self.trigger(|when| matches!(when, When::Asked { server: of, nth: n } if of == server && n == nth));
            }
            _ => {}
        }
        self.tell(server);
        Some(reply)
    }

    /// Who watches a key that was touched hears of it, once.
    pub(crate) fn tell(&mut self, server: usize) {
        let latency = self.plan.latency.clone();
        for key in std::mem::take(&mut self.sites[server].server.touched) {
            let Some(present) = self.sites[server].watchers.get_mut(&key) else { continue };
            let armed: Vec<Present> = present.iter().copied().filter(|present| present.armed).collect();
            present.iter_mut().for_each(|present| present.armed = false);
            for Present { process, epoch, .. } in armed {
                for node in 0..self.plan.config.nodes {
                    if self.plan.addresses[node] != server {
                        continue;
                    }
                    let now = self.now;
                    let link = self.link(process, node);
                    if link.watch_epoch == epoch && link.deaf == 0 {
                        let at = link.watch(now, &latency);
                        let sighting = Sighting::Freed { key: key.clone() };
                        self.push(at, Next::Sight { process, node, epoch, sighting });
                    }
                }
            }
        }
    }

    /// A request of a watcher arrives.
    pub(crate) fn watch(&mut self, process: usize, node: usize, epoch: u32, watch: Watch) {
        let server = self.plan.addresses[node];
        let (now, latency) = (self.now, self.plan.latency.clone());
        let link = self.link(process, node);
        if link.watch_epoch != epoch {
            return;
        }
        let (at, is_deaf) = (link.watch(now, &latency), link.deaf > 0);
        let site = &mut self.sites[server];
        if site.is_stopped {
            site.stash.push(Next::Watch { process, node, epoch, watch });
            return;
        }
        if !site.is_up {
            return;
        }
        site.expire(now);
        let wall = site.wall(now);
        let mine = |present: &&mut Present| present.process == process && present.epoch == epoch;
        let sighting = match watch {
            Watch::Arm(key) => {
                let present = site.watchers.entry(key.clone()).or_default();
                match present.iter_mut().find(mine) {
                    Some(present) => present.armed = true,
                    None => present.push(Present { process, epoch, armed: true }),
                }
                let others = u32::try_from(present.len() - 1).unwrap_or(u32::MAX);
                let entry = site.server.locks.get(&key);
                let expiry = entry.and_then(|entry| entry.expiry);
                let is_for_ever = entry.is_some() && expiry.is_none();
                let remaining = expiry.map(|expiry| Duration::from_millis(expiry - wall / 1000));
                if let Some(expiry) = expiry {
                    let at = site.clock.time_of_wall_ms(expiry + 1).max(now);
                    let late = self.rng.below(REAP);
                    self.push(at + late, Next::Reap { server });
                }
                (!is_for_ever).then_some(Sighting::Armed { key, remaining, others })
            }
            Watch::Count(key) => {
                let all = site.watchers.get(&key).map_or(&[][..], Vec::as_slice);
                let others = all.iter().filter(|present| present.process != process).count();
                Some(Sighting::Counted { key, others: u32::try_from(others).unwrap_or(u32::MAX) })
            }
            Watch::Drop(key) => {
                if let Some(present) = site.watchers.get_mut(&key) {
                    present.retain(|present| present.process != process || present.epoch != epoch);
                }
                site.watchers.retain(|_, present| !present.is_empty());
                None
            }
        };
        self.tell(server);
        if let Some(sighting) = sighting.filter(|_| !is_deaf) {
            self.push(at, Next::Sight { process, node, epoch, sighting });
        }
    }

    pub(crate) fn sight(&mut self, process: usize, node: usize, epoch: u32, sighting: Sighting) {
        if self.processes[process].is_alive && self.link(process, node).watch_epoch == epoch {
            self.trace.note(self.now, [6, process as u64, node as u64], || {
                format!("process {process} is told by node {node}: {sighting:?}")
            });
            self.step(process, Event::Sighted { node, sighting });
        }
    }

    /// The connection on which a process is told of releases is lost.
    pub(crate) fn lose_watch(&mut self, process: usize, node: usize) {
        let server = self.plan.addresses[node];
        let late = 20 * MS + self.rng.below(30 * MS);
        let link = self.link(process, node);
        link.watch_epoch += 1;
        link.is_watch_up = false;
        let epoch = link.watch_epoch;
        for present in self.sites[server].watchers.values_mut() {
            present.retain(|present| present.process != process || present.epoch >= epoch);
        }
        self.sites[server].watchers.retain(|_, present| !present.is_empty());
        self.push(self.now + late, Next::Rewatch { process, node, epoch });
    }

    pub(crate) fn rewatch(&mut self, process: usize, node: usize, epoch: u32) {
        let server = self.plan.addresses[node];
        let is_open = self.sites[server].is_up && !self.sites[server].is_stopped;
        let late = 20 * MS + self.rng.below(30 * MS);
        let now = self.now;
        let link = self.link(process, node);
        if link.watch_epoch != epoch || link.is_watch_up {
            return;
        }
        if !is_open || link.held_there + link.held_back > 0 {
            self.push(now + late, Next::Rewatch { process, node, epoch });
            return;
        }
        link.is_watch_up = true;
        if self.processes[process].is_alive {
            self.step(process, Event::Watching { node });
        }
    }

    pub(crate) fn reap(&mut self, server: usize) {
        if self.sites[server].is_up && !self.sites[server].is_stopped {
            let now = self.now;
            self.sites[server].expire(now);
            self.tell(server);
        }
    }

    /// A server is killed: everybody's connections end.
    pub(crate) fn kill(&mut self, server: usize, span: Time, forgets: Forgets) {
        self.sites[server].is_up = false;
        self.sites[server].is_stopped = false;
        self.sites[server].stash.clear();
        self.sites[server].watchers.clear();
        for node in (0..self.plan.config.nodes).filter(|node| self.plan.addresses[*node] == server).collect::<Vec<_>>()
        {
            for process in 0..self.processes.len() {
                self.cut(process, node, None);
                self.lose_watch(process, node);
            }
        }
        self.push(self.now + span.max(1), Next::Started { server, forgets });
    }

    pub(crate) fn start(&mut self, server: usize, forgets: Forgets) {
        let now = self.now;
        if !self.sites[server].is_up {
            self.sites[server].start(now, forgets);
            if self.is_healed {
                self.sites[server].evict_squatters();
            }
            self.trace.note(now, [7, server as u64, 0], || format!("server {server} starts: {forgets:?}"));
        }
    }
}
