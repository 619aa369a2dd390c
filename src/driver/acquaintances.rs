//! Who has answered at each address, as all circuits of this process have seen it: what one of them knows of a restart, those
//! that come later know as well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock;
use crate::node::{Address, Identity, Moment};

/// Addresses that are remembered. Of more, those that were forgotten longest are those that nobody answers at.
const KNOWN_MAX: usize = 1024;

/// One that answered before another did.
struct Predecessor {
    identity: Identity,
    seen: Moment,
    /// When the other one was met.
    replaced: Moment,
}

struct Known {
    address: Address,
    identity: Identity,
    /// When it was last there; `None` while it is.
    seen: Option<Moment>,
    predecessor: Option<Predecessor>,
}

static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<Known>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who answered at an address, and when last, for a circuit that begins now. While what a later one may have forgotten can
/// be held still, which is for so long after it was met, that is its predecessor.
pub(super) fn recall(address: &Address, now: Moment, quarantine: Duration) -> Option<(Identity, Moment)> {
    let known = known();
    let Known { identity, seen, predecessor, .. } = known.iter().find(|known| known.address == *address)?;
    let predecessor = predecessor.as_ref().filter(|predecessor| now.since(predecessor.replaced) < quarantine);
    Some(match predecessor {
        Some(predecessor) => (predecessor.identity.clone(), predecessor.seen),
        None => (identity.clone(), seen.unwrap_or(now)),
    })
}

/// Somebody has answered.
fn meet(address: &Address, identity: &Identity, now: Moment) {
    let mut known = known();
    let Some(index) = known.iter().position(|known| known.address == *address) else {
        if known.len() == KNOWN_MAX {
            known.remove(0);
        }
        let address = address.clone();
        known.push(Known { address, identity: identity.clone(), seen: None, predecessor: None });
        return;
    };
    let mut before = known.remove(index);
    if identity.is_other_than(&before.identity) {
        let seen = before.seen.unwrap_or(now);
        before.predecessor = Some(Predecessor { identity: before.identity.clone(), seen, replaced: now });
    }
    if identity.run.is_some() {
        before.identity = identity.clone();
    }
    before.seen = None;
    known.push(before);
}

/// It does not answer any more, or nobody listens.
fn part(address: &Address, now: Moment) {
    let mut known = known();
    if let Some(known) = known.iter_mut().find(|known| known.address == *address) {
        known.seen.get_or_insert(now);
    }
}

/// What one circuit tells of one address, until it ends.
pub(super) struct Acquaintance(pub(super) Address);

impl Acquaintance {
    pub(super) fn meet(&self, identity: &Identity) {
        meet(&self.0, identity, clock::now());
    }

    pub(super) fn part(&self) {
        part(&self.0, clock::now());
    }
}

impl Drop for Acquaintance {
    fn drop(&mut self) {
        self.part();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(seconds * 1_000_000_000)
    }

    fn address(host: &str) -> Address {
        Address::Tcp { host: host.to_owned(), port: 6379 }
    }

    fn run(run: &str) -> Identity {
        Identity { run: Some(run.into()), ..Identity::default() }
    }

    #[test]
    fn who_answers_is_remembered_after_the_circuit_has_ended() {
        let node = address("remembered");
        assert_eq!(recall(&node, at(1), WHOLE), None);
        meet(&node, &run("a"), at(1));
        assert_eq!(recall(&node, at(5), WHOLE), Some((run("a"), at(5))), "it is there");
        part(&node, at(6));
        part(&node, at(7));
        assert_eq!(recall(&node, at(9), WHOLE), Some((run("a"), at(6))));
        assert_eq!(recall(&address("another"), at(9), WHOLE), None);
    }

    #[test]
    fn of_two_the_earlier_one_is_told_as_long_as_the_later_may_lack_something() {
        let node = address("replaced");
        meet(&node, &run("a"), at(1));
        part(&node, at(3));
        meet(&node, &run("b"), at(5));
        meet(&node, &run("b"), at(6));
        assert_eq!(recall(&node, at(64), WHOLE), Some((run("a"), at(3))));
        assert_eq!(recall(&node, at(65), WHOLE), Some((run("b"), at(65))));
    }

    #[test]
    fn so_many_addresses_are_remembered() {
        for number in 0..=KNOWN_MAX {
            meet(&address(&format!("many {number}")), &run("a"), at(1));
        }
        assert_eq!(recall(&address("many 0"), at(2), WHOLE), None);
        assert!(recall(&address("many 1"), at(2), WHOLE).is_some());
    }
}
