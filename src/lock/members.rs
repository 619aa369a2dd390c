//! The nodes as the lock sees them: who may be asked, and why the others may not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::event::{Change, Status};
use crate::node::{Fault, FaultCode, Moment};

#[derive(Clone, Debug)]
struct Member {
    status: Status,
    /// Survives a disconnect: a server that is away for a moment is still the same server.
    identity: Option<Arc<str>>,
    /// Why it is not asked; `None` while it votes.
    fault: Option<Fault>,
    /// It has not been reached, or failed to be, since the start.
    untried: bool,
    /// What was last said of it: that it votes, or not. `None` before the first word.
    told: Option<bool>,
}

#[derive(Clone, Debug)]
pub(super) struct Members {
    list: Vec<Member>,
    /// Smoothed round trip of all nodes.
    round_trip: Duration,
}

/// Weight of the latest round trip: one part in this many.
const SMOOTHING: u32 = 8;

impl Members {
    pub(super) fn new(nodes: usize) -> Self {
        let member = || Member {
            status: Status::Connecting,
            identity: None,
            fault: Some(Fault::new(FaultCode::Connect, "still connecting")),
            untried: true,
            told: None,
        };
        Self { list: (0..nodes).map(|_| member()).collect(), round_trip: Duration::ZERO }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn fault(&self, node: usize) -> Option<&Fault> {
        self.list[node].fault.as_ref()
    }

    pub(super) fn is_connecting(&self, node: usize) -> bool {
        self.list[node].untried
    }

    pub(super) fn voting(&self) -> usize {
        self.list.iter().filter(|member| member.fault.is_none()).count()
    }

    /// Every node has been reached, or has failed to be.
    pub(super) fn are_tried(&self) -> bool {
        self.list.iter().all(|member| !member.untried)
    }

    /// There is no point in waiting for the first contact any longer: all have been tried, or the patience for the
    /// last ones is over and a quorum votes.
    pub(super) fn are_settled(&self, quorum: usize, patient: bool) -> bool {
        self.are_tried() || (!patient && self.voting() >= quorum)
    }

    /// Takes the news of one node; returns what changed for whom, itself and the doubles it makes or unmakes.
    pub(super) fn update(&mut self, node: usize, status: Status) -> Vec<Change> {
        let member = &mut self.list[node];
        if let Status::Up { identity } = &status {
            member.identity.clone_from(identity);
        }
        member.untried &= status == Status::Connecting;
        member.status = status;
        (0..self.list.len()).filter_map(|index| self.refresh(index)).collect()
    }

    /// What has been told so far.
    pub(super) fn changes(&self) -> VecDeque<Change> {
        let told = self.list.iter().enumerate().filter(|(_, member)| member.told.is_some());
        told.map(|(node, member)| Change { node, fault: member.fault.clone() }).collect()
    }

    fn refresh(&mut self, index: usize) -> Option<Change> {
        let fault = match &self.list[index].status {
            Status::Connecting => return None,
            Status::Down(fault) => Some(fault.clone()),
            Status::Up { .. } => self
                .double(index)
                .map(|first| Fault::new(FaultCode::Duplicate, format!("the same server as node {}", first + 1))),
        };
        // The reason may change with each try to connect; only whether it votes is news.
        let member = &mut self.list[index];
        let told = member.told.replace(fault.is_none());
        member.fault.clone_from(&fault);
        (told != member.told).then_some(Change { node: index, fault })
    }

    /// The earlier node that is the same server.
    fn double(&self, index: usize) -> Option<usize> {
        let identity = self.list[index].identity.as_ref()?;
        self.list[..index].iter().position(|earlier| earlier.identity.as_ref() == Some(identity))
    }

    pub(super) fn observe_round_trip(&mut self, sent: Moment, now: Moment) {
        let span = now.since(sent);
        self.round_trip =
            if self.round_trip.is_zero() { span } else { (self.round_trip * (SMOOTHING - 1) + span) / SMOOTHING };
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(identity: &str) -> Status {
        Status::Up { identity: Some(identity.into()) }
    }

    fn codes(members: &Members) -> Vec<Option<FaultCode>> {
        (0..members.len()).map(|node| members.fault(node).map(|fault| fault.code)).collect()
    }

    #[test]
    fn the_second_address_of_one_server_is_a_duplicate_in_whatever_order_they_come_up() {
        let mut members = Members::new(3);
        members.update(1, up("a"));
        members.update(2, up("b"));
        assert_eq!(codes(&members), [Some(FaultCode::Connect), None, None]);
        let changes: Vec<_> = members.update(0, up("a")).iter().map(|change| change.node).collect();
        assert_eq!(changes, [0, 1]);
        assert_eq!(codes(&members), [None, Some(FaultCode::Duplicate), None]);
    }

    #[test]
    fn a_duplicate_stays_one_while_the_first_is_away_and_votes_when_the_first_is_another_server() {
        let mut members = Members::new(2);
        members.update(0, up("a"));
        members.update(1, up("a"));
        members.update(0, Status::Down(Fault::new(FaultCode::Connect, "refused")));
        assert_eq!(codes(&members), [Some(FaultCode::Connect), Some(FaultCode::Duplicate)]);
        members.update(0, up("c"));
        assert_eq!(codes(&members), [None, None]);
    }

    #[test]
    fn a_change_of_the_reason_alone_is_no_news() {
        let mut members = Members::new(1);
        let down = |text: &str| Status::Down(Fault::new(FaultCode::Connect, text));
        assert_eq!(members.update(0, down("refused")).len(), 1);
        assert_eq!(members.update(0, down("refused again")).len(), 0);
        assert_eq!(&*members.fault(0).unwrap().message, "refused again");
        assert_eq!(members.update(0, up("a")).len(), 1);
        assert_eq!(members.update(0, up("a")).len(), 0);
    }

    #[test]
    fn settled_by_the_last_one_or_by_a_quorum_when_the_patience_is_over() {
        let mut members = Members::new(3);
        let down = || Status::Down(Fault::new(FaultCode::Connect, "refused"));
        members.update(0, up("a"));
        assert!(!members.are_settled(2, false));
        members.update(1, up("b"));
        assert!(!members.are_settled(2, true));
        assert!(members.are_settled(2, false));
        members.update(1, down());
        assert!(!members.are_settled(2, false));
        members.update(2, down());
        assert!(members.are_settled(2, true));
    }
}
