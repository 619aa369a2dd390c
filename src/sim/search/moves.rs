//! What can happen next.

use super::client::Deed;
use super::scope::PAUSE;
use super::state::{CLIENTS, NODES, Pools, Stage, World};
use crate::node::Moment;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Acquire(usize),
    Extend(usize),
    Release(usize),
    /// The holder hands the lock on, to another call of its own process.
    HandOver(usize),
    /// A request arrives: the first, second or later of those that are on their way.
    Request(usize),
    /// It arrives, and is answered, and will once more.
    Double(usize),
    Answer(usize),
    /// Time passes until a client's timer, and that client hears of it.
    Tick(usize),
    /// Time passes until the next key has expired, and nobody hears of it.
    Expire,
    /// Time passes, and nobody hears of it.
    Pause,
    /// A server restarts empty; the clients are connected again at once.
    Restart(usize),
}

impl World {
    pub(super) fn moves(&self) -> Vec<Move> {
        let budgets = &self.rest.budgets;
        let mut moves = Vec::new();
        for client in 0..CLIENTS {
            match self.rest.stages[client] {
                Stage::Idle if self.may_acquire(client) => moves.push(Move::Acquire(client)),
                Stage::Holds(_) if self.rest.are_fresh[client] => {
                    if budgets.releases > 0 {
                        moves.push(Move::Release(client));
                    }
                    if budgets.extends > 0 {
                        moves.push(Move::Extend(client));
                    }
                    if budgets.handovers > 0 {
                        moves.push(Move::HandOver(client));
                    }
                }
                _ => {}
            }
            if budgets.ticks > 0 && self.clients[client].next_timer() != Moment::NEVER {
                moves.push(Move::Tick(client));
            }
        }
        moves.extend((0..self.requests.len()).map(Move::Request));
        if budgets.duplicates > 0 {
            moves.extend((0..self.requests.len()).map(Move::Double));
        }
        moves.extend((0..self.answers.len()).map(Move::Answer));
        if budgets.expiries > 0 && self.next_expiry().is_some() {
            moves.push(Move::Expire);
        }
        if budgets.pauses > 0 {
            moves.push(Move::Pause);
        }
        if budgets.restarts > 0 {
            moves.extend((0..NODES).map(Move::Restart));
        }
        moves
    }

    fn may_acquire(&self, client: usize) -> bool {
        let rest = &self.rest;
        let is_there = client == 0 || !(rest.are_alike || rest.is_to_come);
        rest.budgets.acquires[client] > 0 && rest.are_fresh[client] && is_there
    }

    pub(super) fn make(&mut self, step: Move, pools: &Pools) {
        let before = self.rest.now;
        let answered = if let Move::Answer(index) = step { Some(self.answers[index].1.client) } else { None };
        self.carry_out(step, pools);
        // A call comes to the same whether it is made before or after a request arrives anywhere, or before or after
        // what happens to the other client at the same time: what it sends may be late. So it is made before. Only when
        // something has happened to its own client, or time has passed, may it come to something else.
        for (client, is_fresh) in self.rest.are_fresh.iter_mut().enumerate() {
            *is_fresh = match step {
                Move::Acquire(_) | Move::Extend(_) | Move::Release(_) | Move::HandOver(_) => *is_fresh,
                Move::Request(_) | Move::Double(_) => false,
                Move::Answer(_) => answered == Some(client),
                Move::Tick(of) => of == client || self.rest.now != before,
                Move::Expire | Move::Pause | Move::Restart(_) => true,
            };
        }
        self.prune();
        self.check();
    }

    fn carry_out(&mut self, step: Move, pools: &Pools) {
        match step {
            Move::Acquire(client) => {
                self.rest.budgets.acquires[client] -= 1;
                (self.rest.are_alike, self.rest.are_extended[client]) = (false, false);
                self.rest.homes[client] = None;
                self.act(client, Deed::Acquire, pools);
            }
            Move::Extend(client) => {
                self.rest.budgets.extends -= 1;
                self.rest.are_extended[client] = true;
                if let Stage::Holds(slot) = self.rest.stages[client] {
                    self.act(client, Deed::Extend(slot), pools);
                }
            }
            Move::Release(client) => {
                self.rest.budgets.releases -= 1;
                if let Stage::Holds(slot) = self.rest.stages[client] {
                    self.act(client, Deed::Release(slot), pools);
                }
            }
            Move::HandOver(client) => {
                self.rest.budgets.handovers -= 1;
                if let Stage::Holds(slot) = self.rest.stages[client] {
                    self.rest.homes[client].get_or_insert(slot);
                    self.act(client, Deed::HandOver(slot), pools);
                }
            }
            Move::Request(index) => {
                let (node, message) = self.requests.remove(index);
                self.arrive(node, &message, pools);
            }
            Move::Double(index) => {
                self.rest.budgets.duplicates -= 1;
                let (node, message) = self.requests[index].clone();
                self.arrive(node, &message, pools);
            }
            Move::Answer(index) => {
                let (node, message) = self.answers.remove(index);
                self.act(message.client, Deed::Answer(node, &message.what), pools);
            }
            Move::Tick(client) => {
                self.rest.budgets.ticks -= 1;
                self.pass(self.clients[client].next_timer(), pools);
                self.act(client, Deed::Tick, pools);
            }
            Move::Expire => {
                self.rest.budgets.expiries -= 1;
                self.pass(self.after_expiry().unwrap_or(self.rest.now), pools);
            }
            Move::Pause => {
                self.rest.budgets.pauses -= 1;
                self.pass(self.rest.now + PAUSE, pools);
            }
            Move::Restart(node) => {
                self.rest.budgets.restarts -= 1;
                self.restart(node, pools);
            }
        }
    }
}
