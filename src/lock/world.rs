//! What every entry may read and write while it takes a step: the settings, the nodes, the moment, and the outlets.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ballot::Ballot;
use super::config::Config;
use super::event::{Change, Entropy, Kind, Notice, Slot};
use super::gate::gate;
use super::members::Members;
use super::release::Release;
use crate::node::{Command, Fault, Id, Keys, Moment, Request, Tag, Watch};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) acquired: u64,
    /// Acquires that found the key taken, whatever their end.
    pub(crate) contended: u64,
    /// Acquires whose wait ended without the lock.
    pub(crate) timed_out: u64,
    pub(crate) aborted: u64,
    pub(crate) lost: u64,
    pub(crate) extended: u64,
    pub(crate) released: u64,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) config: Config,
    pub(super) members: Members,
    pub(super) counters: Counters,
    pub(super) held: usize,
    pub(super) waiting: usize,
    /// What waits to be sent, for each node in the order in which it must be sent.
    pub(super) requests: Vec<Vec<Request>>,
    pub(super) notices: VecDeque<Notice>,
    pub(super) changes: VecDeque<Change>,
    /// What waits to be told to the watchers of each node.
    pub(super) watches: Vec<Vec<Watch>>,
    /// Who wants to hear of the release of which keys.
    pub(super) watching: Vec<(Seat, Keys)>,
    /// Releases of ids that no call of the user stands for any more; they get slots of their own.
    pub(super) orphans: Vec<Release>,
    /// Releases that wait for a node to come back.
    owed: Vec<Vec<Seat>>,
    /// When the JavaScript thread last showed a sign of life.
    pub(super) seen: Moment,
    /// Since when it has been asked for one, in vain.
    pub(super) asked: Option<Moment>,
    /// The JavaScript thread is to show a sign of life.
    pub(super) heartbeat: bool,
    pub(super) now: Moment,
    /// When the first event came.
    pub(super) born: Option<Moment>,
}

/// Who is speaking: the slot and its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) slot: Slot,
    pub(super) generation: u32,
}

impl World {
    pub(super) fn new(config: Config) -> Self {
        let nodes = config.nodes;
        Self {
            members: Members::new(nodes),
            requests: vec![Vec::new(); nodes],
            config,
            counters: Counters::default(),
            held: 0,
            waiting: 0,
            notices: VecDeque::new(),
            changes: VecDeque::new(),
            watches: vec![Vec::new(); nodes],
            watching: Vec::new(),
            orphans: Vec::new(),
            owed: vec![Vec::new(); nodes],
            seen: Moment::default(),
            asked: None,
            heartbeat: false,
            now: Moment::default(),
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

    pub(super) fn notify(&mut self, seat: Seat, kind: Kind) {
        self.notices.push_back(Notice { slot: seat.slot, generation: seat.generation, kind });
    }

    pub(super) fn send(&mut self, node: usize, seat: Seat, round: u32, command: Command, keys: &Keys, id: Id) {
        let tag = Tag { slot: seat.slot, generation: seat.generation, round };
        self.requests[node].push(Request { tag, command, keys: keys.clone(), id });
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
            if let Some(fault) = self.members.fault(node) {
                ballot.cast(node, 0, 0, Some(fault.clone()));
            }
        }
        ballot
    }

    /// Sends to a node that votes; otherwise says why it does not.
    pub(super) fn ask(
        &mut self,
        node: usize,
        seat: Seat,
        round: u32,
        command: Command,
        keys: &Keys,
        id: Id,
    ) -> Option<Fault> {
        let fault = self.members.fault(node).cloned();
        if fault.is_none() {
            self.send(node, seat, round, command, keys, id);
        }
        fault
    }
}

/// Random bits for an attempt's id.
pub(super) fn new_id(entropy: &mut dyn Entropy) -> Id {
    Id::from_bits(entropy.bits(), entropy.bits())
}
