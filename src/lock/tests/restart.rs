//! Nodes that restart: they are sent everything, and their word does not count until what they may have forgotten has
//! expired.

use std::time::Duration;

use super::script::{CONTENDED, Script, UNAVAILABLE, call, config, ms};
use crate::lock::{Call, Config, Event, Kind, Lost, Predecessor, RestartGuard, Retry, Status};
use crate::node::{FaultCode, Id, Identity};

const OTHER: Id = Id::NIL;
/// Of a ttl of 5 s: its drift, and the second that uptimes are short of.
const QUARANTINE: Duration = ms(5000 + 52 + 1000);

impl Script {
    fn guarded() -> Self {
        let config = Config { restart_guard: RestartGuard::Observed, max_ttl: ms(5000), ..config(3) };
        let mut script = Self::unconnected(config);
        (0..3).for_each(|node| script.answers_as(node, "first"));
        script.core.next_change(0);
        script
    }

    fn answers_as(&mut self, node: usize, run: &str) {
        let run = Some(format!("{run} of {node}").into());
        let identity = Identity { run, uptime: Some(Duration::ZERO), ..Identity::default() };
        self.step(Event::Node { node, status: Status::Up(identity) });
    }

    fn restarts_empty(&mut self, node: usize) {
        self.down(node);
        self.nodes[node].restart_empty();
        self.answers_as(node, "second");
    }

    fn code(&self, node: usize) -> Option<FaultCode> {
        self.core.fault(self.now, node).map(|fault| fault.code)
    }

    /// Time passes in small steps, with everything delivered.
    fn live(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.settle();
            self.drain();
            self.now = self.core.next_timer().max(self.now + ms(1)).min(end);
            self.step(Event::Tick);
        }
        self.settle();
        self.drain();
    }
}

fn once(key: &str) -> Call {
    Call { once: true, retry: Retry::ONCE, ..call(key, ms(5000)) }
}

#[test]
fn whom_others_of_the_process_have_met_before_is_known_at_the_first_contact() {
    for (recalled, guard, voted) in [
        ("first", RestartGuard::Observed, true),
        ("second", RestartGuard::Observed, false),
        ("second", RestartGuard::Off, true),
        // It says that it has been there for no time at all.
        ("first", RestartGuard::Strict, false),
    ] {
        let mut script = Script::unconnected(Config { restart_guard: guard, max_ttl: ms(5000), ..config(3) });
        let identity = |run: &str| Identity { run: Some(format!("{run} of 1").into()), ..Identity::default() };
        let met = |run: &str, replaced| Predecessor { identity: identity(run), seen: script.now, replaced };
        // It may also be the one before the last that was met.
        let known = vec![met(recalled, None), met("first", Some(script.now))];
        script.core.recall(1, known);
        script.answers_as(0, "first");
        assert_eq!(script.code(1), Some(FaultCode::Connect), "it has not been reached here");
        script.answers_as(1, "first");
        assert_eq!(script.code(1).is_none(), voted, "{recalled} {guard:?}");
    }
}

#[test]
fn what_a_restarted_node_grants_does_not_count() {
    let mut script = Script::guarded();
    // Another holds it on two nodes, of which one forgets it.
    for node in 0..2 {
        script.nodes[node].set("k", OTHER, script.now + ms(5000));
    }
    script.restarts_empty(1);
    assert_eq!(script.code(1), Some(FaultCode::Quarantined));
    let slot = script.acquire(once("k"));
    assert_eq!(script.run(slot, ms(100)), CONTENDED);
    script.settle();
    assert_eq!(script.holders("k"), 1, "what was granted is given back, also in quarantine");
}

#[test]
fn without_the_guard_two_hold_it() {
    let mut script = Script::with(config(3));
    for node in 0..2 {
        script.nodes[node].set("k", OTHER, script.now + ms(5000));
    }
    script.restarts_empty(1);
    let slot = script.acquire(once("k"));
    assert_eq!(script.run(slot, ms(100)), Kind::Granted);
}

#[test]
fn it_votes_again_when_everything_has_expired_that_it_may_have_forgotten() {
    let mut script = Script::guarded();
    script.restarts_empty(1);
    let changes: Vec<_> = std::iter::from_fn(|| script.core.next_change(0)).collect();
    let told = changes.last().expect("it is told");
    let fault = told.fault.clone().expect("it does not vote");
    assert_eq!((told.node, fault.code), (1, FaultCode::Quarantined));
    assert!(fault.message.contains("7 s"), "{}", fault.message);
    let end = script.now + QUARANTINE;
    assert!(script.core.next_timer() <= end);
    script.live(QUARANTINE - ms(1));
    assert_eq!(script.code(1), Some(FaultCode::Quarantined));
    script.live(ms(1));
    assert_eq!((script.now, script.code(1)), (end, None));
    let told = script.core.next_change(0).expect("it is told");
    assert!(told.node == 1 && told.fault.is_none());
}

#[test]
fn a_lost_connection_alone_is_no_restart() {
    let mut script = Script::guarded();
    script.down(1);
    script.answers_as(1, "first");
    assert_eq!(script.code(1), None);
}

