//! Bids: tokens that most nodes have outbid are proposed anew within the round, and no two proposals count together.

use super::fencing::fenced;
use super::script::{CONTENDED, Script, call, ms};
use crate::lock::{Call, Event, Kind, Retry};
use crate::node::{Answer, Command, Reply, Tokens};

impl Script {
    fn proposals(&mut self, node: usize) -> Vec<Tokens> {
        let requests = self.take(node);
        let acquires = requests.iter().filter(|request| matches!(request.command, Command::Acquire { .. }));
        acquires.filter_map(|request| request.tokens).collect()
    }
}

#[test]
fn outbid_by_most_nodes_it_proposes_others_at_once_and_that_is_no_further_attempt() {
    let mut script = fenced(3);
    let (slot, token) = script.hold(call("k", ms(1000)));
    script.give_back(slot);
    let slot = script.acquire(Call { once: true, retry: Retry::ONCE, ..call("k", ms(1000)) });
    script.deliver(0);
    script.deliver(1);
    let again = script.proposals(0);
    assert_eq!(again.len(), 1, "with the second word, before the third");
    assert!(again[0].first > token);
    script.deliver(1);
    script.deliver(2);
    assert_eq!(script.holders("k"), 2);
    let notice = script.core.next_notice(0).expect("it is granted");
    assert_eq!((notice.slot, notice.kind), (slot, Kind::Granted));
    let grant = script.core.accept(script.now, &mut script.entropy, notice).expect("it is valid");
    assert_eq!((grant.attempts, grant.token), (1, again[0].first));
}

#[test]
fn a_node_that_is_ahead_alone_is_not_waited_for() {
    let mut script = fenced(3);
    let (slot, _) = script.hold(call("k", ms(1000)));
    script.give_back(slot);
    for node in 0..2 {
        script.nodes[node] = Default::default();
    }
    let slot = script.acquire(call("k", ms(1000)));
    (0..3).for_each(|node| script.deliver(node));
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
}

#[test]
fn grants_of_different_proposals_never_count_together() {
    let mut script = fenced(3);
    let (slot, _) = script.hold(call("k", ms(1000)));
    script.give_back(slot);
    // One has lost its fence, and grants at once; the others want more.
    script.nodes[0] = Default::default();
    let slot = script.acquire(call("k", ms(1000)));
    let first = script.take(0);
    script.execute(0, &first[0]);
    script.deliver(1);
    script.deliver(2);
    let others = script.take(1);
    assert_eq!(others.len(), 1);
    script.execute(1, &others[0]);
    assert_eq!(script.drain(), [], "one grant of each proposal");
    let granted = first[0].tokens.expect("it proposes");
    assert!(others[0].tokens.expect("it proposes").first > granted.last, "beyond what was granted");
    script.settle();
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
}

#[test]
fn a_key_that_was_set_by_an_earlier_proposal_is_set_anew_or_does_not_count() {
    let mut script = fenced(3);
    let (slot, _) = script.hold(call("k", ms(1000)));
    script.give_back(slot);
    script.nodes[0] = Default::default();
    let once = || Call { once: true, retry: Retry::ONCE, ..call("k", ms(1000)) };
    // The first proposal sets the key on one node. The second is on its way.
    script.acquire(once());
    (0..3).for_each(|node| script.deliver(node));
    let second: Vec<_> = (0..3).flat_map(|node| script.take(node)).collect();
    // Another call proposes the same tokens, and gives up: that raises the fence to them where the key is set.
    let other = script.acquire(once());
    (1..3).for_each(|node| script.deliver(node));
    script.deliver(0);
    let tokens = script.take(1)[0].tokens;
    assert_eq!(tokens, second[0].tokens);
    script.take(0);
    script.step(Event::Cancel { slot: other });
    script.deliver(0);
    assert_eq!(script.nodes[0].fence("k"), tokens.expect("it proposes").last);
    // So the fence there says nothing of the key, which is as old as the first proposal.
    script.advance(ms(200));
    script.execute(0, &second[0]);
    script.execute(1, &second[1]);
    assert!(!script.drain().iter().any(|(_, kind)| *kind == Kind::Granted));
}

#[test]
fn it_does_not_propose_for_ever() {
    let mut script = fenced(1);
    let slot = script.acquire(Call { once: true, retry: Retry::ONCE, ..call("k", ms(1000)) });
    let mut proposals = 0;
    while script.core.has_requests(0) {
        for request in script.take(0) {
            if let (Command::Acquire { .. }, Some(tokens)) = (request.command, request.tokens) {
                proposals += 1;
                let reply = Reply::Outbid { least: tokens.last + 1000 };
                script.step(Event::Answer { node: 0, answer: Answer { tag: request.tag, reply } });
            } else {
                script.execute(0, &request);
            }
        }
    }
    assert_eq!(proposals, 3);
    // Others are faster: nothing is wrong with the node.
    script.advance(ms(250));
    assert_eq!(script.drain(), [(slot, CONTENDED)]);
}

#[test]
fn each_proposal_has_the_nodes_patience_of_its_own() {
    let mut script = fenced(3);
    let (slot, _) = script.hold(call("k", ms(1000)));
    script.give_back(slot);
    let slot = script.acquire(Call { once: true, retry: Retry::ONCE, ..call("k", ms(1000)) });
    for _ in 0..2 {
        script.advance(ms(150));
        (0..3).for_each(|node| script.deliver(node));
    }
    assert_eq!(script.drain(), [(slot, Kind::Granted)]);
}
