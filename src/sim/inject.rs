//! Faults begin and end.

use super::call::{KEYS, Stage};
use super::clock::Time;
use super::heap_item::Next;
use super::history::History;
use super::link::RECONNECT;
use super::plan::{Span, What, When};
use super::process::Process;
use super::server::Value;

impl History {
    pub(crate) fn trigger(&mut self, is_now: impl Fn(When) -> bool) {
        for index in 0..self.begun.len() {
            if !self.begun[index] && is_now(self.plan.faults[index].when) {
                self.push(self.now, Next::Fault(index));
            }
        }
    }

    pub(crate) fn inject(&mut self, index: usize) {
        let what = self.plan.faults[index].what;
        if self.is_healed || !self.is_allowed(what) || std::mem::replace(&mut self.begun[index], true) {
            return;
        }
        self.figures.faults[what.kind()] += 1;
        self.trace.note(self.now, [20, index as u64, 0], || format!("fault: {what:?}"));
        let now = self.now;
        let over = |span: Time| (now + span.max(1), Next::Mend(index));
        let mend = match what {
            What::Pause { process, span } => {
                let span = self.pause_span(process, span);
                let place = &mut self.processes[process];
                (place.is_paused, place.disturbed) = (true, now);
                Some(over(span))
            }
            What::Stall { process, span } => {
                let place = &mut self.processes[process];
                (place.is_stalled, place.disturbed) = (true, now);
                Some(over(span))
            }
            What::Crash { process, span } => {
                self.crash(process);
                Some(over(span))
            }
            What::Stop { server, span } => {
                self.sites[server].is_stopped = self.sites[server].is_up;
                Some(over(span))
            }
            What::Restart { server, span, forgets } => {
                if self.sites[server].is_up {
                    self.kill(server, span, forgets);
                }
                None
            }
            What::Cut { process, node, arrives, late } => {
                self.cut(process, node, arrives.then_some(late));
                None
            }
            What::Hold { process, node, there, back, span } => {
                let link = self.link(process, node);
                link.held_there += u32::from(there);
                link.held_back += u32::from(back);
                Some(over(span))
            }
            What::Duplicate { process, node, late } => {
                self.link(process, node).duplicate = Some(late);
                None
            }
            What::Deafen { process, node, span } => {
                self.link(process, node).deaf += 1;
                Some(over(span))
            }
            What::Unwatch { process, node } => {
                self.lose_watch(process, node);
                None
            }
            What::Fill { server, span } => {
                self.sites[server].server.full += 1;
                Some(over(span))
            }
            What::Jump { server, ms } => {
                self.sites[server].clock.wall += ms * 1000;
                self.reap(server);
                None
            }
            What::Flush { server, fences } => {
                self.sites[server].server.flush(fences);
                self.tell(server);
                None
            }
            What::Squat { server, key, ms } => {
                let key = KEYS[usize::from(key)].into();
                let site = &mut self.sites[server];
                site.expire(now);
                let expiry = ms.map(|ms| site.wall(now) / 1000 + ms);
                if !site.server.locks.contains_key(&key) {
                    site.server.set(&key, Value::Text("another's".to_owned()), expiry);
                    self.tell(server);
                }
                None
            }
        };
        if let Some((at, next)) = mend {
            self.push(at, next);
        }
    }

    /// Until the end of what it holds, or so.
    fn pause_span(&mut self, process: usize, span: Span) -> Time {
        let past = match span {
            Span::For(span) => return span,
            Span::PastDeadline(past) => past,
        };
        let place = &mut self.processes[process];
        let moment = place.look(self.now);
        let held = self.calls.held().filter(|(_, call, _)| call.op.process == process);
        let last = held.map(|(_, call, _)| place.core.remaining(moment, call.slot)).max();
        let deadline = last.map_or(self.now, |left| place.clock.time_of(moment + left));
        deadline.saturating_add_signed(past).saturating_sub(self.now)
    }

