//! Tokens: larger for every later holder, on every node that is filled, and renewed when a block is used up.

use super::script::{Script, WALL, call, config, ms};
use crate::lock::event::Notice;
use crate::lock::{Call, Config, Event, Kind, RestartGuard, Retry, Slot, Status};
use crate::node::{Identity, Keys};

pub(super) fn fenced(nodes: usize) -> Script {
    Script::with(Config { fencing: true, ..config(nodes) })
}

pub(super) fn patient(key: &str) -> Call {
    Call { retry: Retry::new(Some(ms(60_000)), 0, ms(30_000), ms(30_000)), ..call(key, ms(5000)) }
}

impl Script {
    /// Moves messages and time until a call is granted; the holder's token.
    pub(super) fn hold(&mut self, call: Call) -> (Slot, u64) {
        let slot = self.acquire(call);
        (slot, self.token_of(slot))
    }

    pub(super) fn token_of(&mut self, slot: Slot) -> u64 {
        for _ in 0..100 {
            self.settle();
            while let Some(notice) = self.core.next_notice(0) {
                let Notice { slot: of, kind, .. } = notice;
                if kind == Kind::Granted
                    && let Some(grant) = self.core.accept(self.now, &mut self.entropy, notice)
                    && of == slot
                {
                    return grant.token;
                }
            }
            self.now = self.core.next_timer().max(self.now);
            self.step(Event::Tick);
        }
        panic!("it is not granted");
    }

    pub(super) fn give_back(&mut self, slot: Slot) {
        self.step(Event::Release { slot });
        self.settle();
        self.drain();
    }
}

#[test]
fn without_fencing_nothing_has_a_token() {
    let mut script = Script::new(3);
    assert_eq!(script.hold(call("k", ms(1000))).1, 0);
    assert_eq!(script.nodes[0].fence("k"), 0);
}

#[test]
fn each_holder_has_a_larger_token_though_the_wall_clock_stands_still() {
    let mut script = fenced(3);
    let mut last = 0;
    for _ in 0..5 {
        let (slot, token) = script.hold(call("k", ms(1000)));
        assert!(token > last, "{token} after {last}");
        last = token;
        assert!(script.nodes.iter().filter(|node| node.fence("k") >= token).count() >= 2);
        script.give_back(slot);
    }
}

#[test]
fn a_release_raises_the_fence_beyond_whatever_was_proposed() {
    let mut script = fenced(3);
    let slot = script.acquire(call("k", ms(1000)));
    let late = script.take(2);
    script.settle();
    script.drain();
    script.step(Event::Release { slot });
    script.settle();
    script.drain();
    // What was on its way all the time comes after the release.
    script.execute(2, &late[0]);
    assert_eq!(script.holders("k"), 0, "no lock comes back to life");
}

#[test]
fn a_release_fences_off_what_was_granted_though_another_node_was_filled_far_ahead_of_the_time() {
    let mut script = fenced(5);
    script.nodes.iter_mut().for_each(|node| node.clock = Some(WALL));
    let slot = script.acquire(Call { renew: true, ..call("k", ms(3000)) });
    let late = script.take(4);
    script.down(4);
    script.settle();
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
    script.nodes[3].restart_empty();
    script.nodes[3].clock = Some(WALL + 7_000_000);
    while script.nodes[3].fence("k") < WALL + 6_000_000 {
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        script.settle();
        assert!(script.remaining(slot) > ms(0));
    }
    script.step(Event::Release { slot });
    script.up(4);
    script.settle();
    script.execute(4, &late[0]);
    assert_eq!(script.holders("k"), 0, "what comes after the release is not granted");
    let fences = script.nodes.iter().filter(|node| node.clock == Some(WALL)).map(|node| node.fence("k"));
    assert!(fences.into_iter().all(|fence| fence < WALL + 1_000_000), "and nobody's tokens are dragged ahead");
}

#[test]
fn handed_over_each_holder_has_the_next_token_and_a_new_block_when_one_is_used_up() {
    let mut script = fenced(3);
    let (mut holder, mut last) = script.hold(patient("k"));
    let waiting: Vec<Slot> = (0..150).map(|_| script.acquire(patient("k"))).collect();
    let mut extensions = 0;
    for next in waiting {
        script.step(Event::Release { slot: holder });
        extensions += usize::from(script.core.has_requests(0));
        let token = script.token_of(next);
        assert!(token > last);
        assert!(script.nodes.iter().filter(|node| node.fence("k") >= token).count() >= 2);
        (holder, last) = (next, token);
    }
    assert_eq!(extensions, 2, "64 tokens in each block");
}

