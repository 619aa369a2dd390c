//! The users' calls: where each stands, and what it holds.

use std::collections::BTreeMap;

use super::clock::Time;
use super::plan::Op;
use super::store::Read;
use crate::lock::Slot;
use crate::node::{Id, Keys, Moment};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Idle,
    Waiting,
    /// It was given up; the last word on it is on its way.
    Leaving,
    Held,
    Releasing,
    Over,
}

/// What the holder of a lock has.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) id: Id,
    pub(crate) read: Option<Read>,
    /// It has been told that the lock is lost.
    pub(crate) is_lost: bool,
    /// It was seen not to be valid.
    pub(crate) was_invalid: bool,
    /// The latest extension that was sent, and which nodes have said that they do not hold the lock.
    pub(crate) round: u32,
    pub(crate) gone: u16,
}

pub(crate) struct Call {
    pub(crate) op: Op,
    pub(crate) keys: Keys,
    pub(crate) stage: Stage,
    pub(crate) slot: Slot,
    pub(crate) since: Moment,
    pub(crate) began: Time,
    /// Its place in the order of its process.
    pub(crate) order: u64,
    pub(crate) first_step: u32,
    pub(crate) hold: Option<Hold>,
    /// It must be granted.
    pub(crate) is_probe: bool,
}

#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) list: Vec<Call>,
    /// Who waits or holds: few at any time.
    pub(crate) open: Vec<usize>,
    order: u64,
    /// Which call an id belongs to, while it holds.
    by_id: BTreeMap<[u8; 16], usize>,
    has_many: bool,
}

pub(crate) const KEYS: [&str; 3] = ["a", "b", "c"];

pub(crate) fn keys(mask: u8) -> Keys {
    Keys::many((0..KEYS.len()).filter(|key| mask >> key & 1 == 1).map(|key| KEYS[key].into()).collect())
}

impl Calls {
    pub(crate) fn new(ops: &[Op]) -> Self {
        let mut calls = Self::default();
        ops.iter().for_each(|op| {
            calls.add(op.clone(), false);
        });
        calls
    }

    pub(crate) fn add(&mut self, op: Op, is_probe: bool) -> usize {
        self.has_many |= op.keys.count_ones() > 1;
        self.list.push(Call {
            keys: keys(op.keys),
            op,
            stage: Stage::Idle,
            slot: 0,
            since: Moment::default(),
            began: 0,
            order: 0,
            first_step: 0,
            hold: None,
            is_probe,
        });
        self.list.len() - 1
    }

    pub(crate) fn process(&self, call: usize) -> usize {
        self.list[call].op.process
    }

    /// Some call is for several keys.
    pub(crate) fn have_many(&self) -> bool {
        self.has_many
    }

    pub(crate) fn open(&mut self, call: usize) -> u64 {
        self.open.push(call);
        self.order += 1;
        self.order
    }

    pub(crate) fn close(&mut self, call: usize) {
        self.list[call].stage = Stage::Over;
        self.open.retain(|other| *other != call);
        self.forget(call);
    }

    /// It holds nothing any more.
    pub(crate) fn forget(&mut self, call: usize) {
        if let Some(hold) = self.list[call].hold.take() {
            let owner = self.by_id.get(hold.id.as_bytes());
            if owner == Some(&call) {
                self.by_id.remove(hold.id.as_bytes());
            }
        }
    }

    pub(crate) fn hold(&mut self, call: usize, hold: Hold) {
        self.by_id.insert(*hold.id.as_bytes(), call);
        self.list[call].hold = Some(hold);
    }

    pub(crate) fn holder(&mut self, id: Id) -> Option<(usize, &mut Hold)> {
        let call = *self.by_id.get(id.as_bytes())?;
        self.list[call].hold.as_mut().map(|hold| (call, hold))
    }

    pub(crate) fn note_extension(&mut self, id: Id, round: u32) {
        if let Some((_, hold)) = self.holder(id)
            && hold.round != round
        {
            (hold.round, hold.gone) = (round, 0);
        }
    }

    pub(crate) fn held(&self) -> impl Iterator<Item = (usize, &Call, &Hold)> {
        self.open.iter().filter_map(|index| {
            let call = &self.list[*index];
            let hold = call.hold.as_ref().filter(|_| call.stage == Stage::Held)?;
            Some((*index, call, hold))
        })
    }
}
