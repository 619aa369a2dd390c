//! Extending a lease, at the user's word.

use super::script::{Script, call, ms};
use crate::lock::{Call, Event, Kind, Lost};
use crate::node::{Command, FaultCode};

#[test]
fn extend_raises_the_deadline_and_shortens_only_the_handles_own() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(1000)));
    script.step(Event::Extend { slot, ttl: ms(5000) });
    assert_eq!(script.run(slot, ms(100)), Kind::Extended { ttl_ms: 5000 });
    assert_eq!(script.remaining(slot), ms(5000 - 52));
    script.step(Event::Extend { slot, ttl: ms(100) });
    assert_eq!(script.run(slot, ms(100)), Kind::Extended { ttl_ms: 100 });
    assert_eq!(script.remaining(slot), ms(100 - 3));
    assert_eq!(script.nodes[0].expiry("k"), Some(script.now + ms(5000)), "never shortened on a node");
}

#[test]
fn an_extension_that_no_quorum_confirms_fails_when_the_lock_is_lost() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(1000)));
    script.step(Event::Extend { slot, ttl: ms(5000) });
    for node in 0..3 {
        script.fail(node, FaultCode::NoPerm);
    }
    let mut kinds = Vec::new();
    while !kinds.contains(&Kind::Lost(Lost::Expired)) {
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        for node in 0..3 {
            script.fail(node, FaultCode::NoPerm);
        }
        kinds.extend(script.drain().into_iter().map(|(_, kind)| kind));
    }
    assert_eq!(kinds, [Kind::ExtendFailed, Kind::Lost(Lost::Expired)]);
}

#[test]
fn an_extension_under_a_renewal_is_served_after_it() {
    let mut script = Script::new(3);
    let slot = script.grant(Call { renew: true, ..call("k", ms(1000)) });
    script.advance(ms(330));
    script.step(Event::Extend { slot, ttl: ms(3000) });
    script.settle();
    assert_eq!(script.drain(), [(slot, Kind::Extended { ttl_ms: 3000 })]);
    assert_eq!(script.remaining(slot), ms(3000 - 32));
}

#[test]
fn extending_what_is_lost_fails() {
    let mut script = Script::new(3);
    let slot = script.grant(call("k", ms(100)));
    script.advance(ms(100));
    script.drain();
    script.step(Event::Extend { slot, ttl: ms(100) });
    assert_eq!(script.drain(), [(slot, Kind::ExtendFailed)]);
}

#[test]
fn a_node_that_is_filled_gets_no_ttl_that_ends_before_the_handle() {
    let mut script = Script::new(3);
    let slot = script.grant(Call { renew: true, ..call("k", ms(1000)) });
    script.settle();
    script.nodes[0].restart_empty();
    let filled = (0..2000).find_map(|_| {
        let left = script.remaining(slot) - ms(1);
        script.advance(ms(1));
        let requests = script.take(0);
        requests.iter().for_each(|request| script.execute(0, request));
        (1..3).for_each(|node| script.deliver(node));
        requests.iter().find_map(|request| match request.command {
            Command::Acquire { ttl_ms } => Some((ms(ttl_ms), left)),
            _ => None,
        })
    });
    let (ttl, left) = filled.expect("it is filled");
    assert!(ttl > left + left / 100 && ttl < left + ms(20), "{ttl:?}, with {left:?} left");
}
