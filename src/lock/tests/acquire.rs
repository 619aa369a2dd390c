//! From the call to the grant or the verdict.

use super::script::{CONTENDED, Script, UNAVAILABLE, call, config, ms};
use crate::lock::{Call, Event, Kind, Retry, VoteSeen};
use crate::node::{Command, FaultCode, Id, Keys, Moment};

fn once(key: &str) -> Call {
    Call { retry: Retry::new(Some(ms(0)), 0, ms(50), ms(1000)), ..call(key, ms(1000)) }
}

#[test]
fn is_granted_at_the_quorum_without_the_third_node() {
    let mut script = Script::new(3);
    let slot = script.acquire(call("k", ms(1000)));
    script.deliver(0);
    assert_eq!(script.drain(), []);
    script.deliver(1);
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
    assert_eq!(script.remaining(slot), ms(1000 - 10 - 2));
}

#[test]
fn validity_counts_from_before_the_request_was_sent() {
    let mut script = Script::new(3);
    let slot = script.acquire(call("k", ms(1000)));
    script.advance(ms(200));
    script.settle();
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
    assert_eq!(script.remaining(slot), ms(1000 - 200 - 12));
}

#[test]
fn a_grant_with_less_than_a_quarter_left_is_a_failed_round() {
    // Without the timer: the answers come in one go after the thread was stopped.
    let mut script = Script::new(3);
    let slot = script.acquire(once("k"));
    script.now = script.now + ms(800);
    script.settle();
    assert_eq!(script.drain(), [(slot, CONTENDED)]);
    assert_eq!(script.holders("k"), 0);
}

#[test]
fn decides_at_impossibility_for_an_even_number_of_nodes() {
    let mut script = Script::new(4);
    let other = Id::from_bits(1, 1);
    for node in 0..2 {
        script.nodes[node].set("k", other, Moment::NEVER);
    }
    let slot = script.acquire(Call { once: true, ..call("k", ms(1000)) });
    for node in 0..4 {
        script.deliver(node);
    }
    assert_eq!(script.drain(), [(slot, CONTENDED)]);
    assert!(matches!(script.failure(slot).votes[3], VoteSeen::Granted | VoteSeen::Pending));
    script.settle();
    assert_eq!(script.holders("k"), 2, "what was granted has been given back");
}

#[test]
fn a_failed_round_is_given_back_on_every_node_that_was_asked_also_on_a_silent_one() {
    let mut script = Script::new(3);
    script.nodes[0].set("k", Id::from_bits(1, 1), Moment::NEVER);
    script.nodes[1].set("k", Id::from_bits(1, 1), Moment::NEVER);
    script.acquire(once("k"));
    script.deliver(0);
    script.deliver(1);
    assert_eq!(script.commands(2), [Command::Acquire { ttl_ms: 1000 }, Command::Release]);
}

#[test]
fn each_round_has_an_id_of_its_own() {
    let mut script = Script::new(1);
    script.nodes[0].set("k", Id::from_bits(1, 1), script.now + ms(300));
    let slot = script.acquire(call("k", ms(1000)));
    let first = script.take(0)[0].clone();
    script.execute(0, &first);
    script.take(0);
    script.advance(ms(50));
    let second = script.take(0)[0].clone();
    assert_eq!((first.tag.round, second.tag.round), (1, 2));
    assert_ne!(first.id, second.id);
    script.execute(0, &second);
    assert_eq!(script.run(slot, ms(5000)), Kind::Granted);
}

#[test]
fn a_late_grant_of_a_failed_round_changes_nothing() {
    let mut script = Script::new(1);
    let slot = script.acquire(call("k", ms(1000)));
    let acquire = script.take(0);
    script.advance(ms(250));
    let release = script.take(0);
    assert_eq!(release[0].command, Command::Release);
    // The node was stopped, and now does everything in order.
    script.execute(0, &acquire[0]);
    assert_eq!(script.drain(), []);
    assert_eq!(script.holders("k"), 1);
    script.execute(0, &release[0]);
    assert_eq!(script.holders("k"), 0);
    assert_eq!(script.run(slot, ms(5000)), Kind::Granted);
}

#[test]
fn waits_for_the_holders_expiry_and_does_not_count_that_as_a_retry() {
    let mut script = Script::new(3);
    let expiry = script.now + ms(700);
    for node in &mut script.nodes {
        node.set("k", Id::from_bits(1, 1), expiry);
    }
    let retry = Retry::new(None, 1, ms(5000), ms(5000));
    let slot = script.acquire(Call { retry, ..call("k", ms(1000)) });
    assert_eq!(script.run(slot, ms(5000)), Kind::Granted);
    assert!(script.now >= expiry && script.now <= expiry + ms(2), "woken by the expiry, {:?}", script.now);
}

#[test]
fn says_when_to_come_back_and_who_refused() {
    let mut script = Script::new(3);
    let other = Id::from_bits(1, 1);
    for (node, left) in [(0, 400), (1, 900)] {
        let expiry = script.now + ms(left);
        script.nodes[node].set("k", other, expiry);
    }
    script.down(2);
    let slot = script.acquire(once("k"));
    assert_eq!(script.run(slot, ms(1000)), CONTENDED);
    let failure = script.failure(slot);
    assert_eq!((failure.attempts, failure.retry_after), (1, Some(ms(900))));
    assert!(matches!(failure.votes[0], VoteSeen::Refused { remaining: Some(left), .. } if left == ms(400)));
    assert!(matches!(&failure.votes[2], VoteSeen::Faulted(fault) if fault.code == FaultCode::Connect));
}

