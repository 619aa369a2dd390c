//! Between the grant and the JavaScript thread that takes it.

use super::script::{Script, call, ms};
use crate::lock::{Call, Event, Kind};
use crate::node::Command;

#[test]
fn a_grant_that_was_not_taken_yet_can_be_cancelled() {
    let mut script = Script::new(3);
    let slot = script.acquire(call("k", ms(1000)));
    script.settle();
    script.step(Event::Cancel { slot });
    assert_eq!(script.drain(), [(slot, Kind::Cancelled)]);
    script.settle();
    assert_eq!((script.holders("k"), script.core.held(0)), (0, 0));
}

#[test]
fn a_grant_that_ran_out_before_it_was_taken_is_a_failed_round() {
    let mut script = Script::new(3);
    let slot = script.acquire(call("k", ms(100)));
    script.settle();
    script.advance(ms(150));
    assert_eq!(script.drain(), [], "the JavaScript thread hears nothing of it");
    assert_eq!(script.run(slot, ms(5000)), Kind::Granted);
    assert_eq!(script.core.counters(0).lost, 0);
}

#[test]
fn what_nodes_say_to_its_renewals_is_no_grant_to_who_takes_it_too_late() {
    let mut script = Script::new(3);
    let slot = script.acquire(Call { renew: true, ..call("k", ms(1000)) });
    let late = script.take(2);
    (0..2).for_each(|node| script.deliver(node));
    // The JavaScript thread is busy. Of the renewals, node 2 is the only one to hear, and its answers take long.
    let mut renewals = Vec::new();
    for _ in 0..200 {
        script.advance(ms(5));
        (0..2).for_each(|node| drop(script.take(node)));
        renewals.extend(script.take(2).into_iter().filter(|request| matches!(request.command, Command::Extend { .. })));
    }
    assert!(renewals.len() > 1, "{renewals:?}");
    let answers: Vec<_> =
        late.iter().chain(&renewals).map(|request| script.nodes[2].run(script.now, request)).collect();

    assert_eq!(script.drain(), [], "it ran out before it was taken");
    for _ in 0..20 {
        script.advance(script.core.next_timer().since(script.now));
        script.deliver(0);
        (1..3).for_each(|node| drop(script.take(node)));
        for answer in &answers {
            script.step(Event::Answer { node: 2, answer: answer.clone() });
        }
        assert_eq!(script.drain(), [], "one node of three grants it");
    }
    let Kind::Granted = script.run(slot, ms(5000)) else { panic!("it is free") };
}
