//! Who holds a key, asked of every node.

use super::event::{Found, Kind};
use super::world::{Seat, World};
use crate::node::{Command, Fault, FaultCode, Holding, Id, Keys, Moment, Reply};

pub(super) struct Inspection {
    keys: Keys,
    until: Moment,
    found: Vec<Option<Holding>>,
}

impl Inspection {
    pub(super) fn start(world: &mut World, seat: Seat, keys: Keys) -> Self {
        let mut inspection =
            Self { until: world.now + world.config.node_timeout, found: vec![None; world.members.len()], keys };
        for node in 0..world.members.len() {
            if let Some(fault) = world.ask(node, seat, 0, Command::Probe, &inspection.keys, Id::NIL) {
                inspection.found[node] = Some(Holding::Faulted(fault));
            }
        }
        inspection
    }

    /// Takes one node's answer.
    pub(super) fn answer(&mut self, node: usize, reply: Reply) {
        self.found[node] = match reply {
            Reply::Probed(found) => found.into_iter().next(),
            Reply::Voted { fault, .. } => fault.map(Holding::Faulted),
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
