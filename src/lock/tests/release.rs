//! Giving back, and knowing what came of it.

use super::script::{Script, call, ms};
use crate::lock::{Event, Kind, Released, Slot};
use crate::node::{Command, FaultCode};

fn release(script: &mut Script, slot: Slot) -> Released {
    script.step(Event::Release { slot });
    match script.run(slot, ms(1000)) {
        Kind::Released(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn released_once_a_quorum_answered() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(1000)));
    script.step(Event::Release { slot });
    script.deliver(0);
    assert_eq!(script.drain(), []);
    script.deliver(1);
    assert_eq!(script.drain(), [(slot, Kind::Released(Released::Valid))]);
    assert_eq!(script.core.held(0), 0);
}

#[test]
fn expired_when_it_was_not_valid_any_more() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(100)));
    script.advance(ms(100));
    script.settle();
    script.drain();
    assert_eq!(release(&mut script, slot), Released::Expired);
}

#[test]
fn unknown_after_the_node_timeout_and_the_rest_is_asked_again_in_the_background() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(1000)));
    script.down(0);
    script.down(1);
    let start = script.now;
    script.step(Event::Release { slot });
    script.fail(0, FaultCode::Connect);
    script.fail(1, FaultCode::Connect);
    assert_eq!(script.drain(), [(slot, Kind::Released(Released::Unknown))]);
    assert_eq!(script.now, start, "at once: a quorum cannot be reached");
    script.deliver(2);
    assert_eq!(script.holders("k"), 2);
    script.up(0);
    script.up(1);
    script.settle();
    assert_eq!(script.holders("k"), 0);
    assert_eq!(script.core.slots.len(), 0);
}

#[test]
fn a_failure_that_comes_before_the_news_that_its_node_is_down_is_not_forgotten() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(30_000)));
    script.step(Event::Release { slot });
    for node in 0..2 {
        script.fail(node, FaultCode::Connect);
        script.down(node);
    }
    assert_eq!(script.drain(), [(slot, Kind::Released(Released::Unknown))]);
    script.settle();
    script.advance(ms(5000));
    script.up(0);
    script.up(1);
    script.settle();
    assert_eq!(script.holders("k"), 0);
}

#[test]
fn silence_is_unknown_within_the_node_timeout() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(1000)));
    script.step(Event::Release { slot });
    (0..3).for_each(|node| drop(script.take(node)));
    script.advance(ms(249));
    assert_eq!(script.drain(), []);
    script.advance(ms(1));
    assert_eq!(script.drain(), [(slot, Kind::Released(Released::Unknown))]);
    assert_eq!(script.core.slots.len(), 1, "answers may still come");
    script.advance(ms(1012));
    assert_eq!(script.core.slots.len(), 0, "by now the keys have expired");
}

#[test]
fn an_error_of_a_live_node_is_asked_again_with_growing_delays() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(5000)));
    script.step(Event::Release { slot });
    script.fail(0, FaultCode::NoPerm);
    script.settle();
    script.drain();
    let mut tries = 0;
    for _ in 0..5100 {
        script.advance(ms(1));
        tries += script.take(0).iter().filter(|request| request.command == Command::Release).count();
        script.fail(0, FaultCode::NoPerm);
    }
    assert_eq!(tries, 1, "the one that was taken was never answered, so that it is not asked again");
}

#[test]
fn a_node_that_was_down_at_the_acquire_is_not_asked() {
    let mut script = Script::new(3);
    script.down(2);
    let slot = script.grant(call("k", ms(1000)));
    script.step(Event::Release { slot });
    assert_eq!(script.commands(2), []);
}

#[test]
fn a_release_under_a_renewal_ignores_its_answers() {
    let mut script = Script::new(3);
    let slot = script.grant(crate::lock::Call { renew: true, ..call("k", ms(1000)) });
    script.advance(ms(330));
    let renewals: Vec<_> = (0..3).map(|node| script.take(node)).collect();
    script.step(Event::Release { slot });
    for (node, requests) in renewals.iter().enumerate() {
        script.execute(node, &requests[0]);
    }
    assert_eq!(script.drain(), []);
    script.settle();
    assert_eq!(script.drain(), [(slot, Kind::Released(Released::Valid))]);
}
