//! Keeping a lease, and losing it.

use super::script::{Script, call, config, ms};
use crate::lock::{Call, Config, Event, Kind, Lost, Slot, Verdict};
use crate::node::{Command, Id, Moment};

fn renewed(ttl: u64) -> Call {
    Call { renew: true, ..call("k", ms(ttl)) }
}

/// Lets time pass, with all messages delivered and the JavaScript thread alive.
fn live(script: &mut Script, span: u64) {
    for _ in 0..span / 5 {
        script.advance(ms(5));
        script.step(Event::Seen { client: 0 });
        script.settle();
    }
}

fn lost(script: &mut Script, slot: Slot) -> Option<Lost> {
    let kinds = script.drain();
    kinds.into_iter().find_map(|(of, kind)| match kind {
        Kind::Lost(reason) if of == slot => Some(reason),
        _ => None,
    })
}

#[test]
fn without_renewal_it_is_lost_at_its_deadline() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(1000)));
    live(&mut script, 985);
    assert_eq!(lost(&mut script, slot), None);
    live(&mut script, 5);
    assert_eq!(lost(&mut script, slot), Some(Lost::Expired));
    assert_eq!(script.remaining(slot), ms(0));
}

#[test]
fn validity_is_computed_when_asked_and_not_by_a_timer() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.now = script.now + ms(988);
    assert_eq!(script.remaining(slot), ms(0), "the process was stopped, and no timer has fired yet");
}

#[test]
fn renewal_keeps_it() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    live(&mut script, 20_000);
    assert_eq!(lost(&mut script, slot), None);
    assert!(script.remaining(slot) > ms(500));
    let renewals = script.core.counters(0).extended;
    assert!((60..90).contains(&renewals), "a third of the validity apart: {renewals}");
    assert_eq!(script.core.counters(0).renewed_late, 0);
}

#[test]
fn a_renewal_counts_from_when_it_was_sent() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.advance(ms(330));
    script.now = script.now + ms(200);
    script.settle();
    assert_eq!(script.remaining(slot), ms(988 - 200));
}

#[test]
fn one_ack_of_three_is_not_enough() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.advance(ms(330));
    script.deliver(0);
    assert_eq!(script.remaining(slot), ms(988 - 330));
}

#[test]
fn silence_makes_it_uncertain_until_the_old_deadline_and_then_lost() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    let mut asked = 0;
    for _ in 0..987 {
        script.advance(ms(1));
        asked += script.take(0).len();
        script.take(1);
        script.take(2);
        assert_eq!(lost(&mut script, slot), None);
    }
    script.advance(ms(1));
    assert_eq!(lost(&mut script, slot), Some(Lost::Expired));
    assert!((2..40).contains(&asked), "asked again, but not in a hot loop: {asked}");
}

#[test]
fn nodes_that_are_down_are_not_asked_in_a_hot_loop_either() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(5000));
    (0..3).for_each(|node| script.down(node));
    let mut wakes = 0;
    while lost(&mut script, slot).is_none() {
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        wakes += 1;
    }
    assert!(wakes < 400, "{wakes}");
}

#[test]
fn comes_back_from_uncertain_when_a_quorum_does() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.down(0);
    script.down(1);
    live(&mut script, 800);
    assert_eq!(lost(&mut script, slot), None);
    script.up(0);
    live(&mut script, 2000);
    assert_eq!(lost(&mut script, slot), None);
    assert!(script.remaining(slot) > ms(300));
    assert_eq!(script.core.counters(0).renewed_late, 1);
}

#[test]
fn gone_on_a_majority_is_lost_at_once_and_on_a_minority_is_not() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.nodes[0].restart_empty();
    live(&mut script, 1500);
    assert_eq!(lost(&mut script, slot), None);
    script.nodes[0].restart_empty();
    script.nodes[1].restart_empty();
    live(&mut script, 400);
    assert_eq!(lost(&mut script, slot), Some(Lost::Gone));
}

#[test]
fn a_node_that_came_back_empty_is_filled_with_what_is_left_and_votes_from_the_next_round_on() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.nodes[2].restart_empty();
    script.advance(ms(330));
    script.settle();
    script.advance(ms(330));
    assert_eq!(script.commands(0), [Command::Extend { ttl_ms: 1000 }]);
    let [Command::Acquire { ttl_ms }] = script.commands(2)[..] else { panic!("it is filled") };
    assert!(ttl_ms < 700, "with what is left: {ttl_ms}");
    // Nothing arrived: uncertain, so that it is asked again; the others are silent now for good.
    script.advance(ms(250));
    script.take(0);
    script.settle();
    let before = script.remaining(slot);
    assert!(before <= ms(988), "a filled node does not count in the round that fills it");
}

#[test]
fn a_node_whose_grant_is_on_its_way_is_extended_and_not_filled() {
    let mut script = Script::new(3);
    let slot = script.acquire(call("k", ms(1000)));
    script.deliver(0);
    script.deliver(1);
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
    script.step(Event::Extend { slot, ttl: ms(5000) });
    let late = script.take(2);
    assert_eq!(late[1].command, Command::Extend { ttl_ms: 5000 });
    script.execute(2, &late[0]);
    script.execute(2, &late[1]);
    script.deliver(0);
    assert_eq!(script.drain(), [(slot, Kind::Extended { ttl_ms: 5000 })], "its word counts");
    assert_eq!(script.nodes[2].expiry("k"), Some(script.now + ms(5000)));
}

