//! What goes from processes to servers and back.

use super::clock::{MS, Time};
use super::connecting::refused;
use super::heap_item::Next;
use super::history::History;
use super::link::Sent;
use super::trace::told;
use crate::lock::{Event, Status};
use crate::node::{Answer, Command, Fault, FaultCode, Reply, Request};

fn silent() -> Fault {
    Fault::new(FaultCode::Timeout, "no answer within the node timeout")
}

impl History {
    /// One step of a process' core, and what follows from it.
    pub(crate) fn step(&mut self, process: usize, event: Event) {
        let place = &mut self.processes[process];
        let moment = place.look(self.now);
        place.core.step(moment, &mut place.draws, event);
        place.steps += 1;
        self.carry(process);
    }

    /// What the core has to say goes on its way.
    pub(crate) fn carry(&mut self, process: usize) {
        for node in 0..self.plan.config.nodes {
            if self.processes[process].core.has_requests(node) {
                let mut requests = Vec::new();
                self.processes[process].core.take_requests(node, &mut requests);
                for request in requests {
                    self.send(process, node, request);
                }
            }
            if self.processes[process].core.has_watches(node) {
                for watch in self.processes[process].core.take_watches(node) {
                    if self.link(process, node).is_watch_up {
                        let (now, latency) = (self.now, self.plan.latency.clone());
                        let link = self.link(process, node);
                        let (at, epoch) = (link.watch(now, &latency), link.watch_epoch);
                        self.push(at, Next::Watch { process, node, epoch, watch });
                    }
                }
            }
        }
        self.arm(process);
    }

    /// Its timer, and its thread's turn.
    fn arm(&mut self, process: usize) {
        let place = &mut self.processes[process];
        let life = place.life;
        let at = place.clock.time_of(place.core.next_timer()).max(self.now);
        if at < place.timer {
            place.timer = at;
            // Timers are late, never early.
            let late = if self.rng.percent(20) { self.rng.below(MS) } else { 0 };
            self.push(at + late, Next::Timer { process, life, at });
        }
        let place = &mut self.processes[process];
        if place.core.has_news(place.client) && !place.is_called {
            place.is_called = true;
            let late = self.rng.below(self.plan.latency.thread * 1000 + 1);
            self.push(self.now + late, Next::Collect { process, life });
        }
        self.cancel_at_step(process);
    }

    pub(crate) fn ring(&mut self, process: usize, life: u32, at: Time) {
        let place = &mut self.processes[process];
        // Else it was set for an earlier time meanwhile.
        if place.life == life && place.is_alive && place.timer == at {
            place.timer = Time::MAX;
            self.step(process, Event::Tick);
        }
    }

    fn send(&mut self, process: usize, node: usize, request: Request) {
        self.figures.requests += 1;
        self.trace.note(self.now, [1, process as u64, node as u64], || {
            format!("process {process} -> node {node}: {}", told(&request))
        });
        if let Command::Extend { .. } = request.command {
            self.calls.note_extension(request.id, request.tag.round);
        }
        let (now, latency) = (self.now, self.plan.latency.clone());
        let moment = self.processes[process].look(now);
        let link = self.link(process, node);
        if !link.is_up {
            let answer = Answer { tag: request.tag, reply: Reply::fault(refused()) };
            self.step(process, Event::Answer { node, answer });
            return;
        }
        link.outstanding.push_back(Sent { at: moment, tag: request.tag, command: request.command, id: request.id });
        let (at, epoch, run) = (link.there(now, &latency), link.own_epoch, link.run);
        let duplicate = link.duplicate.take();
        let is_first = !std::mem::replace(&mut link.is_watched, true);
        if let Some(late) = duplicate {
            self.push(at + late + 1, Next::Ghost { node, run, request: request.clone() });
        }
        self.push(at, Next::Request { process, node, epoch, run, is_late: false, request });
        if is_first {
            let at = self.processes[process].clock.time_of(moment + self.plan.config.node_timeout);
            self.push(at, Next::Silence { process, node, epoch });
        }
    }

