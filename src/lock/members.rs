//! The nodes as the lock sees them: who may be asked, and why the others may not.

use std::collections::VecDeque;
use std::time::Duration;

use super::config::Config;
use super::event::{Change, Status};
use super::guard::{Predecessor, quarantine};
use super::mutant::Mutant;
use crate::node::{Fault, FaultCode, Identity, Moment};

#[derive(Clone, Debug, Hash)]
struct Member {
    status: Status,
    /// Survives a disconnect: a server that is away for a moment is still the same server.
    identity: Option<Identity>,
    /// When it was last known to be there.
    seen: Moment,
    /// Whom others of this process have met there before.
    recalled: Vec<Predecessor>,
    /// It casts no vote before that.
    quarantine_end: Moment,
    /// Why it is not asked; `None` while it votes.
    fault: Option<Fault>,
    /// It has not been reached, or failed to be, since the start.
    untried: bool,
    /// What was last said of it: that it votes, or not. `None` before the first word.
    told: Option<bool>,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Members {
    list: Vec<Member>,
    /// When the next quarantine ends.
    next: Moment,
    /// When a quorum first voted.
    voting_since: Moment,
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
            seen: Moment::default(),
            recalled: Vec::new(),
            quarantine_end: Moment::default(),
            fault: Some(Fault::new(FaultCode::Connect, "still connecting")),
            untried: true,
            told: None,
        };
        Self {
            list: (0..nodes).map(|_| member()).collect(),
            next: Moment::NEVER,
            voting_since: Moment::NEVER,
            round_trip: Duration::ZERO,
        }
    }

    pub(super) fn recall(&mut self, node: usize, predecessors: Vec<Predecessor>) {
        self.list[node].recalled = predecessors;
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
    pub(super) fn update(&mut self, config: &Config, now: Moment, node: usize, status: Status) -> Vec<Change> {
        let voting_since = self.voting_since;
        let member = &mut self.list[node];
        let status = match status {
            Status::Back => return self.come_back(now, node),
            Status::Up(identity) if config.has(Mutant::DuplicateCounted) => {
                Status::Up(Identity { run: None, ..identity })
            }
            status => status,
        };
        match &status {
            Status::Up(identity) => {
                let before = member.identity.as_ref().map(|before| (before, member.seen));
                let own = config.quarantined_until(now, identity, before, voting_since);
                let recalled = std::mem::take(&mut member.recalled);
                let others = recalled.iter().filter_map(|before| before.quarantines(config, now, identity));
                if let Some(end) = own.into_iter().chain(others).max() {
                    member.quarantine_end = member.quarantine_end.max(end);
                }
                if identity.run.is_some() || member.identity.is_none() {
                    member.identity = Some(identity.clone());
                }
            }
            Status::Down(_) if matches!(member.status, Status::Up(_) | Status::Back) => member.seen = now,
            Status::Down(_) | Status::Connecting | Status::Back => {}
        }
        member.untried &= status == Status::Connecting;
        member.status = status;
        let changes = self.refresh_all(now);
        if self.voting() >= config.quorum {
            self.voting_since = self.voting_since.min(now);
        }
        changes
    }

    /// It was silent, and is not any more: whatever it was before that, it is again.
    fn come_back(&mut self, now: Moment, node: usize) -> Vec<Change> {
        self.list[node].status = Status::Back;
        self.refresh_all(now)
    }

    /// Time has passed: a quarantine may be over.
    pub(super) fn refresh_all(&mut self, now: Moment) -> Vec<Change> {
        let changes = (0..self.list.len()).filter_map(|index| self.refresh(index, now)).collect();
        let ends = (0..self.list.len()).filter(|node| self.is_quarantined(*node));
        self.next = ends.map(|node| self.list[node].quarantine_end).min().unwrap_or(Moment::NEVER);
        changes
    }

    /// When the next quarantine ends.
    pub(super) fn next(&self) -> Moment {
        self.next
    }

    /// It is sent everything, so that it fills up, but its word does not count.
    pub(super) fn is_quarantined(&self, node: usize) -> bool {
        self.fault(node).is_some_and(|fault| fault.code == FaultCode::Quarantined)
    }

    /// It can be asked, whether or not its word counts.
    pub(super) fn is_reachable(&self, node: usize) -> bool {
        self.fault(node).is_none() || self.is_quarantined(node)
    }

    /// Why it does not vote, as of now.
    pub(super) fn fault_at(&self, node: usize, now: Moment) -> Option<Fault> {
        let fault = self.fault(node)?;
        let left = || self.list[node].quarantine_end.since(now);
        Some(if self.is_quarantined(node) { quarantine(left()) } else { fault.clone() })
    }

    /// What has been told so far, as it stands now.
    pub(super) fn changes(&self, now: Moment) -> VecDeque<Change> {
        let told = (0..self.list.len()).filter(|node| self.list[*node].told.is_some());
        told.map(|node| Change { node, fault: self.fault_at(node, now) }).collect()
    }

    fn refresh(&mut self, index: usize, now: Moment) -> Option<Change> {
        let fault = match &self.list[index].status {
            Status::Connecting => return None,
            Status::Down(fault) => Some(fault.clone()),
            Status::Up(_) | Status::Back => self
                .double(index)
                .map(|first| Fault::new(FaultCode::Duplicate, format!("the same server as node {}", first + 1)))
                .or_else(|| self.quarantine(index, now)),
        };
        // The reason may change with each try to connect; only whether it votes is news, or that it will in time.
        let was_quarantined = self.is_quarantined(index);
        let member = &mut self.list[index];
        let told = member.told.replace(fault.is_none());
        member.fault.clone_from(&fault);
        let is_news = told != member.told || (self.is_quarantined(index) && !was_quarantined);
        is_news.then_some(Change { node: index, fault })
    }

    fn quarantine(&self, index: usize, now: Moment) -> Option<Fault> {
        let end = self.list[index].quarantine_end;
        (now < end).then(|| quarantine(end.since(now)))
    }

    /// The earlier node that is the same server.
    fn double(&self, index: usize) -> Option<usize> {
        let run = |member: &Member| member.identity.as_ref().and_then(|identity| identity.run.clone());
        let own = run(&self.list[index])?;
        self.list[..index].iter().position(|earlier| run(earlier).is_some_and(|run| run == own))
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
    use crate::lock::tests::script::config;

    fn up(identity: &str) -> Status {
        Status::Up(Identity { run: Some(identity.into()), uptime: Some(Duration::ZERO), ..Identity::default() })
    }

    const NOW: Moment = Moment::from_nanos(1);

    fn update(members: &mut Members, node: usize, status: Status) -> Vec<Change> {
        members.update(&config(3), NOW, node, status)
    }

    fn codes(members: &Members) -> Vec<Option<FaultCode>> {
        (0..members.len()).map(|node| members.fault(node).map(|fault| fault.code)).collect()
    }

    #[test]
    fn the_second_address_of_one_server_is_a_duplicate_in_whatever_order_they_come_up() {
        let mut members = Members::new(3);
        update(&mut members, 1, up("a"));
        update(&mut members, 2, up("b"));
        assert_eq!(codes(&members), [Some(FaultCode::Connect), None, None]);
        let changes: Vec<_> = update(&mut members, 0, up("a")).iter().map(|change| change.node).collect();
        assert_eq!(changes, [0, 1]);
        assert_eq!(codes(&members), [None, Some(FaultCode::Duplicate), None]);
    }

    #[test]
    fn a_duplicate_stays_one_while_the_first_is_away_and_votes_when_the_first_is_another_server() {
        let mut members = Members::new(2);
        update(&mut members, 0, up("a"));
        update(&mut members, 1, up("a"));
        update(&mut members, 0, Status::Down(Fault::new(FaultCode::Connect, "refused")));
        assert_eq!(codes(&members), [Some(FaultCode::Connect), Some(FaultCode::Duplicate)]);
        update(&mut members, 0, up("c"));
        assert_eq!(codes(&members), [None, None]);
    }

    #[test]
    fn a_server_that_was_promoted_between_two_handshakes_is_still_a_duplicate() {
        let mut members = Members::new(2);
        update(&mut members, 0, up("a"));
        let promoted = Identity { run: Some("a".into()), promotion: Some("p".into()), ..Identity::default() };
        update(&mut members, 1, Status::Up(promoted));
        assert_eq!(codes(&members), [None, Some(FaultCode::Duplicate)]);
    }

    #[test]
    fn a_change_of_the_reason_alone_is_no_news() {
        let mut members = Members::new(1);
        let down = |text: &str| Status::Down(Fault::new(FaultCode::Connect, text));
        assert_eq!(update(&mut members, 0, down("refused")).len(), 1);
        assert_eq!(update(&mut members, 0, down("refused again")).len(), 0);
        assert_eq!(&*members.fault(0).unwrap().message, "refused again");
        assert_eq!(update(&mut members, 0, up("a")).len(), 1);
        assert_eq!(update(&mut members, 0, up("a")).len(), 0);
    }

    #[test]
    fn settled_by_the_last_one_or_by_a_quorum_when_the_patience_is_over() {
        let mut members = Members::new(3);
        let down = || Status::Down(Fault::new(FaultCode::Connect, "refused"));
        update(&mut members, 0, up("a"));
        assert!(!members.are_settled(2, false));
        update(&mut members, 1, up("b"));
        assert!(!members.are_settled(2, true));
        assert!(members.are_settled(2, false));
        update(&mut members, 1, down());
        assert!(!members.are_settled(2, false));
        update(&mut members, 2, down());
        assert!(members.are_settled(2, true));
    }
}
