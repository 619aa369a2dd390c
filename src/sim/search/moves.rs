//! What can happen next.

use std::time::Duration;

use super::world::{CLIENTS, KEY, NODES, Parcel, Stage, TTL, World};
use crate::lock::{Call, Event, Retry, Status};
use crate::node::{Answer, Command, Fault, FaultCode, Keys, Moment};
use crate::sim::server::Server;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Acquire(usize),
    Extend(usize),
    Release(usize),
    /// A request arrives: the first, second or later of those that are on their way.
    Request(usize),
    /// It arrives, and will once more.
    Double(usize),
    Answer(usize),
    /// Time passes until a client's timer, and that client hears of it.
    Tick(usize),
    /// Time passes until the next key has expired, and nobody hears of it.
    Expire,
    /// A server restarts empty; the clients are connected again at once.
    Restart(usize),
}

impl World {
    pub(crate) fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for client in 0..CLIENTS {
            match self.clients[client].stage {
                Stage::Idle if self.budgets.acquires[client] > 0 && self.is_fresh[client] => {
                    moves.push(Move::Acquire(client));
                }
                Stage::Holds(_) if self.is_fresh[client] => {
                    if self.budgets.releases > 0 {
                        moves.push(Move::Release(client));
                    }
                    if self.budgets.extends > 0 {
                        moves.push(Move::Extend(client));
                    }
                }
                _ => {}
            }
            if self.budgets.ticks > 0 && self.clients[client].core.next_timer() != Moment::NEVER {
                moves.push(Move::Tick(client));
            }
        }
        let next = |index: &usize| self.requests[*index].node <= self.touched;
        moves.extend((0..self.requests.len()).filter(next).map(Move::Request));
        if self.budgets.duplicates > 0 {
            moves.extend((0..self.requests.len()).filter(next).map(Move::Double));
        }
        moves.extend((0..self.answers.len()).map(Move::Answer));
        if self.budgets.expiries > 0 && self.next_expiry().is_some() {
            moves.push(Move::Expire);
        }
        if self.budgets.restarts > 0 {
            moves.extend((0..NODES).filter(|node| !self.servers[*node].locks.is_empty()).map(Move::Restart));
        }
        moves
    }

    fn next_expiry(&self) -> Option<u64> {
        self.servers.iter().filter_map(|server| server.holder(KEY)).map(|(_, expiry)| expiry).min()
    }

    pub(crate) fn make(&mut self, step: Move) {
        let before = self.clients.each_ref().map(|client| client.stage);
        match step {
            Move::Tick(_) | Move::Expire | Move::Restart(_) => self.is_fresh = [true; CLIENTS],
            Move::Acquire(_) | Move::Extend(_) | Move::Release(_) => {}
            _ => self.is_fresh = [false; CLIENTS],
        }
        self.carry_out(step);
        for (client, before) in before.into_iter().enumerate() {
            self.is_fresh[client] |= self.clients[client].stage != before;
        }
        self.prune();
        self.check();
    }

    fn carry_out(&mut self, step: Move) {
        match step {
            Move::Acquire(client) => {
                self.budgets.acquires[client] -= 1;
                let place = &mut self.clients[client];
                let slot = place.core.reserve(0);
                place.stage = Stage::Waits(slot);
                let call = Call { keys: Keys::one(KEY), ttl: TTL, renew: false, once: true, retry: Retry::ONCE };
                self.step(client, Event::Acquire { slot, call });
            }
            Move::Extend(client) => {
                self.budgets.extends -= 1;
                if let Stage::Holds(slot) = self.clients[client].stage {
                    self.step(client, Event::Extend { slot, ttl: TTL });
                }
            }
            Move::Release(client) => {
                self.budgets.releases -= 1;
                if let Stage::Holds(slot) = self.clients[client].stage {
                    self.clients[client].stage = Stage::Releases(slot);
                    self.step(client, Event::Release { slot });
                }
            }
            Move::Request(index) => self.arrive(index, true),
            Move::Double(index) => {
                self.budgets.duplicates -= 1;
                self.arrive(index, false);
            }
            Move::Answer(index) => {
                let Parcel { client, node, what } = self.answers.remove(index);
                self.step(client, Event::Answer { node, answer: what });
            }
            Move::Tick(client) => {
                self.budgets.ticks -= 1;
                self.now = self.now.max(self.clients[client].core.next_timer());
                self.step(client, Event::Tick);
            }
            Move::Expire => {
                self.budgets.expiries -= 1;
                self.expire();
            }
            Move::Restart(node) => self.restart(node),
        }
    }

    fn arrive(&mut self, index: usize, is_last: bool) {
        let parcel = if is_last { self.requests.remove(index) } else { self.requests[index].clone() };
        let Parcel { client, node, what } = parcel;
        self.touched = self.touched.max(node + 1);
        let wall = self.wall();
        let reply = self.servers[node].run(wall, &what);
        self.servers[node].touched.clear();
        // Of a release nobody need hear; of what arrives twice nobody hears twice.
        if is_last && what.command != Command::Release {
            self.answers.push(Parcel { client, node, what: Answer { tag: what.tag, reply } });
        }
    }

    fn expire(&mut self) {
        let Some(expiry) = self.next_expiry() else { return };
        let begin = self.wall() - self.now.as_nanos() / 1000;
        let micros = (expiry + 1) * 1000 - begin;
        self.now = self.now.max(Moment::from_nanos(micros * 1000));
        let wall = self.wall();
        for server in &mut self.servers {
            server.expire(wall);
            server.touched.clear();
        }
    }

    fn restart(&mut self, node: usize) {
        self.budgets.restarts -= 1;
        self.servers[node] = Server::new(self.servers[node].mutant);
        self.runs[node] += 1;
        // Its connections have ended, with all that was on its way.
        self.requests.retain(|parcel| parcel.node != node);
        self.answers.retain(|parcel| parcel.node != node);
        for client in 0..CLIENTS {
            let fault = Fault::new(FaultCode::Connect, "restarted");
            self.step(client, Event::Node { node, status: Status::Down(fault) });
            self.greet(client, node, Duration::ZERO);
        }
    }
}
