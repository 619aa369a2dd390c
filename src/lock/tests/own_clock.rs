//! With fencing: a process whose own wall clock is wrong, and what it learns of the nodes'.

use super::clocks::{once, proposals};
use super::fencing::{fenced, patient};
use super::script::{Script, WALL, config, ms};
use crate::lock::{Call, Config, Event, RestartGuard, Status};
use crate::node::Identity;

const SECOND: u64 = 1_000_000;

/// All have to grant, and the clocks of two are too far apart for them to agree; ours stands still, as `Seeded` has it.
#[test]
fn what_the_nodes_have_told_of_their_clocks_runs_on_where_ours_stands_still() {
    let behind = [0, 0, 3 * SECOND];
    let mut script = Script::with(Config { fencing: true, quorum: 3, ..config(3) });
    for later in 0..20 {
        let now = WALL + (1000 + 2 * later) * SECOND;
        script.nodes.iter_mut().zip(behind).for_each(|(node, behind)| node.clock = Some(now - behind));
        if later > 0 {
            // Of a hold that has been renewed for some seconds: the clocks that are ahead do not take what comes next to it.
            script.nodes.iter_mut().for_each(|node| node.raise("k", now - 6 * SECOND));
        }
        let (slot, token) = script.hold(once());
        assert!(token + 5 * SECOND >= now, "{token}");
        script.give_back(slot);
        script.now = script.now + ms(2000);
    }
}

/// Ours is wrong, and so is that of a node which answers before the other right one; the key was held seconds ago.
#[test]
fn where_our_own_clock_is_wrong_the_silent_nodes_are_heard_before_one_is_followed_that_others_contradict() {
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0]] {
        let mut script = fenced(3);
        let now = WALL + 3600 * SECOND;
        script.nodes.iter_mut().for_each(|node| node.clock = Some(now));
        script.nodes[0].clock = Some(WALL - 60 * SECOND);
        script.nodes[1..].iter_mut().for_each(|node| node.raise("k", now - 11 * SECOND));
        assert!(proposals(&mut script, "k", &order) <= 3);
    }
}

/// Ours is seconds behind both, which are apart by less than that; the third is down.
#[test]
fn two_nodes_that_are_left_agree_on_tokens_though_one_of_them_finds_ours_too_old() {
    for (one, other) in [(3660, 6820), (6820, 3660), (4900, 9000), (1000, 5900)] {
        let mut script = fenced(3);
        script.down(2);
        script.nodes[0].clock = Some(WALL + one * 1000);
        script.nodes[1].clock = Some(WALL + other * 1000);
        for held in 0..3 {
            let key = format!("{held}");
            script.nodes[..2].iter_mut().for_each(|node| node.raise(&key, WALL - 1 - held));
            assert!(proposals(&mut script, &key, &[0, 1]) <= 2);
        }
    }
}

/// What they told of their clocks was so then.
#[test]
fn two_nodes_that_are_left_agree_on_tokens_though_their_clocks_have_been_put_right() {
    let mut script = fenced(3);
    script.nodes.iter_mut().for_each(|node| node.clock = Some(WALL - 5_200_000));
    assert_eq!(proposals(&mut script, "one", &[0, 1, 2]), 2);
    script.down(2);
    script.nodes[0].clock = Some(WALL - 1_900_000);
    script.nodes[1].clock = Some(WALL + 1_500_000);
    for key in ["another", "a third"] {
        assert!(proposals(&mut script, key, &[0, 1]) <= 2);
    }
}

#[test]
fn the_time_that_was_learned_stays_when_our_own_clock_is_put_right() {
    let mut script = fenced(3);
    let now = WALL + 3600 * SECOND;
    script.nodes.iter_mut().for_each(|node| node.clock = Some(now));
    assert_eq!(proposals(&mut script, "one", &[0, 1, 2]), 2);
    script.entropy.wall = now;
    assert_eq!(proposals(&mut script, "another", &[0, 1, 2]), 1);
}

/// A node begins anew while a lock is held by two whose clocks do not agree: it is filled in quarantine, and extended there.
#[test]
fn a_clock_that_is_years_ahead_raises_no_fence_that_far() {
    let guarded = Config { fencing: true, restart_guard: RestartGuard::Observed, max_ttl: ms(5000), ..config(3) };
    let mut script = Script::unconnected(guarded);
    let answers = |script: &mut Script, node: usize, run: &str| {
        let run = Some(format!("{run} of {node}").into());
        let identity = Identity { run, uptime: Some(ms(0)), ..Identity::default() };
        script.step(Event::Node { node, status: Status::Up(identity) });
    };
    script.entropy.wall = WALL + 100_000_000 * SECOND;
    for (node, clock) in [WALL - 1_400_000, WALL - 1_900_000, WALL + 1_200_000].into_iter().enumerate() {
        script.nodes[node].clock = Some(clock);
    }
    (1..3).for_each(|node| answers(&mut script, node, "first"));
    script.down(0);
    let (slot, _) = script.hold(Call { renew: true, ..patient("k") });
    script.now = script.now + ms(1500);
    answers(&mut script, 0, "second");
    for _ in 0..6 {
        script.now = script.core.next_timer();
        script.step(Event::Tick);
        script.settle();
        assert!(script.nodes.iter().all(|node| node.fence("k") < WALL + 60 * SECOND));
    }
    assert_eq!(script.holders("k"), 3, "it is filled");
    script.give_back(slot);
    assert!(script.nodes.iter().all(|node| node.fence("k") < WALL + 60 * SECOND));
}
