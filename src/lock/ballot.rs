//! The votes of one round, and the arithmetic of the quorum.

use std::time::Duration;

use super::event::{Verdict, VoteSeen};
use crate::node::{Fault, FaultCode, Holding, Moment};

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Vote {
    /// One bit for each key: granted, or still ours.
    pub(super) yes: u64,
    /// One bit for each key: refused.
    pub(super) no: u64,
    pub(super) answered: bool,
    pub(super) fault: Option<Fault>,
    /// What a probe found after the refusal, and when. Boxed: a vote that a lease keeps has none.
    found: Option<Box<(Moment, Vec<Holding>)>>,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Ballot {
    /// One bit for each key.
    all: u64,
    votes: Box<[Vote]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Count {
    Open,
    Granted,
    /// Some key cannot reach its quorum any more.
    Impossible,
}

impl Ballot {
    pub(super) fn new(nodes: usize, all: u64) -> Self {
        Self { all, votes: vec![Vote::default(); nodes].into() }
    }

    pub(super) fn cast(&mut self, node: usize, yes: u64, no: u64, fault: Option<Fault>) {
        let vote = &mut self.votes[node];
        vote.yes = yes & self.all;
        vote.no = no & self.all & !yes;
        vote.answered = true;
        vote.fault = fault;
    }

    /// Counts what another ballot was granted.
    pub(super) fn keep_grants(&mut self, earlier: &Self) {
        for (node, vote) in earlier.votes.iter().enumerate().filter(|(_, vote)| vote.yes == earlier.all) {
            self.cast(node, vote.yes, 0, None);
        }
    }

    pub(super) fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// Whatever it answers does not count.
    pub(super) fn is_quarantined(&self, node: usize) -> bool {
        let fault = self.votes.get(node).and_then(|vote| vote.fault.as_ref());
        fault.is_some_and(|fault| fault.code == FaultCode::Quarantined)
    }

    /// One bit for each node of which that is so.
    pub(super) fn quarantined(&self) -> u16 {
        (0..self.votes.len()).fold(0, |mask, node| mask | u16::from(self.is_quarantined(node)) << node)
    }

    pub(super) fn has_answered(&self, node: usize) -> bool {
        self.votes[node].answered
    }

    /// Every node that has not answered is taken for one that will not.
    pub(super) fn time_out(&mut self) {
        for vote in self.votes.iter_mut().filter(|vote| !vote.answered) {
            vote.answered = true;
            vote.fault = Some(silence());
        }
    }

    /// Decides at the quorum, or as soon as it cannot be reached: `against > nodes - quorum`.
    pub(super) fn count(&self, quorum: usize) -> Count {
        let spare = self.votes.len() - quorum;
        let mut granted = true;
        let mut keys = self.all;
        while keys != 0 {
            let key = keys & keys.wrapping_neg();
            keys ^= key;
            let yes = self.votes.iter().filter(|vote| vote.yes & key != 0).count();
            let against = self.votes.iter().filter(|vote| vote.answered && vote.yes & key == 0).count();
            if against > spare {
                return Count::Impossible;
            }
            granted &= yes >= quorum;
        }
        if granted { Count::Granted } else { Count::Open }
    }

    /// The smallest number of nodes that say yes to a key.
    pub(super) fn fewest_yes(&self) -> usize {
        let keys = (0..64).map(|bit| 1u64 << bit).filter(|key| self.all & key != 0);
        keys.map(|key| self.votes.iter().filter(|vote| vote.yes & key != 0).count()).min().unwrap_or(0)
    }

    /// Whose fault it is that the lock was not granted.
    pub(super) fn verdict(&self, quorum: usize) -> Verdict {
        let faulted = self.votes.iter().filter(|vote| vote.fault.is_some()).count();
        if faulted > self.votes.len() - quorum { Verdict::Unavailable } else { Verdict::Contended }
    }

    pub(super) fn note_holdings(&mut self, node: usize, now: Moment, found: Vec<Holding>) {
        self.votes[node].found = Some(Box::new((now, found)));
    }

    /// For how long a node will hold the only key.
    pub(super) fn note_remaining(&mut self, node: usize, now: Moment, remaining: Duration) {
        self.note_holdings(node, now, vec![Holding::Held { value: "".into(), remaining }]);
    }

    /// The ballot of somebody who would be refused by these voters, until then.
    pub(super) fn refused_by(voters: &Self, now: Moment, until: Moment) -> Self {
        let mut ballot = voters.clone();
        for vote in ballot.votes.iter_mut().filter(|vote| vote.yes != 0) {
            (vote.no, vote.yes) = (vote.yes, 0);
            let holding = Holding::Held { value: "".into(), remaining: until.since(now) };
            vote.found = Some(Box::new((now, vec![holding])));
        }
        ballot
    }

    /// Every node that refused has been asked, and has told who holds it.
    pub(super) fn is_probed(&self) -> bool {
        self.votes.iter().all(|vote| vote.no == 0 || vote.found.is_some())
    }

    /// When a quorum will have let the keys expire, as far as is known: the quorum-th smallest expiry.
    /// `None` when that is not known, or never.
    pub(super) fn free_at(&self, quorum: usize) -> Option<Moment> {
        let mut expiries: Vec<Moment> = self.votes.iter().map(Vote::free_at).collect();
        expiries.sort_unstable();
        let at = expiries[quorum - 1];
        (at != Moment::NEVER && at != Moment::default()).then_some(at)
    }

    /// Four bits for each node, the first lowest: 0 has not answered, 1 granted, 2 refused, 3 and up a fault's code.
    pub(super) fn summary(&self) -> u64 {
        let code = |vote: &Vote| match &vote.fault {
            Some(fault) => 3 + fault.code as u64,
            None if !vote.answered => 0,
            None if vote.yes == self.all => 1,
            None => 2,
        };
        self.votes.iter().enumerate().fold(0, |sum, (node, vote)| sum | code(vote) << (4 * node))
    }

    pub(super) fn seen(&self, now: Moment) -> Vec<VoteSeen> {
        self.votes.iter().map(|vote| vote.seen(self.all, now)).collect()
    }
}

/// The fault of a node that was asked and has not answered.
pub(super) fn silence() -> Fault {
    Fault::new(FaultCode::Timeout, "no answer within the node timeout")
}

impl Vote {
    /// The first moment where no key is free, [`Moment::NEVER`] where that cannot be told.
    fn free_at(&self) -> Moment {
        if self.fault.is_some() {
            return Moment::NEVER;
        }
        let Some((read, found)) = self.found.as_deref() else {
            let free = self.answered && self.no == 0;
            return if free { Moment::default() } else { Moment::NEVER };
        };
        let expiry = |holding: &Holding| match holding {
            Holding::Free => Moment::default(),
            Holding::Held { remaining, .. } => *read + *remaining,
            Holding::NotALock(_) | Holding::Faulted(_) => Moment::NEVER,
        };
        found.iter().map(expiry).max().unwrap_or(Moment::NEVER)
    }

    fn seen(&self, all: u64, now: Moment) -> VoteSeen {
        if let Some(fault) = &self.fault {
            return VoteSeen::Faulted(fault.clone());
        }
        if !self.answered {
            return VoteSeen::Pending;
        }
        if self.yes == all {
            return VoteSeen::Granted;
        }
        let mut remaining: Option<Duration> = None;
        let mut not_a_lock = None;
        if let Some((read, found)) = self.found.as_deref() {
            for holding in found {
                match holding {
                    Holding::Held { remaining: left, .. } => {
                        remaining = remaining.max(Some((*read + *left).since(now)));
                    }
                    Holding::NotALock(why) => not_a_lock = Some(why.clone()),
                    Holding::Free | Holding::Faulted(_) => {}
                }
            }
        }
        VoteSeen::Refused { remaining, not_a_lock }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Option<Fault> {
        Some(Fault::new(FaultCode::Connect, "down"))
    }

    /// Every way n nodes can answer, for every quorum from the majority up.
    #[test]
    fn the_count_is_right_for_every_outcome_of_one_to_nine_nodes() {
        for nodes in 1..=9usize {
            for quorum in nodes / 2 + 1..=nodes {
                for outcome in 0..4usize.pow(u32::try_from(nodes).unwrap()) {
                    let digits: Vec<usize> = (0..nodes).map(|node| outcome >> (2 * node) & 3).collect();
                    let mut ballot = Ballot::new(nodes, 1);
                    for (node, digit) in digits.iter().enumerate() {
                        match digit {
                            0 => {}
                            1 => ballot.cast(node, 1, 0, None),
                            2 => ballot.cast(node, 0, 1, None),
                            _ => ballot.cast(node, 0, 0, fault()),
                        }
                    }
                    let of = |kind: usize| digits.iter().filter(|digit| **digit == kind).count();
                    let expected = if of(1) >= quorum {
                        Count::Granted
                    } else if of(1) + of(0) < quorum {
                        Count::Impossible
                    } else {
                        Count::Open
                    };
                    assert_eq!(ballot.count(quorum), expected, "{nodes} nodes, quorum {quorum}, {digits:?}");
                    let unavailable = of(3) > nodes - quorum;
                    assert_eq!(ballot.verdict(quorum) == Verdict::Unavailable, unavailable, "{digits:?}");
                    ballot.time_out();
                    assert_ne!(ballot.count(quorum), Count::Open, "{digits:?}");
                }
            }
        }
    }

    #[test]
    fn each_key_needs_its_own_quorum() {
        let mut ballot = Ballot::new(3, 0b11);
        ballot.cast(0, 0b11, 0, None);
        ballot.cast(1, 0b01, 0b10, None);
        assert_eq!(ballot.count(2), Count::Open);
        assert_eq!(ballot.fewest_yes(), 1);
        ballot.cast(2, 0b10, 0b01, None);
        assert_eq!(ballot.count(2), Count::Granted);
        ballot.cast(2, 0b01, 0b10, None);
        assert_eq!(ballot.count(2), Count::Impossible);
    }

    #[test]
    fn free_at_is_the_quorum_th_smallest_expiry() {
        let now = Moment::from_nanos(1_000);
        let held = |ms| vec![Holding::Held { value: "x".into(), remaining: Duration::from_millis(ms) }];
        let mut ballot = Ballot::new(3, 1);
        for node in 0..3 {
            ballot.cast(node, 0, 1, None);
        }
        assert_eq!(ballot.free_at(2), None);
        ballot.note_holdings(0, now, held(90));
        ballot.note_holdings(1, now, held(30));
        ballot.note_holdings(2, now, held(60));
        assert_eq!(ballot.free_at(2), Some(now + Duration::from_millis(60)));
        ballot.note_holdings(1, now, vec![Holding::NotALock("a hash".into())]);
        assert_eq!(ballot.free_at(2), Some(now + Duration::from_millis(90)));
        ballot.cast(2, 0, 0, fault());
        assert_eq!(ballot.free_at(2), None);
        assert_eq!(ballot.free_at(1), Some(now + Duration::from_millis(90)));
    }

    #[test]
    fn a_split_vote_has_no_expiry_to_wait_for() {
        let mut ballot = Ballot::new(3, 1);
        ballot.cast(0, 1, 0, None);
        ballot.cast(1, 0, 1, None);
        ballot.note_holdings(1, Moment::from_nanos(5), vec![Holding::Free]);
        assert_eq!(ballot.free_at(2), None);
        assert_eq!(ballot.verdict(2), Verdict::Contended);
    }
}
