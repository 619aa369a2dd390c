//! With fencing: nodes whose clocks, or whose word of the fence, lie far from the others'.

use super::fencing::{fenced, patient};
use super::script::{Script, UNAVAILABLE, WALL, call, ms};
use crate::lock::{Call, Event, Kind, Retry};
use crate::node::{Answer, Command, Keys, Reply};

const SECOND: u64 = 1_000_000;

pub(super) fn once() -> Call {
    Call { once: true, retry: Retry::ONCE, ..call("k", ms(1000)) }
}

/// Two nodes of three, or three of five, set back by so many seconds; the key was last held two seconds ago.
#[test]
fn where_most_clocks_were_set_back_a_key_that_was_held_before_is_granted_in_one_round() {
    for (nodes, behind) in [(3, 2), (5, 3), (5, 4)] {
        for seconds in [8, 20, 60, 3000] {
            let mut script = fenced(nodes);
            let held = WALL - 2 * SECOND;
            for (index, node) in script.nodes.iter_mut().enumerate() {
                node.raise("k", held);
                node.clock = Some(if index < behind { WALL - seconds * SECOND } else { WALL });
            }
            for _ in 0..3 {
                let (slot, token) = script.hold(once());
                assert!(token > held, "{nodes} nodes, {behind} of them by {seconds} s");
                script.give_back(slot);
            }
        }
    }
}

#[test]
fn one_node_whose_fence_lies_far_ahead_is_not_followed() {
    for ahead in 0..3 {
        let mut script = fenced(3);
        for (index, node) in script.nodes.iter_mut().enumerate() {
            node.clock = Some(WALL);
            node.raise("k", if index == ahead { WALL + 3000 * SECOND } else { WALL + 100 });
        }
        let (slot, token) = script.hold(once());
        assert!(token < WALL + SECOND);
        script.give_back(slot);
    }
}

#[test]
fn one_node_that_names_a_later_token_each_time_leads_no_farther_than_clocks_may_differ() {
    let mut script = fenced(3);
    script.nodes[1..].iter_mut().for_each(|node| node.clock = Some(WALL));
    let mut last = WALL - 1;
    for _ in 0..30 {
        // It answers first.
        script.nodes[0].raise("k", last + 990_000);
        let (slot, token) = script.hold(once());
        assert!(token > last && token < WALL + 3 * SECOND, "{token}");
        script.give_back(slot);
        last = token;
    }
    assert!(last > WALL + SECOND, "it is followed as long as it may be right");
}

#[test]
fn what_is_proposed_next_passes_all_fences_that_are_known_and_near() {
    let mut script = fenced(3);
    for (index, node) in (0..).zip(script.nodes.iter_mut()) {
        node.clock = Some(WALL);
        node.raise("k", WALL + 1000 * (3 - index));
    }
    let slot = script.acquire(once());
    script.settle();
    assert_eq!(script.holders("k"), 3);
    script.give_back(slot);
}

/// Proposals of one call for a key, where nodes answer in this order, each before the next one is asked again.
pub(super) fn proposals(script: &mut Script, key: &str, order: &[usize]) -> usize {
    let slot = script.acquire(Call { retry: Retry::ONCE, once: true, ..call(key, ms(1000)) });
    let mut count = 0;
    while order.iter().any(|node| script.core.has_requests(*node)) {
        count += 1;
        order.iter().for_each(|node| script.deliver(*node));
    }
    assert_eq!(script.drain(), [(slot, Kind::Granted)], "{key}, proposed {count} times");
    script.step(Event::Release { slot });
    script.settle();
    script.drain();
    count
}

/// Some nodes far behind, or hostile, that answer first; of a key that others have just held, at the nodes that are right.
#[test]
fn a_minority_whose_clocks_are_wrong_leads_nobody_astray_though_it_answers_first() {
    const MINUTE: u64 = 60 * SECOND;
    // The client's own clock may be wrong as well: the others are right.
    for now in [WALL, WALL + 1000 * SECOND, WALL - 1000 * SECOND] {
        for wrong in
            [&[now - MINUTE][..], &[now - 6 * SECOND], &[1], &[now + MINUTE], &[now - MINUTE, now - 20 * SECOND]]
        {
            let mut script = fenced(2 * wrong.len() + 1);
            for (index, node) in script.nodes.iter_mut().enumerate() {
                node.clock = Some(wrong.get(index).copied().unwrap_or(now));
            }
            let order: Vec<usize> = (0..script.nodes.len()).collect();
            proposals(&mut script, "first", &order);
            for held in 0..10 {
                let key = format!("held {held}");
                script.nodes[wrong.len()..].iter_mut().for_each(|node| node.raise(&key, now + 1000 * held));
                let proposed = proposals(&mut script, &key, &order);
                assert!(proposed <= 2, "{proposed} times, {wrong:?} and {now}");
                let fresh = proposals(&mut script, &format!("fresh {held}"), &order);
                assert_eq!(fresh, 1, "it knows the time, {wrong:?}");
            }
        }
    }
}