    pub(crate) fn arrive(
        &mut self,
        process: usize,
        node: usize,
        epoch: u32,
        (run, is_late): (u32, bool),
        request: Request,
    ) {
        let server = self.plan.addresses[node];
        let now = self.now;
        let link = self.link(process, node);
        if epoch != link.epoch {
            match link.fate(epoch, now) {
                Some(late) if late > 0 && !is_late => {
                    self.push(now + late, Next::Request { process, node, epoch, run, is_late: true, request });
                }
                Some(_) => self.haunt(node, run, &request),
                None if is_late => self.haunt(node, run, &request),
                None => {}
            }
            return;
        }
        let next = Next::Request { process, node, epoch, run, is_late, request };
        if link.held_there > 0 {
            link.stash.push(next);
            return;
        }
        if self.sites[server].is_stopped {
            self.sites[server].stash.push(next);
            return;
        }
        let Next::Request { request, .. } = next else { return };
        if let Some(reply) = self.execute(server, run, &request) {
            let latency = self.plan.latency.clone();
            let at = self.link(process, node).back(now, &latency);
            let answer = Answer { tag: request.tag, reply };
            self.push(at, Next::Answer { process, node, epoch, answer });
        }
    }

    /// It is done, but nobody hears of it.
    pub(crate) fn haunt(&mut self, node: usize, run: u32, request: &Request) {
        let server = self.plan.addresses[node];
        if self.sites[server].is_stopped {
            let next = Next::Ghost { node, run, request: request.clone() };
            self.sites[server].stash.push(next);
        } else {
            self.execute(server, run, request);
        }
    }

    pub(crate) fn hear(&mut self, process: usize, node: usize, epoch: u32, answer: Answer) {
        let now = self.now;
        let moment = self.processes[process].look(now);
        let link = self.link(process, node);
        if epoch != link.own_epoch || !link.is_up || epoch != link.epoch {
            return;
        }
        if link.held_back > 0 {
            link.stash.push(Next::Answer { process, node, epoch, answer });
            return;
        }
        let sent = link.outstanding.pop_front();
        let oldest = link.outstanding.front().map(|sent| sent.at);
        self.trace.note(now, [2, process as u64, node as u64], || {
            format!("process {process} <- node {node}: {:?}", answer.reply)
        });
        let reply = answer.reply.clone();
        self.step(process, Event::Answer { node, answer });
        if let Some(sent) = sent {
            self.excuse_late(moment.since(sent.at), &sent);
            self.check_gone(process, node, &sent, &reply);
        }
        let timeout = self.plan.config.node_timeout;
        let link = self.link(process, node);
        if link.silent.is_some() && oldest.is_none_or(|at| moment.since(at) < timeout) {
            link.silent = None;
            self.step(process, Event::Node { node, status: Status::Back });
        }
    }

    pub(crate) fn look_for_silence(&mut self, process: usize, node: usize, epoch: u32) {
        let moment = self.processes[process].look(self.now);
        let (node_timeout, connect_timeout) = (self.plan.config.node_timeout, self.plan.config.connect_timeout);
        let link = self.link(process, node);
        if epoch != link.own_epoch || !link.is_up {
            return;
        }
        let Some(oldest) = link.outstanding.front().map(|sent| sent.at) else {
            link.is_watched = false;
            return;
        };
        let mut check = oldest + node_timeout;
        if moment >= check {
            match link.silent {
                None => {
                    link.silent = Some(moment);
                    check = moment + connect_timeout;
                    self.step(process, Event::Node { node, status: Status::Down(silent()) });
                }
                Some(since) if moment >= since + connect_timeout => {
                    let now = self.now;
                    self.link(process, node).bury(now, Some(0));
                    self.lose_link(process, node, epoch);
                    return;
                }
                Some(since) => check = since + connect_timeout,
            }
        }
        let at = self.processes[process].clock.time_of(check).max(self.now + 1);
        self.push(at, Next::Silence { process, node, epoch });
    }
}
