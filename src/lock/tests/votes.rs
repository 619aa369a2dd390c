//! What the error of a lost lock says of each node.

use super::script::{Script, call, config, ms};
use crate::lock::event::VoteSeen;
use crate::lock::{Call, Config, Event, Kind, Lost, RestartGuard, Slot, Status};
use crate::node::{FaultCode, Identity};

impl Script {
    /// Moves time until the lease is lost; the nodes are asked and answer as `act` lets them.
    fn lose(&mut self, slot: Slot, mut act: impl FnMut(&mut Self)) -> Lost {
        for _ in 0..1000 {
            self.now = self.core.next_timer().max(self.now);
            self.step(Event::Tick);
            act(self);
            if let Some((_, Kind::Lost(reason))) = self.drain().into_iter().find(|(of, _)| *of == slot) {
                return reason;
            }
        }
        panic!("it is not lost");
    }

    /// For each node its fault, if it has one.
    fn faults(&self, slot: Slot) -> Vec<Option<FaultCode>> {
        let votes = self.core.lease_votes(self.now, slot).expect("it was a lease").votes;
        let code = |vote: &VoteSeen| match vote {
            VoteSeen::Faulted(fault) => Some(fault.code),
            _ => None,
        };
        votes.iter().map(code).collect()
    }
}

fn renewed() -> Call {
    Call { renew: true, ..call("k", ms(3000)) }
}

#[test]
fn nodes_that_were_asked_to_renew_and_did_not_answer_are_silent() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed());
    let reason = script.lose(slot, |script| {
        script.deliver(0);
        (1..3).for_each(|node| drop(script.take(node)));
    });
    assert_eq!(reason, Lost::Expired);
    assert_eq!(script.faults(slot), [None, Some(FaultCode::Timeout), Some(FaultCode::Timeout)]);
}

#[test]
fn nodes_that_refused_to_renew_say_why() {
    let mut script = Script::new(3);
    let slot = script.grant(renewed());
    let reason = script.lose(slot, |script| {
        script.deliver(0);
        (1..3).for_each(|node| script.fail(node, FaultCode::NoPerm));
    });
    assert_eq!(reason, Lost::Expired);
    assert_eq!(script.faults(slot), [None, Some(FaultCode::NoPerm), Some(FaultCode::NoPerm)]);
}

#[test]
fn nodes_that_have_gone_down_or_wait_out_their_quarantine_are_shown_so() {
    let mut script = Script::unconnected(Config { restart_guard: RestartGuard::Observed, ..config(3) });
    let run = |node: usize, start: u64| {
        let identity =
            Identity { run: Some(format!("{node}.{start}").into()), uptime: Some(ms(0)), ..Identity::default() };
        Event::Node { node, status: Status::Up(identity) }
    };
    (0..3).for_each(|node| script.step(run(node, 0)));
    let slot = script.grant(renewed());
    script.down(1);
    script.down(2);
    script.nodes[2].restart_empty();
    script.step(run(2, 1));
    script.lose(slot, |script| script.settle());
    assert_eq!(script.faults(slot), [None, Some(FaultCode::Connect), Some(FaultCode::Quarantined)]);
}
