//! Who is woken by the nodes' word, whom it asks then, and when a process lets others have their turn.

use super::script::{Script, WALL, call, config, ms};
use crate::lock::{Call, Config, Event, Kind, Retry, Slot};
use crate::node::{Answer, Command, Id, Moment, Reply, SKEW, Sighting, Watch};

pub(super) const OTHER: Id = Id::NIL;

pub(super) fn patient(key: &str) -> Call {
    let retry = Retry::new(Some(ms(60_000)), 0, ms(30_000), ms(30_000));
    Call { retry, ..call(key, ms(5000)) }
}

/// Another process holds the key, and a call has been refused.
fn refused(config: Config) -> (Script, Slot) {
    let mut script = Script::with(config);
    for node in 0..script.nodes.len() {
        script.nodes[node].set("k", OTHER, script.now + ms(50_000));
    }
    let slot = script.acquire(patient("k"));
    script.settle();
    assert_eq!(script.drain(), []);
    (script, slot)
}

impl Script {
    pub(super) fn sight(&mut self, node: usize, sighting: Sighting) {
        self.step(Event::Sighted { node, sighting });
    }

    pub(super) fn arm(&mut self, others: u32) {
        for node in 0..self.nodes.len() {
            self.sight(node, Sighting::Armed { key: "k".into(), remaining: Some(ms(50_000)), others });
        }
    }

    fn freed(&mut self, node: usize) {
        self.sight(node, Sighting::Freed { key: "k".into() });
    }

    fn asked(&self) -> Vec<bool> {
        (0..self.nodes.len()).map(|node| self.core.has_requests(node)).collect()
    }

    fn let_go(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.restart_empty());
    }
}

#[test]
fn a_refused_call_has_every_node_watch_the_key_until_nobody_wants_it() {
    let (mut script, slot) = refused(config(3));
    for node in 0..3 {
        assert_eq!(script.core.take_watches(node), [Watch::Arm("k".into())]);
    }
    script.step(Event::Cancel { slot });
    assert_eq!(script.core.take_watches(0), [Watch::Drop("k".into())]);
}

#[test]
fn who_was_refused_beside_a_lease_of_its_process_has_the_key_watched_once_that_is_lost() {
    let mut script = Script::new(3);
    let never_waits = Retry::new(Some(ms(0)), 0, ms(50), ms(1000));
    let holder = script.acquire(Call { retry: never_waits, ..call("k", ms(1000)) });
    let sleeper = script.acquire(patient("k"));
    script.settle();
    assert_eq!(script.drain(), [(holder, Kind::Granted)]);
    script.step(Event::Extend { slot: holder, ttl: ms(100) });
    script.settle();
    assert_eq!(script.core.take_watches(0), [], "the lease will be handed over");
    script.advance(ms(100));
    assert_eq!(script.core.take_watches(0), [Watch::Arm("k".into())]);
    script.settle();
    script.sight(0, Sighting::Armed { key: "k".into(), remaining: None, others: 0 });
    assert_eq!(script.run(sleeper, ms(10)), Kind::Granted);
}

#[test]
fn one_process_that_waits_asks_all_nodes_at_the_first_word() {
    let (mut script, slot) = refused(config(3));
    script.arm(0);
    script.let_go();
    script.freed(1);
    assert_eq!(script.asked(), [true; 3]);
    assert_eq!(script.run(slot, ms(10)), Kind::Granted);
}

#[test]
fn several_ask_the_gate_first_and_the_others_at_its_word() {
    let (mut script, slot) = refused(config(3));
    script.arm(3);
    script.let_go();
    (0..3).for_each(|node| script.freed(node));
    assert_eq!(script.asked(), [false; 3], "each at a moment of its own");
    script.advance(ms(3));
    let asked = script.asked();
    let gate = asked.iter().position(|asked| *asked).expect("the gate is asked");
    assert_eq!(asked.iter().filter(|asked| **asked).count(), 1);
    script.deliver(gate);
    assert_eq!(script.asked().iter().filter(|asked| **asked).count(), 2);
    assert_eq!(script.run(slot, ms(10)), Kind::Granted);
}

#[test]
fn a_gate_that_wants_tokens_far_from_the_time_is_followed_only_once_the_others_were_heard() {
    for reply in [Reply::Outbid { least: WALL + 2 * SKEW }, Reply::Untimely { clock: WALL + SKEW - 1 }] {
        let (mut script, slot) = refused(Config { fencing: true, ..config(3) });
        script.arm(3);
        script.let_go();
        (0..3).for_each(|node| script.freed(node));
        script.advance(ms(3));
        let gate = script.asked().iter().position(|asked| *asked).expect("the gate is asked");
        let tag = script.take(gate)[0].tag;
        script.step(Event::Answer { node: gate, answer: Answer { tag, reply } });
        assert_eq!(script.take(gate).len(), 0, "it is asked nothing else yet");
        (0..3).filter(|node| *node != gate).for_each(|node| script.deliver(node));
        assert_eq!(script.drain(), [(slot, Kind::Granted)]);
        assert!(script.nodes.iter().all(|node| node.fence("k") < WALL + SKEW));
    }
}

#[test]
fn what_the_gate_refuses_the_others_are_not_asked() {
    let (mut script, _) = refused(config(3));
    script.arm(3);
    (0..3).for_each(|node| script.freed(node));
    script.advance(ms(3));
    let gate = script.asked().iter().position(|asked| *asked).expect("the gate is asked");
    script.deliver(gate);
    assert_eq!((0..3).filter(|node| *node != gate && script.core.has_requests(*node)).count(), 0);
}

