//! What a move does to a state.

use super::client::Deed;
use super::kept::Kept;
use super::state::{Broken, CLIENTS, KEY, Message, Pools, Stage, World, wall};
use crate::node::{Answer, Command, Fault, FaultCode, Id, Moment, Reply, Request, Tag};
use crate::sim::server::Server;

pub(super) fn is_acquire_of(request: &Request, id: Id) -> bool {
    request.id == id && matches!(request.command, Command::Acquire { .. })
}

impl World {
    /// Something happens to a client. What it has to say goes on its way.
    pub(super) fn act(&mut self, client: usize, deed: Deed<'_>, pools: &Pools) {
        let acted = self.clients[client].act(client, self.rest.now, deed, pools);
        self.clients[client] = acted.client.clone();
        self.requests.extend(acted.sent.iter().cloned());
        let Some(stage) = acted.stage else { return };
        self.rest.stages[client] = stage;
        if stage == Stage::Idle {
            self.rest.homes[client] = None;
        }
        if matches!(stage, Stage::Holds(_)) {
            self.rest.were_invalid[client] = false;
            if acted.token != 0 && acted.token <= self.rest.last_token {
                self.broken = Some(Broken::Token);
            }
            self.rest.last_token = self.rest.last_token.max(acted.token);
        }
    }

    /// A request is carried out, and answered.
    pub(super) fn arrive(&mut self, node: usize, message: &Message<Request>, pools: &Pools) {
        let site = self.sites[node].edit();
        let reply = site.server.run(wall(self.rest.now), &message.what);
        site.server.touched.clear();
        if self.rest.has_ghosts {
            let is_granted = matches!(reply, Reply::Voted { yes: 1, .. });
            match message.what.command {
                Command::Acquire { .. } if is_granted && site.released.contains(&message.what.id) => {
                    self.broken = Some(Broken::Ghost);
                }
                Command::Release => site.released.push(message.what.id),
                _ => {}
            }
            let awaited =
                |id: &Id| self.requests.iter().any(|(of, other)| *of == node && is_acquire_of(&other.what, *id));
            site.released.retain(awaited);
            site.released.sort_unstable_by_key(|id| *id.as_bytes());
            site.released.dedup();
        }
        self.sites[node].seal(&pools.sites);
        // Of a release nobody need hear.
        if message.what.command != Command::Release {
            let answer = Message { client: message.client, what: Answer { tag: message.what.tag, reply } };
            self.answers.push((node, Kept::sealed(answer, &pools.answers)));
        }
    }

    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.sites.iter().filter_map(|site| site.server.holder(KEY)).map(|(_, expiry)| expiry).min()
    }

    /// Just after the next key has expired.
    pub(super) fn after_expiry(&self) -> Option<Moment> {
        let begin = wall(self.rest.now) - self.rest.now.as_nanos() / 1000;
        self.next_expiry().map(|expiry| Moment::from_nanos(((expiry + 1) * 1000 - begin) * 1000))
    }

    /// Time passes, at the servers and at the clients, who need not hear of it.
    pub(super) fn pass(&mut self, until: Moment, pools: &Pools) {
        self.rest.now = self.rest.now.max(until);
        let wall = wall(self.rest.now);
        for site in &mut self.sites {
            let is_over = |(_, expiry): (_, u64)| expiry < wall / 1000;
            if site.server.holder(KEY).is_some_and(is_over) {
                let server = &mut site.edit().server;
                server.expire(wall);
                server.touched.clear();
                site.seal(&pools.sites);
            }
        }
    }

    /// It has forgotten everything. Its connections have ended, with all that was on its way, and are there again.
    pub(super) fn restart(&mut self, node: usize, pools: &Pools) {
        let site = self.sites[node].edit();
        site.server = Server::new(site.server.mutant);
        site.released.clear();
        site.run += 1;
        let run = site.run;
        self.sites[node].seal(&pools.sites);
        let asked = self.requests.iter().filter(|(_, message)| message.what.command != Command::Release);
        let asked = asked.map(|(of, message)| (*of, message.client, message.what.tag));
        let answered = self.answers.iter().map(|(of, message)| (*of, message.client, message.what.tag));
        let cut = asked.chain(answered).filter(|(of, ..)| *of == node);
        let mut cut: Vec<(usize, Tag)> = cut.map(|(_, client, tag)| (client, tag)).collect();
        cut.sort_by_key(|(client, tag)| (*client, tag.slot, tag.generation, tag.round));
        cut.dedup();
        self.requests.retain(|(of, _)| *of != node);
        self.answers.retain(|(of, _)| *of != node);
        for (client, tag) in cut {
            let fault = Some(Fault::new(FaultCode::Connect, "cut"));
            let answer = Message { client, what: Answer { tag, reply: Reply::Voted { yes: 0, no: 0, fault } } };
            self.answers.push((node, Kept::sealed(answer, &pools.answers)));
        }
        let begins = std::mem::take(&mut self.rest.is_to_come);
        for client in 0..CLIENTS {
            let deed = if begins && client > 0 { Deed::Begin(node, run) } else { Deed::Restart(node, run) };
            self.act(client, deed, pools);
        }
    }

    /// What can have no effect any more is as good as lost.
    pub(super) fn prune(&mut self) {
        let (clients, stages, homes) = (&self.clients, &self.rest.stages, &self.rest.homes);
        // A slot that its user has let go of waits for nothing but the answers to its release.
        self.answers.retain(|(_, message)| {
            let Message { client, what } = &**message;
            let is_home = homes[*client] == Some(what.tag.slot);
            let is_own =
                matches!(stages[*client], Stage::Waits(slot) | Stage::Holds(slot) if slot == what.tag.slot || is_home);
            is_own && clients[*client].awaits(what)
        });
        let (sites, requests) = (&self.sites, &self.requests);
        let matters = |(node, message): &(usize, Kept<Message<Request>>)| {
            let (server, what) = (&sites[*node].server, &message.what);
            let is_release = what.command == Command::Release;
            let is_held = server.holder(KEY).is_some_and(|(id, _)| id == what.id);
            let raises = what.tokens.is_some_and(|tokens| server.fence(KEY).unwrap_or(0) < tokens.last);
            let is_expected = requests
                .iter()
                .any(|(of, other)| of == node && other.what.id == what.id && other.what.command != Command::Release);
            // A server that makes mistakes may do more.
            !is_release || is_held || raises || is_expected || server.mutant.is_some()
        };
        let kept: Vec<bool> = requests.iter().map(matters).collect();
        let mut kept = kept.into_iter();
        self.requests.retain(|_| kept.next().unwrap_or(true));
    }

    /// At most one is valid, and what was not any more never is again.
    pub(super) fn check(&mut self) {
        let mut valid = 0;
        for client in 0..CLIENTS {
            let Stage::Holds(slot) = self.rest.stages[client] else { continue };
            let is_valid = self.clients[client].is_valid(self.rest.now, slot);
            if is_valid && self.rest.were_invalid[client] {
                self.broken = Some(Broken::ValidAgain);
            }
            self.rest.were_invalid[client] |= !is_valid;
            valid += usize::from(is_valid);
        }
        if valid > 1 {
            self.broken = Some(Broken::TwoValid);
        }
    }
}