#[test]
fn the_default_retries_end_within_their_undrawn_sum() {
    let mut script = Script::new(3);
    for node in &mut script.nodes {
        node.set("k", Id::from_bits(1, 1), Moment::NEVER);
    }
    let start = script.now;
    let slot = script.acquire(call("k", ms(1000)));
    assert_eq!(script.run(slot, ms(10_000)), CONTENDED);
    assert_eq!(script.failure(slot).attempts, 11);
    let took = script.now.since(start);
    assert!(took >= ms(3275) && took <= ms(6550), "{took:?}");
}

#[test]
fn wait_is_the_total_time_and_ends_with_a_last_try_close_to_it() {
    let mut script = Script::new(3);
    for node in &mut script.nodes {
        node.set("k", Id::from_bits(1, 1), Moment::NEVER);
    }
    let start = script.now;
    let retry = Retry::new(Some(ms(100)), 0, ms(50), ms(1000));
    let slot = script.acquire(Call { retry, ..call("k", ms(1000)) });
    assert_eq!(script.run(slot, ms(1000)), CONTENDED);
    assert_eq!(script.now.since(start), ms(100));
    assert!(script.failure(slot).attempts >= 3);
}

#[test]
fn too_many_faults_are_unavailable_and_less_are_contended() {
    for (faulty, verdict) in [(1, CONTENDED), (2, UNAVAILABLE)] {
        let mut script = Script::new(3);
        for node in &mut script.nodes {
            node.set("k", Id::from_bits(1, 1), Moment::NEVER);
        }
        let slot = script.acquire(once("k"));
        for node in 0..faulty {
            script.fail(node, FaultCode::Oom);
        }
        assert_eq!(script.run(slot, ms(1000)), verdict);
    }
}

#[test]
fn a_node_that_is_down_is_a_fault_at_once_and_is_sent_nothing() {
    let mut script = Script::new(3);
    script.down(1);
    script.down(2);
    let slot = script.acquire(once("k"));
    assert_eq!(script.drain(), [(slot, UNAVAILABLE)]);
    assert_eq!(script.commands(1), []);
}

#[test]
fn the_first_round_waits_for_the_first_contact() {
    let mut script = Script::unconnected(config(3));
    let slot = script.acquire(Call { once: true, ..call("k", ms(1000)) });
    assert!(script.take(0).is_empty());
    script.up(0);
    assert!(script.take(0).is_empty());
    script.up(1);
    assert!(script.take(0).is_empty(), "the last node may be up in a moment");
    script.up(2);
    assert_eq!(script.run(slot, ms(1000)), Kind::Granted);
}

#[test]
fn the_first_round_does_not_wait_for_the_last_node_for_long() {
    let mut script = Script::unconnected(config(3));
    let slot = script.acquire(Call { once: true, ..call("k", ms(1000)) });
    let start = script.now;
    script.up(0);
    script.up(1);
    assert_eq!(script.run(slot, ms(1000)), Kind::Granted);
    assert_eq!(script.now.since(start), ms(250));
}

#[test]
fn no_contact_at_all_is_unavailable_after_the_connect_timeout() {
    let mut script = Script::unconnected(config(3));
    let slot = script.acquire(Call { once: true, ..call("k", ms(1000)) });
    let start = script.now;
    assert_eq!(script.run(slot, ms(5000)), UNAVAILABLE);
    assert_eq!(script.now.since(start), ms(2000));
}

#[test]
fn a_cancelled_attempt_gives_back_what_it_may_have_been_granted() {
    let mut script = Script::new(3);
    let slot = script.acquire(call("k", ms(1000)));
    script.swallow(0);
    script.step(Event::Cancel { slot });
    assert_eq!(script.drain(), [(slot, Kind::Cancelled)]);
    script.settle();
    assert_eq!(script.holders("k"), 0);
    assert_eq!(script.core.waiting(0), 0);
}

#[test]
fn several_keys_are_all_or_nothing() {
    let mut script = Script::new(3);
    for node in 0..2 {
        script.nodes[node].set("b", Id::from_bits(1, 1), Moment::NEVER);
    }
    let keys = Keys::many(vec!["a".into(), "b".into()]);
    let slot = script.acquire(Call { keys, ..once("a") });
    assert_eq!(script.run(slot, ms(1000)), CONTENDED);
    script.settle();
    assert_eq!((script.holders("a"), script.holders("b")), (0, 2));
}

#[test]
fn a_slot_is_free_once_its_end_was_taken() {
    let mut script = Script::new(3);
    for _ in 0..100 {
        let slot = script.grant(call("k", ms(1000)));
        script.step(Event::Release { slot });
        assert!(matches!(script.run(slot, ms(1000)), Kind::Released(_)));
        script.settle();
    }
    assert_eq!(script.core.slots.len(), 0);
}
