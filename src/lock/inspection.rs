//! Who holds a key, asked of every node.

use super::event::{Found, Kind};
use super::world::{Errand, Seat, World};
use crate::node::{Command, Fault, FaultCode, Holding, Id, Keys, Moment, Reply};

#[derive(Clone, Debug, Hash)]
pub(super) struct Inspection {
    keys: Keys,
    /// It waits for the nodes' first contact, and then for their answers, until then.
    until: Moment,
    asked: bool,
    found: Vec<Option<Holding>>,
}

impl Inspection {
    pub(super) fn new(world: &World, keys: Keys) -> Self {
        let until = world.now + world.config.connect_timeout;
        Self { keys, until, asked: false, found: vec![None; world.members.len()] }
    }

    /// Asks, once all nodes have been reached or have failed to be. False while it waits for that.
    pub(super) fn contact(&mut self, world: &mut World, seat: Seat) -> bool {
        if self.asked {
            return true;
        }
        if !world.members.are_tried() && world.now < self.until {
            return false;
        }
        self.asked = true;
        self.until = world.now + world.config.node_timeout;
        for (node, found) in self.found.iter_mut().enumerate() {
            let errand = Errand { keys: &self.keys, id: Id::NIL, tokens: None };
            let fault = world.ask(node, seat, 0, Command::Probe, errand);
            *found = fault.map(Holding::Faulted);
        }
        true
    }

    /// Takes one node's answer.
    pub(super) fn answer(&mut self, node: usize, reply: Reply) {
        self.found[node] = match reply {
            Reply::Probed(found) => found.into_iter().next(),
            Reply::Voted { fault, .. } => fault.map(Holding::Faulted),
            Reply::Outbid { .. } | Reply::Untimely { .. } => None,
        };
    }

    /// `None` once it is over.
    pub(super) fn timer(&mut self, world: &mut World, seat: Seat) -> Option<Moment> {
        if world.now < self.until && self.found.iter().any(Option::is_none) {
            return Some(self.until);
        }
        world.notify(seat, Kind::Inspected);
        None
    }

    pub(super) fn into_found(self) -> Vec<Found> {
        let silent = || Holding::Faulted(Fault::new(FaultCode::Timeout, "no answer within the node timeout"));
        let found = |(node, holding): (usize, Option<Holding>)| Found { node, holding: holding.unwrap_or_else(silent) };
        self.found.into_iter().enumerate().map(found).collect()
    }
}
