//! The node that processes which contend for a key ask first, so that one of them is elected at one place.

use super::members::Members;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The same for every client of the same nodes in the same order: rotated by FNV-1a of the key, past nodes that do not
/// vote. `None` when nobody votes.
pub(super) fn gate(members: &Members, key: &str) -> Option<usize> {
    let hash = key.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let start = (hash % members.len() as u64) as usize;
    let nodes = (start..members.len()).chain(0..start);
    nodes.into_iter().find(|node| members.fault(*node).is_none())
}