/// It answers every acquire first, whatever is proposed; first of keys that nobody has held, then of such that others have just
/// held at one of the right nodes.
#[test]
fn one_node_that_names_any_time_as_its_own_keeps_nobody_from_a_key_for_long() {
    for now in [WALL, WALL + 1000 * SECOND] {
        for names in [-7200i64, -60, -8, -5, 3, 6, 8, 60] {
            let mut script = fenced(3);
            script.nodes[1..].iter_mut().for_each(|node| node.clock = Some(now));
            let mut granted = 0;
            for round in 0..20 {
                let key = format!("{round}");
                if round > 2 {
                    script.nodes[1].raise(&key, now + 100_000);
                }
                let slot = script.acquire(Call { keys: Keys::one(&key), ..once() });
                while (0..3).any(|node| script.core.has_requests(node)) {
                    for request in script.take(0) {
                        let Some(tokens) = request.tokens else { continue };
                        let clock = tokens.first.saturating_add_signed(names * SECOND as i64);
                        let answer = Answer { tag: request.tag, reply: Reply::Untimely { clock } };
                        if matches!(request.command, Command::Acquire { .. }) {
                            script.step(Event::Answer { node: 0, answer });
                        }
                    }
                    script.deliver(1);
                    script.deliver(2);
                }
                granted += usize::from(script.drain().contains(&(slot, Kind::Granted)));
                script.step(Event::Release { slot });
                script.settle();
                script.drain();
            }
            assert!(granted >= 17, "{granted} of 20 where it names {names} s, and the others are at {now}");
        }
    }
}

/// It answers first, and asks for a little more each time; of a key whose fence lies three seconds ahead at the others.
#[test]
fn one_node_that_answers_first_has_not_its_way_with_those_that_have_said_nothing() {
    for nodes in [3, 5] {
        let mut script = fenced(nodes);
        script.nodes[1..].iter_mut().for_each(|node| {
            node.clock = Some(WALL);
            node.raise("k", WALL + 3 * SECOND);
        });
        let slot = script.acquire(once());
        while (0..nodes).any(|node| script.core.has_requests(node)) {
            for request in script.take(0) {
                let Some(tokens) = request.tokens else { continue };
                let answer = Answer { tag: request.tag, reply: Reply::Outbid { least: tokens.first + 100_000 } };
                script.step(Event::Answer { node: 0, answer });
            }
            (1..nodes).for_each(|node| script.deliver(node));
        }
        assert_eq!(script.drain(), [(slot, Kind::Granted)], "{nodes} nodes");
    }
}

/// One that is an hour ahead, beside one that is right and one that is down.
#[test]
fn where_no_quorum_can_agree_fences_are_not_raised_far_ahead_in_vain() {
    let mut script = fenced(3);
    script.nodes[1].clock = Some(WALL);
    script.nodes[2].clock = Some(WALL + 3600 * SECOND);
    script.down(0);
    let slot = script.acquire(once());
    script.settle();
    assert_eq!(script.drain(), [(slot, UNAVAILABLE)]);
    assert!(script.nodes[2].fence("k") < WALL + SECOND);
    script.nodes[2].clock = Some(WALL);
    script.hold(once());
}

/// Of five, one is far behind, and one has forgotten the fence that all others have; the last one answers late.
#[test]
fn a_fence_that_lies_seconds_ahead_at_a_quorum_is_passed_though_one_of_it_is_silent() {
    let mut script = fenced(5);
    script.nodes.iter_mut().for_each(|node| node.clock = Some(WALL));
    script.nodes[0].clock = Some(WALL - 7200 * SECOND);
    script.nodes[2..].iter_mut().for_each(|node| node.raise("k", WALL + 2 * SECOND));
    assert_eq!(proposals(&mut script, "k", &[0, 1, 2, 3, 4]), 2);
}

#[test]
fn fences_of_a_quorum_that_lie_ahead_are_passed_though_the_node_that_answers_first_has_none() {
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0]] {
        let mut script = fenced(3);
        script.nodes.iter_mut().for_each(|node| node.clock = Some(WALL));
        script.nodes[1..].iter_mut().for_each(|node| node.raise("k", WALL + 20 * SECOND));
        assert!(proposals(&mut script, "k", &order) <= 2);
    }
}

/// A node that is to be filled answers whatever it likes: it is not filled, and nothing follows it.
#[test]
fn the_tokens_of_a_lease_that_is_held_do_not_follow_a_node_that_is_filled() {
    let mut script = fenced(3);
    script.nodes.iter_mut().for_each(|node| node.clock = Some(WALL));
    let waiting = || Call { renew: true, ..patient("k") };
    let (mut holder, token) = script.hold(waiting());
    script.nodes[2].restart_empty();
    script.nodes[2].raise("k", WALL + 3000 * SECOND);
    script.nodes[2].clock = Some(WALL + 3000 * SECOND);
    for _ in 0..5 {
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        script.settle();
    }
    assert!(script.remaining(holder) > ms(0));
    assert_eq!(script.nodes[2].fence("k"), WALL + 3000 * SECOND);
    let mut last = token;
    for _ in 0..200 {
        let next = script.acquire(waiting());
        script.step(Event::Release { slot: holder });
        let token = script.token_of(next);
        assert!(token > last && token < WALL + SECOND, "{token} after {last}");
        (holder, last) = (next, token);
    }
    script.give_back(holder);
    assert!(script.nodes[..2].iter().all(|node| node.fence("k") < WALL + 6 * SECOND));
}
