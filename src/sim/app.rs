//! What users do with locks: they wait, hold, read and write, extend, change their minds, and release.

use super::call::{Hold, KEYS, Stage};
use super::heap_item::Next;
use super::history::History;
use super::plan::{Cancel, Regime, When};
use super::store::Write;
use super::trace::short;
use crate::lock::event::Notice;
use crate::lock::{Call, Event, Kind};
use std::time::Duration;

impl History {
    pub(crate) fn begin_call(&mut self, index: usize) {
        let process = self.calls.process(index);
        if !self.processes[process].is_alive {
            return;
        }
        self.figures.calls += 1;
        let place = &mut self.processes[process];
        let moment = place.look(self.now);
        let slot = place.core.reserve(place.client);
        place.calls.insert(slot, index);
        let first_step = place.steps;
        let order = self.calls.open(index);
        let call = &mut self.calls.list[index];
        (call.stage, call.slot, call.since, call.order) = (Stage::Waiting, slot, moment, order);
        (call.first_step, call.began) = (first_step, self.now);
        let (op, keys) = (call.op.clone(), call.keys.clone());
        let asked = Call { keys, ttl: op.ttl, renew: op.renew, once: op.once, retry: op.retry };
        self.trace.note(self.now, [10, process as u64, index as u64], || {
            format!("process {process} calls ({index}) for {:?}, {:?}, {:?}", asked.keys, op.ttl, op.retry.total)
        });
        self.step(process, Event::Acquire { slot, call: asked });
        if let Some(Cancel::After(span)) = op.cancel {
            self.push(self.now + span, Next::Cancel(index));
        }
    }

    pub(crate) fn cancel_call(&mut self, index: usize) {
        let call = &mut self.calls.list[index];
        if call.stage == Stage::Waiting {
            call.stage = Stage::Leaving;
            let (process, slot) = (call.op.process, call.slot);
            self.trace.note(self.now, [11, process as u64, index as u64], || format!("call {index} is given up"));
            self.step(process, Event::Cancel { slot });
        }
    }

    /// Calls that are given up at a step of their process, whichever that is.
    pub(crate) fn cancel_at_step(&mut self, process: usize) {
        let steps = self.processes[process].steps;
        for place in 0..self.calls.open.len() {
            let index = self.calls.open[place];
            let call = &mut self.calls.list[index];
            if call.op.process == process
                && call.stage == Stage::Waiting
                && let Some(Cancel::AtStep(step)) = call.op.cancel
                && steps >= call.first_step + step
            {
                call.op.cancel = None;
                self.push(self.now, Next::Cancel(index));
            }
        }
    }

    /// The JavaScript thread takes what has happened.
    pub(crate) fn collect(&mut self, process: usize, life: u32) {
        let place = &mut self.processes[process];
        if place.life != life || !place.is_alive {
            return;
        }
        place.is_called = false;
        let client = place.client;
        let moment = place.look(self.now);
        place.core.step(moment, &mut place.draws, Event::Seen { client });
        while let Some(notice) = self.processes[process].core.next_notice(client) {
            self.take(process, notice);
        }
        while self.processes[process].core.next_change(client).is_some() {}
        self.carry(process);
    }

    fn take(&mut self, process: usize, notice: Notice) {
        let Some(index) = self.processes[process].calls.get(&notice.slot).copied() else {
            self.violate("I8", format!("a notice for nobody: {notice:?}"));
            return;
        };
        let stage = self.calls.list[index].stage;
        self.trace.note(self.now, [12, process as u64, index as u64], || {
            format!("process {process} hears of call {index}: {:?}", notice.kind)
        });
        match notice.kind {
            Kind::Granted => {
                let place = &mut self.processes[process];
                let moment = place.look(self.now);
                let grant = place.core.accept(moment, &mut place.draws, notice);
                match grant {
                    // Nobody would give it back.
                    Some(_) if stage != Stage::Waiting => {
                        self.violate("I9", format!("call {index} was given up, and is granted"));
                    }
                    Some(grant) => self.hold(index, grant.id, grant.token),
                    None => {}
                }
            }
            Kind::Failed(verdict) => {
                let failure = self.processes[process].core.take_failure(notice.slot);
                self.check_failure(index, verdict, failure.as_ref());
                self.end_wait(index);
                if self.calls.list[index].is_probe {
                    self.violate("liveness", format!("call {index} is not granted, though nothing is wrong any more"));
                }
                self.calls.close(index);
            }
            Kind::Cancelled => self.calls.close(index),
            Kind::Released(_) => self.calls.close(index),
            Kind::Lost(_) => {
                if let Some(hold) = &mut self.calls.list[index].hold {
                    hold.is_lost = true;
                }
                if self.calls.list[index].op.looks && stage == Stage::Held {
                    self.release_call(index);
                }
            }
            _ => {}
        }
    }

