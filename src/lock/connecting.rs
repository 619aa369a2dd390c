//! A call that waits until a quorum can be asked.

use super::event::{Failure, Kind, VoteSeen};
use super::world::{Seat, World};
use crate::node::Moment;

#[derive(Clone, Debug, Hash)]
pub(super) struct Connecting {
    pub(super) until: Moment,
}

impl Connecting {
    /// The notice that ends it, if it has come to that.
    pub(super) fn step(&self, world: &mut World, seat: Seat) -> Option<Kind> {
        let kind = if world.members.voting() >= world.quorum() {
            Kind::Connected
        } else if world.now >= self.until {
            Kind::ConnectFailed
        } else {
            return None;
        };
        world.notify(seat, kind);
        Some(kind)
    }

    pub(super) fn failure(world: &World) -> Failure {
        let vote = |node| world.members.fault_at(node, world.now).map_or(VoteSeen::Pending, VoteSeen::Faulted);
        let votes = (0..world.members.len()).map(vote).collect();
        Failure { attempts: 0, retry_after: None, votes }
    }
}
