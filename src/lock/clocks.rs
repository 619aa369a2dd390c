//! What the nodes' wall clocks show, as far as they have told: where this process' own is wrong, tokens are proposed by theirs.

use super::event::Entropy;
use crate::node::{Moment, SKEW};

/// How far a wall clock is before this process' monotonic clock, in microseconds. The process' own wall clock may stand still
/// or be put right meanwhile, which changes nothing about the nodes'.
type Offset = i64;

#[derive(Clone, Debug, Hash)]
pub(super) struct Clocks {
    /// Of each node, as it has last told it because tokens were too far from its clock.
    nodes: Vec<Option<Offset>>,
    /// On which a quorum has agreed.
    agreed: Option<Offset>,
}

impl Clocks {
    pub(super) fn new(nodes: usize) -> Self {
        Self { nodes: vec![None; nodes], agreed: None }
    }

    /// A node finds tokens too far from its clock. From now on they are proposed by the time on which a quorum agrees, so
    /// closely that all of it takes them, whichever of these clocks is a little off.
    pub(super) fn hear(&mut self, now: Moment, node: usize, clock: u64, quorum: usize) {
        let offset = i64::try_from(clock).unwrap_or(0).saturating_sub_unsigned(micros(now));
        self.nodes[node] = Some(offset);
        let alike = self.nodes.iter().flatten().filter(|other| other.abs_diff(offset) <= SKEW / 2).count();
        if alike >= quorum {
            self.agreed = Some(offset);
        }
    }

    /// The time by which tokens are proposed.
    pub(super) fn wall(&self, now: Moment, entropy: &mut dyn Entropy) -> u64 {
        self.agreed.map_or_else(|| entropy.wall(), |offset| at(now, offset))
    }

    /// What a node's clock shows, if it has ever told, and it has run on since.
    pub(super) fn of(&self, now: Moment, node: usize) -> Option<u64> {
        self.nodes[node].map(|offset| at(now, offset))
    }
}

fn micros(now: Moment) -> u64 {
    now.as_nanos() / 1000
}

fn at(now: Moment, offset: Offset) -> u64 {
    micros(now).saturating_add_signed(offset)
}
