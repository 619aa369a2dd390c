//! What may happen next.

use super::{KEY, LONG, Stage, World, call};
use crate::lock::Event;
use crate::node::Moment;

#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Move {
    Ask(usize),
    Cancel(usize),
    Release(usize),
    /// The node answers what was sent first.
    Deliver,
    /// It does what was asked, but nobody hears of it.
    Silence,
    /// The key is deleted.
    Vanish,
    /// JavaScript takes its notices.
    Take,
    Tick,
    Leap,
}

impl World {
    pub(in super::super) fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for (index, stage) in self.calls.iter().enumerate() {
            match stage {
                // In this order only: the calls differ in what they ask for, not in who they are.
                Stage::Idle if index == 0 || self.calls[index - 1] != Stage::Idle => moves.push(Move::Ask(index)),
                Stage::Waits(..) if self.budgets.cancels > 0 => moves.push(Move::Cancel(index)),
                Stage::Holds(_) => moves.push(Move::Release(index)),
                _ => {}
            }
        }
        if !self.wire.is_empty() {
            moves.push(Move::Deliver);
            if self.budgets.silences > 0 {
                moves.push(Move::Silence);
            }
        }
        if self.core.has_news(0) {
            moves.push(Move::Take);
        }
        if self.budgets.vanishes > 0 && self.node.holder(self.now, KEY).is_some() {
            moves.push(Move::Vanish);
        }
        if self.budgets.ticks > 0 && self.core.next_timer() != Moment::NEVER {
            moves.push(Move::Tick);
        }
        if self.budgets.leaps > 0 && self.calls.iter().any(|stage| matches!(stage, Stage::Holds(_))) {
            moves.push(Move::Leap);
        }
        moves
    }

    pub(in super::super) fn make(&mut self, step: Move) {
        match step {
            Move::Ask(index) => {
                let slot = self.core.reserve(0);
                self.calls[index] = Stage::Waits(slot, self.now);
                self.step(Event::Acquire { slot, call: call(index) });
            }
            Move::Cancel(index) => {
                self.budgets.cancels -= 1;
                if let Stage::Waits(slot, _) = self.calls[index] {
                    self.calls[index] = Stage::Releases(slot);
                    self.step(Event::Cancel { slot });
                }
            }
            Move::Release(index) => self.release(index),
            Move::Deliver => self.deliver(true),
            Move::Silence => {
                self.budgets.silences -= 1;
                self.deliver(false);
            }
            Move::Vanish => {
                self.budgets.vanishes -= 1;
                self.node.restart_empty();
                self.free();
            }
            Move::Take => self.take(),
            Move::Tick => {
                self.budgets.ticks -= 1;
                self.tick();
            }
            Move::Leap => {
                self.budgets.leaps -= 1;
                self.now = self.now + LONG;
            }
        }
    }

    pub(super) fn release(&mut self, index: usize) {
        if let Stage::Holds(slot) = self.calls[index] {
            self.calls[index] = Stage::Releases(slot);
            self.step(Event::Release { slot });
        }
    }
}
