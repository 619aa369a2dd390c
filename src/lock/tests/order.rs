//! Who calls earlier in a process is served earlier, also when keys are deleted under a holder.

use super::script::{Script, call, ms};
use crate::lock::{Call, Event, Kind, Retry};
use crate::node::Command;

fn waiting(wait: u64) -> Call {
    Call { retry: Retry::new(Some(ms(wait)), 0, ms(50), ms(1000)), ..call("k", ms(2000)) }
}

#[test]
fn who_is_offered_a_lease_that_has_to_be_prolonged_keeps_its_place() {
    let mut script = Script::new(1);
    let holder = script.grant(call("k", ms(200)));
    let first = script.acquire(waiting(60_000));
    script.nodes[0].restart_empty();
    let trier = script.acquire(waiting(0));
    let second = script.acquire(waiting(60_000));
    script.step(Event::Release { slot: holder });

    // What was handed over is gone, but that is not known yet. Who did not wait has the key meanwhile, and lets go.
    let requests = script.take(0);
    let [acquire, extend] = &requests[..] else { panic!("{requests:?}") };
    script.execute(0, acquire);
    assert_eq!(script.drain().last(), Some(&(trier, Kind::Granted)));
    script.step(Event::Release { slot: trier });
    let release = script.take(0);
    assert!(matches!(release[..], [ref only] if only.command == Command::Release), "{release:?}");
    script.execute(0, &release[0]);

    script.execute(0, extend);
    assert_eq!(script.run(first, ms(100)), Kind::Granted);
    assert_eq!(script.remaining(second), ms(0));
    script.step(Event::Release { slot: first });
    assert_eq!(script.run(second, ms(100)), Kind::Granted);
}
