//! A process that has had its turn, and lets others try first.

use super::script::{CONTENDED, Script, config, ms};
use super::wake::{OTHER, patient};
use crate::lock::event::VoteSeen;
use crate::lock::{Call, Config, Event, Retry, Slot};
use crate::node::Sighting;

/// The limit is reached, and others wait, as many as a node says.
fn staying_out(next: Call, others: u32) -> (Script, Slot) {
    let mut script = Script::with(Config { handover_limit: 1, ..config(3) });
    let first = script.grant(patient("k"));
    script.settle();
    let second = script.acquire(patient("k"));
    let slot = script.acquire(next);
    script.step(Event::Release { slot: first });
    script.drain();
    script.sight(0, Sighting::Counted { key: "k".into(), others });
    script.step(Event::Release { slot: second });
    script.settle();
    script.drain();
    (script, slot)
}

#[test]
fn whose_wait_ends_while_others_are_let_try_first_is_told_of_no_fault() {
    let brief = Call { retry: Retry::new(Some(ms(3)), 0, ms(50), ms(50)), ..patient("k") };
    let (mut script, slot) = staying_out(brief, 100);
    let behind = script.acquire(Call { retry: Retry::new(Some(ms(10)), 0, ms(50), ms(50)), ..patient("k") });
    for node in 0..3 {
        script.nodes[node].set("k", OTHER, script.now + ms(50_000));
    }
    for slot in [slot, behind] {
        assert_eq!(script.run(slot, ms(300)), CONTENDED);
        assert!(!script.failure(slot).votes.iter().any(|vote| matches!(vote, VoteSeen::Faulted(_))));
    }
}

#[test]
fn however_many_wait_the_numbers_hold() {
    let (mut script, slot) = staying_out(patient("k"), u32::MAX);
    script.arm(u32::MAX);
    script.step(Event::Cancel { slot });
}