    fn hold(&mut self, index: usize, id: crate::node::Id, token: u64) {
        self.end_wait(index);
        self.figures.grants += 1;
        let call = &mut self.calls.list[index];
        call.stage = Stage::Held;
        let (process, op) = (call.op.process, call.op.clone());
        let hold = Hold { id, read: None, is_lost: false, was_invalid: false, round: 0, gone: 0 };
        self.calls.hold(index, hold);
        self.trace.note(self.now, [13, index as u64, token], || {
            format!("call {index} holds by {}, token {token}", short(id))
        });
        self.check_order(index);
        self.check_turn(index, id);
        self.check_token(index, token);
        let key = op.keys.trailing_zeros() as u8;
        let read = self.store.read(key, token);
        if let Some(hold) = &mut self.calls.list[index].hold {
            hold.read = read;
        }
        self.push(self.now + op.hold, Next::Finish(index));
        if let Some((after, _)) = op.extend {
            self.push(self.now + after, Next::Extend(index));
        }
        self.processes[process].grants += 1;
        let nth = self.processes[process].grants;
        self.trigger(|when| matches!(when, When::Granted { process: of, nth: n } if of == process && n == nth));
    }

    pub(crate) fn is_valid(&mut self, index: usize) -> bool {
        let call = &self.calls.list[index];
        if call.stage != Stage::Held || call.hold.as_ref().is_none_or(|hold| hold.is_lost) {
            return false;
        }
        let (process, slot) = (call.op.process, call.slot);
        let place = &mut self.processes[process];
        let moment = place.look(self.now);
        place.core.remaining(moment, slot) > Duration::ZERO
    }

    pub(crate) fn extend_call(&mut self, index: usize) {
        let call = &self.calls.list[index];
        if call.stage == Stage::Held
            && let Some((_, ttl)) = call.op.extend
        {
            let (process, slot) = (call.op.process, call.slot);
            self.trace
                .note(self.now, [14, process as u64, index as u64], || format!("call {index} extends by {ttl:?}"));
            self.step(process, Event::Extend { slot, ttl });
        }
    }

    /// The work is done: it is written, and the lock is released.
    pub(crate) fn finish_call(&mut self, index: usize) {
        if self.calls.list[index].stage != Stage::Held {
            return;
        }
        let looks = self.calls.list[index].op.looks;
        let is_valid = self.is_valid(index);
        let read = self.calls.list[index].hold.as_ref().and_then(|hold| hold.read);
        if let Some(read) = read.filter(|_| is_valid || !looks) {
            let written = self.store.write(read);
            self.trace
                .note(self.now, [15, index as u64, written as u64], || format!("call {index} writes: {written:?}"));
            let key = KEYS[usize::from(read.key)];
            match (written, self.plan.config.fencing) {
                (Write::Overwritten, true) if self.plan.regime != Regime::Fenceless => {
                    self.violate("I11", format!("call {index} overwrites what another has written to {key}"));
                }
                (Write::Overwritten, false) if looks && self.plan.regime == Regime::Assumed => {
                    self.violate("I11", format!("call {index} has looked, and overwrites what another wrote to {key}"));
                }
                (Write::Overwritten, _) => self.figures.lost_updates += 1,
                (Write::Refused, _) => self.figures.refused_writes += 1,
                (Write::Done, _) => {}
            }
        }
        self.release_call(index);
    }

    fn release_call(&mut self, index: usize) {
        let call = &mut self.calls.list[index];
        call.stage = Stage::Releasing;
        let (process, slot) = (call.op.process, call.slot);
        self.end_turn(index);
        self.calls.forget(index);
        self.trace.note(self.now, [16, process as u64, index as u64], || format!("call {index} releases"));
        self.step(process, Event::Release { slot });
    }
}
