//! What every entry may read and write while it takes a step: the settings, the nodes, the moment, and the outlets.

use std::sync::Arc;

use super::ballot::Ballot;
use super::client::{Client, ClientId};
use super::clocks::Clocks;
use super::config::Config;
use super::event::{Entropy, Kind, Notice, Slot};
use super::gate::gate;
use super::members::Members;
use super::release::Release;
use crate::node::{Command, Fault, Id, Keys, Moment, Request, Tag, Tokens, Watch};

/// The owner of slots that no service has asked for: releases in the background.
const NOBODY: ClientId = ClientId::MAX;

#[derive(Clone, Debug, Hash)]
pub(super) struct World {
    pub(super) config: Config,
    pub(super) members: Members,
    pub(super) clients: Vec<Client>,
    /// Whose each slot is.
    owners: Vec<ClientId>,
    /// What waits to be sent, for each node in the order in which it must be sent.
    pub(super) requests: Vec<Vec<Request>>,
    /// What waits to be told to the watchers of each node.
    pub(super) watches: Vec<Vec<Watch>>,
    /// Who wants to hear of the release of which keys.
    pub(super) watching: Vec<(Seat, Keys)>,
    /// Releases of ids that no call of the user stands for any more; they get slots of their own.
    pub(super) orphans: Vec<Release>,
    /// Releases that wait for a node to come back.
    owed: Vec<Vec<Seat>>,
    pub(super) now: Moment,
    clocks: Clocks,
    /// When the first event came.
    pub(super) born: Option<Moment>,
}

/// Who is speaking: the slot and its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seat {
    pub(super) slot: Slot,
    pub(super) generation: u32,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Errand<'a> {
    pub(super) keys: &'a Keys,
    pub(super) id: Id,
    pub(super) tokens: Option<Tokens>,
}

impl World {
    pub(super) fn new(config: Config) -> Self {
        let nodes = config.nodes;
        Self {
            members: Members::new(nodes),
            requests: vec![Vec::new(); nodes],
            config,
            clients: Vec::new(),
            owners: Vec::new(),
            watches: vec![Vec::new(); nodes],
            watching: Vec::new(),
            orphans: Vec::new(),
            owed: vec![Vec::new(); nodes],
            now: Moment::default(),
            clocks: Clocks::new(nodes),
            born: None,
        }
    }

    pub(super) fn begin(&mut self, now: Moment) {
        self.now = now.max(self.now);
        self.born.get_or_insert(self.now);
    }

    /// Until then the first round waits for the last node's first contact, though a quorum votes already.
    pub(super) fn patience_end(&self) -> Moment {
        self.born.map_or(Moment::NEVER, |born| born + self.config.node_timeout)
    }

    /// The nodes have been reached, as far as is worth waiting for.
    pub(super) fn is_settled(&self) -> bool {
        self.members.are_settled(self.config.quorum, self.now < self.patience_end())
    }

    pub(super) fn quorum(&self) -> usize {
        self.config.quorum
    }

    pub(super) fn owe(&mut self, node: usize, seat: Seat) {
        self.owed[node].push(seat);
    }

    pub(super) fn take_owed(&mut self, node: usize) -> Vec<Seat> {
        std::mem::take(&mut self.owed[node])
    }

    /// Whose the slot is from now on.
    pub(super) fn own(&mut self, slot: Slot, client: ClientId) {
        let index = slot as usize;
        if index >= self.owners.len() {
            self.owners.resize(index + 1, NOBODY);
        }
        self.owners[index] = client;
    }

    /// A slot for what no service has asked for.
    pub(super) fn disown(&mut self, slot: Slot) {
        self.own(slot, NOBODY);
    }

    pub(super) fn owner(&self, slot: Slot) -> ClientId {
        self.owners.get(slot as usize).copied().unwrap_or(NOBODY)
    }

    /// Who owns the slot.
    pub(super) fn client(&mut self, slot: Slot) -> &mut Client {
        let owner = usize::from(self.owner(slot));
        &mut self.clients[owner]
    }

    pub(super) fn count_release(&mut self, seat: Seat) {
        let owner = usize::from(self.owner(seat.slot));
        if let Some(client) = self.clients.get_mut(owner) {
            client.counters.released += 1;
        }
    }

    pub(super) fn notify(&mut self, seat: Seat, kind: Kind) {
        let notice = Notice { slot: seat.slot, generation: seat.generation, kind };
        let owner = usize::from(self.owner(seat.slot));
        if let Some(client) = self.clients.get_mut(owner).filter(|client| !client.gone) {
            client.notices.push_back(notice);
        }
    }

    /// The nodes' wall clock, as far as it is known.
    pub(super) fn wall(&self, entropy: &mut dyn Entropy) -> u64 {
        self.clocks.wall(self.now, entropy)
    }

    pub(super) fn hear_clock(&mut self, node: usize, clock: u64) {
        self.clocks.hear(self.now, node, clock, self.config.quorum);
    }

    /// What a node's clock shows, if it has ever told.
    pub(super) fn clock_of(&self, node: usize) -> Option<u64> {
        self.clocks.of(self.now, node)
    }

    pub(super) fn send(&mut self, node: usize, seat: Seat, round: u32, command: Command, errand: Errand<'_>) {
        let tag = Tag { slot: seat.slot, generation: seat.generation, round };
        let Errand { keys, id, tokens } = errand;
        self.requests[node].push(Request { tag, command, keys: keys.clone(), id, tokens });
    }

    /// The key is held: its release is to be told.
    pub(super) fn watch(&mut self, seat: Seat, keys: &Keys) {
        self.watching.push((seat, keys.clone()));
    }

    /// Asks the gate how many other processes wait for a key.
    pub(super) fn count(&mut self, key: &Arc<str>) {
        if let Some(node) = gate(&self.members, key) {
            self.watches[node].push(Watch::Count(key.clone()));
        }
    }

    /// The votes of nodes of which nothing is known but which of them cannot vote.
    pub(super) fn blank_ballot(&self, keys: &Keys) -> Ballot {
        let mut ballot = Ballot::new(self.members.len(), keys.mask());
        for node in 0..self.members.len() {
            if let Some(fault) = self.members.fault_at(node, self.now) {
                ballot.cast(node, 0, 0, Some(fault));
            }
        }
        ballot
    }

    /// Sends to a node that can be asked. Says why it does not vote, if it does not.
    pub(super) fn ask(
        &mut self,
        node: usize,
        seat: Seat,
        round: u32,
        command: Command,
        errand: Errand<'_>,
    ) -> Option<Fault> {
        let fault = self.members.fault_at(node, self.now);
        if self.members.is_reachable(node) {
            self.send(node, seat, round, command, errand);
        }
        fault
    }
}

/// Random bits for an attempt's id.
pub(super) fn new_id(entropy: &mut dyn Entropy) -> Id {
    Id::from_bits(entropy.bits(), entropy.bits())
}