#[test]
fn a_silent_gate_does_not_keep_the_others_from_being_asked() {
    let (mut script, slot) = refused(config(3));
    script.arm(3);
    script.let_go();
    (0..3).for_each(|node| script.freed(node));
    script.advance(ms(3));
    let gate = script.asked().iter().position(|asked| *asked).expect("the gate is asked");
    script.take(gate);
    script.advance(ms(2));
    (0..3).filter(|node| *node != gate).for_each(|node| script.deliver(node));
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
}

#[test]
fn what_it_gives_back_itself_is_no_news() {
    let mut script = Script::new(3);
    for node in 1..3 {
        script.nodes[node].set("k", OTHER, script.now + ms(50_000));
    }
    script.acquire(patient("k"));
    script.settle();
    script.freed(0);
    script.sight(0, Sighting::Armed { key: "k".into(), remaining: None, others: 0 });
    assert_eq!(script.asked(), [false; 3]);
}

#[test]
fn what_it_gives_back_itself_counts_where_others_say_that_the_key_is_free() {
    // Whichever of the two is the gate.
    for (own, other) in [(0, 1), (1, 0)] {
        let mut script = Script::new(2);
        script.nodes[other].set("k", OTHER, script.now + ms(50_000));
        let slot = script.acquire(patient("k"));
        script.settle();
        script.arm(3);
        script.let_go();
        script.freed(own);
        assert_eq!(script.asked(), [false; 2]);
        script.freed(other);
        assert_eq!(script.run(slot, ms(10)), Kind::Granted);
    }
}

#[test]
fn a_key_that_changes_all_the_time_is_asked_for_ever_more_seldom() {
    let (mut script, _) = refused(config(1));
    let begun = script.now;
    let mut rounds = 0;
    while script.now < begun + ms(1000) {
        script.freed(0);
        let acquires = script.commands(0).iter().filter(|command| matches!(command, Command::Acquire { .. })).count();
        rounds += acquires;
        if acquires > 0 {
            let other = Some(OTHER);
            assert_eq!(script.nodes[0].holder(script.now, "k"), other);
            let at = script.core.next_timer();
            assert!(at > script.now);
            // Refused at once.
            script.now = script.now + ms(251);
            script.step(Event::Tick);
        } else {
            script.advance(ms(1));
        }
    }
    assert!(rounds < 40, "{rounds} rounds in a second");
}

#[test]
fn a_lease_is_handed_over_without_a_word_to_the_nodes() {
    let mut script = Script::new(3);
    let first = script.grant(patient("k"));
    script.settle();
    let second = script.acquire(patient("k"));
    script.step(Event::Release { slot: first });
    assert_eq!(script.asked(), [false; 3]);
    let kinds: Vec<Kind> = script.drain().into_iter().map(|(_, kind)| kind).collect();
    assert!(kinds.contains(&Kind::Granted) && kinds.len() == 2, "{kinds:?}");
    assert!(script.remaining(second) > ms(4000));
    assert_eq!(script.remaining(first), ms(0));
}

#[test]
fn after_the_limit_it_is_given_up_when_another_process_waits() {
    for (others, given_up) in [(0, false), (1, true)] {
        let mut script = Script::with(Config { handover_limit: 2, ..config(3) });
        let mut holder = script.grant(patient("k"));
        script.settle();
        let waiting: Vec<Slot> = (0..3).map(|_| script.acquire(patient("k"))).collect();
        for next in &waiting[..2] {
            script.step(Event::Release { slot: holder });
            script.drain();
            holder = *next;
            script.sight(0, Sighting::Counted { key: "k".into(), others });
        }
        assert_eq!(script.asked(), [false; 3]);
        script.step(Event::Release { slot: holder });
        assert_eq!(script.asked(), [given_up; 3]);
        script.settle();
        assert_eq!(script.holders("k"), if given_up { 0 } else { 3 });
        // It stays out at first, and then it contends again.
        assert_eq!(script.run(waiting[2], ms(100)), Kind::Granted);
        assert_ne!(script.now, Moment::NEVER);
    }
}

#[test]
fn sections_shorter_than_a_round_trip_do_not_flood_the_nodes_with_counting() {
    let mut script = Script::with(Config { handover_limit: 4, ..config(1) });
    let mut holder = script.grant(patient("k"));
    script.settle();
    let (mut counts, step) = (0, std::time::Duration::from_micros(10));
    for _ in 0..1000 {
        let next = script.acquire(patient("k"));
        script.step(Event::Release { slot: holder });
        script.drain();
        holder = next;
        counts += script.core.take_watches(0).len();
        script.sight(0, Sighting::Counted { key: "k".into(), others: 0 });
        script.now = script.now + step;
    }
    assert_eq!(counts, 10, "once in each of ten milliseconds");
}

#[test]
fn not_renewed_it_is_prolonged_before_it_is_handed_over_late() {
    let mut script = Script::new(3);
    let first = script.grant(patient("k"));
    script.settle();
    let second = script.acquire(patient("k"));
    script.now = script.now + ms(3000);
    script.step(Event::Release { slot: first });
    assert_eq!(script.asked(), [true; 3], "two of five seconds are left, and it is promised five");
    assert_eq!(script.run(second, ms(10)), Kind::Granted);
    assert!(script.remaining(second) > ms(4500));
}