#[test]
fn all_restarted_nobody_is_granted_anything_until_then() {
    let mut script = Script::guarded();
    (0..3).for_each(|node| script.restarts_empty(node));
    let slot = script.acquire(once("k"));
    assert_eq!(script.run(slot, ms(100)), UNAVAILABLE);
    let patient = Call { retry: Retry::new(Some(ms(60_000)), 0, ms(30_000), ms(30_000)), ..call("k", ms(5000)) };
    let slot = script.acquire(patient);
    assert_eq!(script.run(slot, QUARANTINE + ms(100)), Kind::Granted);
}

#[test]
fn a_lease_outlives_one_restart_and_the_node_is_its_voter_again_afterwards() {
    let mut script = Script::guarded();
    let slot = script.grant(Call { renew: true, ..call("k", ms(3000)) });
    script.settle();
    script.restarts_empty(2);
    script.live(ms(4000));
    assert!(script.remaining(slot) > ms(0));
    assert_eq!(script.holders("k"), 3, "it is filled in quarantine");
    script.live(ms(6000));
    // Now another may go: two of three are still voters.
    script.restarts_empty(0);
    script.live(ms(4000));
    assert!(script.remaining(slot) > ms(0));
}

#[test]
fn two_restarts_are_too_many_for_a_lease() {
    let mut script = Script::guarded();
    let slot = script.grant(Call { renew: true, ..call("k", ms(3000)) });
    script.settle();
    script.restarts_empty(1);
    script.live(ms(1500));
    assert!(script.remaining(slot) > ms(0));
    script.restarts_empty(2);
    script.kinds.clear();
    script.live(ms(1500));
    assert_eq!(script.remaining(slot), ms(0));
    assert_eq!(script.kinds, [(slot, Kind::Lost(Lost::Gone))]);
}

#[test]
fn granted_while_a_node_is_in_quarantine_it_has_that_voter_afterwards() {
    let mut script = Script::guarded();
    script.restarts_empty(0);
    let slot = script.grant(Call { renew: true, ..call("k", ms(3000)) });
    script.settle();
    assert_eq!(script.holders("k"), 3);
    script.live(QUARANTINE + ms(4000));
    // The other two could go one after the other.
    script.restarts_empty(1);
    script.live(ms(2500));
    assert!(script.remaining(slot) > ms(0));
    script.step(Event::Release { slot });
    script.settle();
    assert_eq!(script.holders("k"), 0);
}

#[test]
fn a_release_reaches_a_node_in_quarantine_at_once() {
    let mut script = Script::guarded();
    let slot = script.grant(call("k", ms(3000)));
    script.settle();
    script.down(2);
    script.answers_as(2, "second");
    assert_eq!(script.holders("k"), 3, "it has kept its data");
    script.step(Event::Release { slot });
    script.settle();
    assert_eq!(script.holders("k"), 0);
}

#[test]
fn a_server_that_has_told_who_it_is_and_does_not_any_more_may_be_another() {
    let mut script = Script::guarded();
    script.down(1);
    script.step(Event::Node { node: 1, status: Status::Up(Identity::default()) });
    assert_eq!(script.code(1), Some(FaultCode::Quarantined));
    script.live(QUARANTINE);
    assert_eq!(script.code(1), None);
    script.restarts_empty(1);
    assert_eq!(script.code(1), Some(FaultCode::Quarantined));
}

#[test]
fn silence_alone_is_no_restart_and_does_not_end_a_quarantine() {
    let mut script = Script::guarded();
    for code in [None, Some(FaultCode::Quarantined)] {
        script.down(1);
        script.step(Event::Node { node: 1, status: Status::Back });
        assert_eq!(script.code(1), code);
        script.restarts_empty(1);
    }
}

#[test]
fn a_node_that_was_away_from_the_start_and_started_meanwhile_does_not_vote() {
    let config = Config { restart_guard: RestartGuard::Observed, max_ttl: ms(5000), ..config(3) };
    let mut script = Script::unconnected(config);
    script.down(2);
    (0..2).for_each(|node| script.answers_as(node, "first"));
    script.live(ms(1000));
    // Another holds it on two nodes, of which this process has seen one only after it had forgotten it.
    script.nodes[0].set("k", OTHER, script.now + ms(5000));
    script.answers_as(2, "first");
    assert_eq!(script.code(2), Some(FaultCode::Quarantined));
    let slot = script.acquire(once("k"));
    assert_eq!(script.run(slot, ms(100)), CONTENDED);
    script.live(QUARANTINE);
    assert_eq!(script.code(2), None);
}

#[test]
fn nodes_that_start_together_vote_at_once_however_late() {
    let config = Config { restart_guard: RestartGuard::Observed, max_ttl: ms(5000), ..config(3) };
    let mut script = Script::unconnected(config);
    (0..3).for_each(|node| script.down(node));
    script.live(ms(30_000));
    script.answers_as(0, "first");
    script.live(ms(30_000));
    script.answers_as(1, "first");
    script.live(ms(999));
    script.answers_as(2, "first");
    assert_eq!([0, 1, 2].map(|node| script.code(node)), [None; 3]);
}