#[test]
fn a_node_is_filled_with_tokens_of_its_own() {
    let mut script = fenced(3);
    let (slot, token) = script.hold(Call { renew: true, ..call("k", ms(3000)) });
    script.nodes[2].restart_empty();
    while script.holders("k") < 3 {
        assert!(script.remaining(slot) > ms(0));
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        script.settle();
    }
    let fence = script.nodes[2].fence("k");
    assert!(fence > token);
    script.give_back(slot);
    assert!(script.nodes.iter().all(|node| node.fence("k") >= fence));
    assert!(script.hold(call("k", ms(1000))).1 > fence);
}

#[test]
fn several_keys_have_one_token_beyond_the_fences_of_all() {
    let mut script = fenced(3);
    let (a, first) = script.hold(call("a", ms(1000)));
    script.give_back(a);
    let (a, _) = script.hold(call("a", ms(1000)));
    script.give_back(a);
    let both = Call { keys: Keys::many(vec!["a".into(), "b".into()]), ..call("a", ms(1000)) };
    let (both, token) = script.hold(both);
    assert!(token > first + 63);
    assert!(script.nodes[0].fence("b") >= token);
    script.give_back(both);
    assert!(script.hold(call("b", ms(1000))).1 > token);
}

const HOUR: u64 = 3_600_000_000;

#[test]
fn a_client_whose_clock_is_wrong_proposes_by_that_of_the_nodes() {
    for clock in [WALL - HOUR, WALL + HOUR] {
        let mut script = fenced(3);
        script.nodes.iter_mut().for_each(|node| node.clock = Some(clock));
        let slot = script.acquire(Call { once: true, retry: Retry::ONCE, ..call("k", ms(1000)) });
        let token = script.token_of(slot);
        assert!(token.abs_diff(clock) < 1000, "{token} by a clock of {clock}");
        script.give_back(slot);
        assert!(script.nodes.iter().all(|node| node.fence("k").abs_diff(clock) < 1000), "no fence is dragged away");
        // From now on it knows.
        let slot = script.acquire(call("other", ms(1000)));
        script.deliver(0);
        script.deliver(1);
        assert_eq!(script.drain(), [(slot, Kind::Granted)]);
    }
}

#[test]
fn what_is_given_up_far_ahead_of_the_nodes_clocks_leaves_their_fences_alone() {
    let mut script = fenced(3);
    script.nodes.iter_mut().for_each(|node| node.clock = Some(WALL - HOUR));
    let slot = script.acquire(call("k", ms(1000)));
    (0..3).for_each(|node| script.swallow(node));
    script.step(Event::Cancel { slot });
    script.settle();
    assert!(script.nodes.iter().all(|node| node.fence("k") == 0));
}

#[test]
fn a_node_whose_clock_is_ahead_is_filled_all_the_same() {
    let mut script = fenced(3);
    let (slot, token) = script.hold(Call { renew: true, ..call("k", ms(3000)) });
    script.nodes[2].restart_empty();
    script.nodes[2].clock = Some(WALL + 8_000_000);
    while script.holders("k") < 3 {
        assert!(script.remaining(slot) > ms(0));
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        script.settle();
    }
    assert!(script.remaining(slot) > ms(1000), "within its first renewals");
    script.give_back(slot);
    assert!(script.hold(call("k", ms(1000))).1 > token);
}

#[test]
fn a_node_that_becomes_a_voter_after_its_quarantine_has_its_fence_beyond_the_lease_s_tokens() {
    let guarded = Config { fencing: true, restart_guard: RestartGuard::Observed, max_ttl: ms(5000), ..config(3) };
    let mut script = Script::with(guarded);
    let (mut holder, _) = script.hold(Call { renew: true, ..patient("k") });
    let identity = |run: &str| Identity { run: Some(run.into()), uptime: Some(ms(0)), ..Identity::default() };
    for run in ["first", "second"] {
        script.down(2);
        script.step(Event::Node { node: 2, status: Status::Up(identity(run)) });
    }
    script.nodes[2].restart_empty();
    while script.holders("k") < 3 {
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        script.settle();
    }
    // Two blocks more, of which the node in quarantine hears nothing.
    for _ in 0..130 {
        let next = script.acquire(Call { renew: true, ..patient("k") });
        script.step(Event::Release { slot: holder });
        script.token_of(next);
        holder = next;
    }
    let last = script.nodes[0].fence("k");
    let end = script.now + ms(40_000);
    while script.now < end {
        script.now = script.core.next_timer().min(end);
        script.step(Event::Tick);
        script.settle();
        script.drain();
    }
    assert!(script.remaining(holder) > ms(0));
    assert!(script.nodes[2].fence("k") >= last);
}
