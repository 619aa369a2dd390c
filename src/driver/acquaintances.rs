//! Who has answered at each address, as all circuits of this process have seen it: what one of them knows of a restart, those
//! that come later know as well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock;
use crate::lock::Predecessor;
use crate::node::{Address, Identity, Moment};

/// Addresses that are remembered. For more, one where nobody is connected is forgotten.
const KNOWN_MAX: usize = 1024;
/// Longest name of a run or a promotion; a server that sends a longer one is none.
const NAME_LENGTH: usize = 64;

struct Known {
    address: Address,
    identity: Identity,
    /// How many circuits are connected to it.
    present: u32,
    /// When one of them last was, if none is.
    seen: Moment,
    /// Who answered there before it.
    predecessor: Option<Predecessor>,
}

#[derive(Default)]
struct Acquaintances(Vec<Known>);

impl Acquaintances {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn find(&mut self, address: &Address) -> Option<&mut Known> {
        self.0.iter_mut().find(|known| known.address == *address)
    }

    fn recall(&mut self, address: &Address, now: Moment, quarantine: Duration) -> Vec<Predecessor> {
        let Some(known) = self.find(address) else { return Vec::new() };
        let seen = if known.present > 0 { now } else { known.seen };
        let last = Predecessor { identity: known.identity.clone(), seen, replaced: None };
        let is_recent = |before: &&Predecessor| before.replaced.is_none_or(|replaced| now.since(replaced) < quarantine);
        [Some(last), known.predecessor.as_ref().filter(is_recent).cloned()].into_iter().flatten().collect()
    }

    /// `is_new` for a circuit that was not connected. Whether it is counted as connected then.
    fn meet(&mut self, address: &Address, identity: &Identity, is_new: bool, now: Moment) -> bool {
        let is_long =
            |name: &Option<_>| name.as_ref().is_some_and(|name: &std::sync::Arc<str>| name.len() > NAME_LENGTH);
        if is_long(&identity.run) || is_long(&identity.promotion) {
            return !is_new;
        }
        let Some(known) = self.find(address) else {
            if self.0.len() == KNOWN_MAX {
                let Some(left) = self.0.iter().position(|known| known.present == 0) else { return false };
                self.0.remove(left);
            }
            let (address, identity) = (address.clone(), identity.clone());
            self.0.push(Known { address, identity, present: 1, seen: now, predecessor: None });
            return true;
        };
        if identity.is_other_than(&known.identity) {
            let seen = if known.present > 0 { now } else { known.seen };
            let identity = known.identity.clone();
            known.predecessor = Some(Predecessor { identity, seen, replaced: Some(now) });
        }
        if identity.run.is_some() {
            known.identity = identity.clone();
        }
        known.present += u32::from(is_new);
        true
    }

    fn part(&mut self, address: &Address, now: Moment) {
        if let Some(known) = self.find(address) {
            known.present = known.present.saturating_sub(1);
            known.seen = known.seen.max(now);
        }
    }
}

static KNOWN: Mutex<Acquaintances> = Mutex::new(Acquaintances::new());

fn known() -> MutexGuard<'static, Acquaintances> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who has answered at an address, for a circuit that begins now: the last one, and the one before, as long as what the
/// last may lack can be held still, which is for so long after it was met.
pub(super) fn recall(address: &Address, quarantine: Duration) -> Vec<Predecessor> {
    let now = clock::now();
    known().recall(address, now, quarantine)
}

/// What one circuit tells of one address, until it ends.
pub(super) struct Acquaintance {
    address: Address,
    is_there: bool,
}

impl Acquaintance {
    pub(super) fn with(address: Address) -> Self {
        Self { address, is_there: false }
    }

    /// Somebody has answered.
    pub(super) fn meet(&mut self, identity: &Identity) {
        let now = clock::now();
        self.is_there = known().meet(&self.address, identity, !self.is_there, now);
    }

    /// The connection has ended.
    pub(super) fn part(&mut self) {
        if std::mem::take(&mut self.is_there) {
            let now = clock::now();
            known().part(&self.address, now);
        }
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

    fn before(name: &str, seen: Moment, replaced: Option<Moment>) -> Predecessor {
        Predecessor { identity: run(name), seen, replaced }
    }

    #[test]
    fn who_answers_is_remembered_after_the_circuits_have_ended() {
        let mut known = Acquaintances::default();
        let node = address("node");
        assert_eq!(known.recall(&node, at(1), WHOLE), []);
        known.meet(&node, &run("a"), true, at(1));
        known.meet(&node, &run("a"), true, at(2));
        known.part(&node, at(4));
        assert_eq!(known.recall(&node, at(5), WHOLE), [before("a", at(5), None)], "the other one is there");
        known.part(&node, at(6));
        assert_eq!(known.recall(&node, at(9), WHOLE), [before("a", at(6), None)]);
        assert_eq!(known.recall(&address("another"), at(9), WHOLE), []);
    }

    #[test]
    fn the_one_before_is_told_as_well_as_long_as_the_last_may_lack_something() {
        let mut known = Acquaintances::default();
        let node = address("node");
        known.meet(&node, &run("a"), true, at(1));
        known.part(&node, at(3));
        known.meet(&node, &run("b"), true, at(5));
        known.meet(&node, &run("b"), false, at(6));
        let last = before("b", at(64), None);
        assert_eq!(known.recall(&node, at(64), WHOLE), [last, before("a", at(3), Some(at(5)))]);
        assert_eq!(known.recall(&node, at(65), WHOLE), [before("b", at(65), None)]);
    }

    #[test]
    fn so_many_are_remembered_and_first_of_all_those_that_are_connected() {
        let mut known = Acquaintances::default();
        for number in 0..=KNOWN_MAX {
            let node = address(&number.to_string());
            known.meet(&node, &run("a"), true, at(1));
            if number > 0 {
                known.part(&node, at(1));
            }
        }
        assert_eq!(known.0.len(), KNOWN_MAX);
        assert_eq!(known.recall(&address("0"), at(2), WHOLE).len(), 1);
        assert_eq!(known.recall(&address("1"), at(2), WHOLE), []);
        assert!(!known.meet(&address("long"), &run(&"x".repeat(NAME_LENGTH + 1)), true, at(2)));
        assert_eq!(known.recall(&address("long"), at(2), WHOLE), []);
    }
}