#[test]
fn a_filled_node_replaces_one_that_went_down() {
    let mut script = Script::new(3);
    script.down(2);
    let slot = script.grant(renewed(1000));
    script.up(2);
    live(&mut script, 700);
    script.down(0);
    live(&mut script, 5000);
    assert_eq!(lost(&mut script, slot), None);
    assert_eq!(script.holders("k"), 2, "0 has let it expire");
}

#[test]
fn an_answer_to_an_older_round_does_not_count() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.advance(ms(330));
    let old: Vec<_> = (0..3).map(|node| script.take(node)).collect();
    script.advance(ms(250));
    let deadline = script.now + script.remaining(slot);
    for (node, requests) in old.iter().enumerate() {
        script.execute(node, &requests[0]);
    }
    assert_eq!(script.now + script.remaining(slot), deadline);
}

#[test]
fn lost_is_final() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed(1000));
    script.advance(ms(330));
    let late: Vec<_> = (0..3).map(|node| script.take(node)).collect();
    script.advance(ms(700));
    assert_eq!(lost(&mut script, slot), Some(Lost::Expired));
    for (node, requests) in late.iter().enumerate() {
        script.execute(node, &requests[0]);
    }
    assert_eq!(script.remaining(slot), ms(0));
    script.settle();
    assert_eq!(script.holders("k"), 0, "what a late extension keeps alive is released");
}

#[test]
fn renewal_stops_at_max_hold() {
    let mut script = Script::with(Config { max_hold: ms(3000), ..config(3) });
    let slot = script.grant(renewed(1000));
    live(&mut script, 3000);
    assert_eq!(lost(&mut script, slot), None);
    live(&mut script, 1000);
    assert_eq!(lost(&mut script, slot), Some(Lost::MaxHold));
}

#[test]
fn renewal_stops_when_the_javascript_thread_is_not_seen() {
    let mut script = Script::with(Config { stall_limit: ms(3000), ..config(3) });
    let slot = script.grant(renewed(1000));
    let mut asked = false;
    let start = script.now;
    while lost(&mut script, slot).is_none() {
        script.advance(ms(5));
        script.settle();
        asked |= script.core.has_news(0);
        assert!(script.now.since(start) < ms(5000));
    }
    assert!(asked, "it was asked for a sign of life");
    assert!(script.now.since(start) > ms(3000));
}

#[test]
fn an_idle_thread_is_asked_before_it_is_taken_for_stalled() {
    // The renewals are further apart than the stall limit.
    let mut script = Script::with(Config { stall_limit: ms(300), ..config(3) });
    let slot = script.grant(renewed(6000));
    for _ in 0..60_000 / 5 {
        script.advance(ms(5));
        script.settle();
        if script.core.has_news(0) {
            script.step(Event::Seen { client: 0 });
        }
        assert_eq!(lost(&mut script, slot), None);
    }
}

#[test]
fn a_key_that_another_client_holds_is_not_extended() {
    let mut script = Script::new(1);
    let slot = script.grant(call("k", ms(1000)));
    script.nodes[0].set("k", Id::from_bits(9, 9), Moment::NEVER);
    script.step(Event::Extend { slot, ttl: ms(1000) });
    script.settle();
    let kinds: Vec<_> = script.drain().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, [Kind::ExtendFailed, Kind::Lost(Lost::Gone)]);
}

#[test]
fn a_grant_that_never_waited_and_was_taken_too_late_leaves_the_key_to_others() {
    let mut script = Script::new(3);
    let slot = script.acquire(Call { once: true, ..call("k", ms(500)) });
    script.settle();
    live(&mut script, 1000);
    assert_eq!(script.drain(), [(slot, Kind::Failed(Verdict::Contended))], "nobody took it in time");
    let next = script.acquire(call("k", ms(500)));
    assert_eq!(script.run(next, ms(100)), Kind::Granted);
}

#[test]
fn what_a_node_says_to_being_filled_is_no_vote_however_often_it_says_it() {
    let mut script = Script::new(3);
    script.nodes[0].set("k", Id::from_bits(9, 9), script.now + ms(100));
    let slot = script.grant(renewed(1000));
    script.settle();
    script.advance(ms(340));
    let fill = script.take(0);
    assert!(matches!(fill[0].command, Command::Acquire { .. }), "{fill:?}");
    script.deliver(1);
    let before = script.remaining(slot);
    for _ in 0..2 {
        script.execute(0, &fill[0]);
        let granted = crate::node::Reply::Voted { yes: 1, no: 0, fault: None };
        let answer = crate::node::Answer { tag: fill[0].tag, reply: granted };
        script.step(Event::Answer { node: 0, answer });
    }
    assert_eq!(script.remaining(slot), before, "one of three has prolonged it");
    script.deliver(2);
    assert!(script.remaining(slot) > before);
}