    pub(crate) fn mend(&mut self, index: usize) {
        if !self.begun[index] {
            return;
        }
        let what = self.plan.faults[index].what;
        self.trace.note(self.now, [21, index as u64, 0], || format!("over: {what:?}"));
        match what {
            What::Pause { process, .. } => self.resume(process),
            What::Stall { process, .. } => self.unblock(process),
            What::Crash { process, .. } => self.revive(process),
            What::Stop { server, .. } => self.proceed(server),
            What::Hold { process, node, there, back, .. } => {
                let link = self.link(process, node);
                link.held_there = link.held_there.saturating_sub(u32::from(there));
                link.held_back = link.held_back.saturating_sub(u32::from(back));
                self.free_link(process, node);
            }
            What::Deafen { process, node, .. } => {
                let link = self.link(process, node);
                link.deaf = link.deaf.saturating_sub(1);
            }
            What::Fill { server, .. } => {
                let full = &mut self.sites[server].server.full;
                *full = full.saturating_sub(1);
            }
            _ => {}
        }
    }

    /// The threads of the process go on, in whatever order.
    pub(super) fn resume(&mut self, process: usize) {
        let now = self.now;
        let place = &mut self.processes[process];
        if !std::mem::take(&mut place.is_paused) {
            return;
        }
        place.disturbed = now;
        let stash = std::mem::take(&mut place.stash);
        let is_thread = |next: &Next| !matches!(next.process(), Some((_, false)));
        let (mut thread, mut network): (Vec<_>, Vec<_>) = stash.into_iter().partition(is_thread);
        thread.reverse();
        network.reverse();
        let share = self.rng.pick(&[0, 50, 100]);
        while self.violation.is_none() {
            let of_thread = network.is_empty() || (!thread.is_empty() && self.rng.percent(share));
            let Some(next) = (if of_thread { thread.pop() } else { network.pop() }) else { return };
            self.happen(next);
            self.check();
        }
    }

    pub(super) fn unblock(&mut self, process: usize) {
        let now = self.now;
        let place = &mut self.processes[process];
        place.is_stalled = false;
        place.disturbed = now;
        for next in std::mem::take(&mut place.thread_stash) {
            self.happen(next);
            self.check();
        }
    }

    pub(super) fn proceed(&mut self, server: usize) {
        self.sites[server].is_stopped = false;
        for next in std::mem::take(&mut self.sites[server].stash) {
            self.happen(next);
        }
    }

    pub(super) fn free_link(&mut self, process: usize, node: usize) {
        for next in std::mem::take(&mut self.link(process, node).stash) {
            self.happen(next);
        }
    }

    fn crash(&mut self, process: usize) {
        let place = &mut self.processes[process];
        if !place.is_alive {
            return;
        }
        place.is_alive = false;
        (place.is_paused, place.is_stalled) = (false, false);
        (place.stash, place.thread_stash) = (Vec::new(), Vec::new());
        place.calls.clear();
        let lost: Vec<usize> =
            self.calls.open.iter().copied().filter(|call| self.calls.process(*call) == process).collect();
        lost.into_iter().for_each(|call| self.calls.close(call));
        let arrives = self.rng.percent(70).then_some(0);
        for node in 0..self.plan.config.nodes {
            self.cut(process, node, arrives);
            self.lose_watch(process, node);
            let link = self.link(process, node);
            link.is_up = false;
            link.outstanding.clear();
            (link.silent, link.is_watched, link.delay) = (None, false, RECONNECT);
        }
    }

    /// Another process in its place, which knows nothing.
    pub(super) fn revive(&mut self, process: usize) {
        let place = &self.processes[process];
        if place.is_alive {
            return;
        }
        let life = place.life + 1;
        let clock = place.clock.clone();
        self.processes[process] =
            Process::new(&self.plan.config, &clock, life, self.plan.seed, process as u64, self.now);
        self.processes[process].disturbed = self.now;
        for node in 0..self.plan.config.nodes {
            self.push(self.now, Next::Connect { process, node, life });
        }
    }

    /// Somebody waits for the key, of whom it is known that nothing keeps him.
    pub(crate) fn is_wanted(&self, mask: u8) -> bool {
        self.calls.open.iter().any(|index| {
            let call = &self.calls.list[*index];
            let place = &self.processes[call.op.process];
            call.stage == Stage::Waiting && call.op.keys == mask && !place.is_paused && !place.is_stalled
        })
    }
}
