//! A node on a hand-driven clock, with the semantics of the Redis node.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::node::id::HEX_LENGTH;
use crate::node::{AHEAD, Answer, Command, Holding, Id, Moment, Reply, Request, SKEW};

#[derive(Clone, Debug, Default)]
pub(super) struct TestNode {
    leases: BTreeMap<String, (Id, Moment)>,
    fences: BTreeMap<String, u64>,
    /// Its wall clock, if it looks at it.
    pub(super) clock: Option<u64>,
}

impl TestNode {
    pub(super) fn run(&mut self, now: Moment, request: &Request) -> Answer {
        self.leases.retain(|_, (_, expiry)| *expiry > now);
        if let Some(least) = self.outbid(request) {
            return Answer { tag: request.tag, reply: Reply::Outbid { least } };
        }
        if let Some(clock) = self.misses(request) {
            return Answer { tag: request.tag, reply: Reply::Untimely { clock } };
        }
        let (mut yes, mut found) = (0, Vec::new());
        for (index, key) in request.keys.iter().enumerate() {
            let held = self.leases.get(key).copied();
            let mine = held.is_some_and(|(id, _)| id == request.id);
            let ok = match request.command {
                Command::Acquire { ttl_ms } => {
                    let is_free = held.is_none() || (mine && request.tokens.is_some());
                    if is_free {
                        self.set(key, request.id, now + Duration::from_millis(ttl_ms));
                    }
                    is_free
                }
                Command::Extend { ttl_ms } => {
                    let expiry = now + Duration::from_millis(ttl_ms);
                    if mine && held.is_some_and(|(_, present)| present < expiry) {
                        self.set(key, request.id, expiry);
                    }
                    mine
                }
                Command::Release => {
                    if mine {
                        self.leases.remove(key);
                    }
                    true
                }
                Command::Probe => {
                    found.push(held.map_or(Holding::Free, |(id, expiry)| Holding::Held {
                        value: id.hex(&mut [0; HEX_LENGTH]).into(),
                        remaining: expiry.since(now),
                    }));
                    true
                }
            };
            yes |= u64::from(ok) << index;
            let raises = request.command == Command::Release || ok;
            if let Some(tokens) = request.tokens.filter(|_| raises) {
                let fence = self.fences.entry(key.to_owned()).or_default();
                let is_extended = matches!(request.command, Command::Extend { .. });
                let clock = self.clock.filter(|_| !is_extended);
                let farthest = clock.map_or(u64::MAX, |now| (now + SKEW).max(*fence + AHEAD));
                let raised = [tokens.last, tokens.first].into_iter().find(|token| *token <= farthest);
                *fence = raised.unwrap_or(0).max(*fence);
            }
        }
        let voted = Reply::Voted { yes, no: request.keys.mask() & !yes, fault: None };
        let reply = if request.command == Command::Probe { Reply::Probed(found) } else { voted };
        Answer { tag: request.tag, reply }
    }

    /// The largest fence that the tokens of an acquire do not pass.
    fn outbid(&self, request: &Request) -> Option<u64> {
        let tokens = request.tokens.filter(|_| matches!(request.command, Command::Acquire { .. }))?;
        let is_anothers = |key: &str| self.leases.get(key).is_some_and(|(id, _)| *id != request.id);
        let fences = || request.keys.iter().filter_map(|key| self.fences.get(key).copied());
        let least = fences().max().filter(|fence| tokens.first <= *fence)?;
        (!request.keys.iter().any(is_anothers)).then_some(least)
    }

    /// The clock from which the tokens of an acquire are too far.
    fn misses(&self, request: &Request) -> Option<u64> {
        let tokens = request.tokens.filter(|_| matches!(request.command, Command::Acquire { .. }))?;
        let is_anothers = |key: &str| self.leases.get(key).is_some_and(|(id, _)| *id != request.id);
        let is_near = |key: &str| self.fences.get(key).is_some_and(|fence| tokens.first <= fence + AHEAD);
        let clock = self.clock?;
        let is_late = tokens.first + SKEW < clock;
        let is_early = tokens.first > clock + SKEW && request.keys.iter().any(|key| !is_near(key));
        ((is_late || is_early) && !request.keys.iter().any(is_anothers)).then_some(clock)
    }

    pub(super) fn fence(&self, key: &str) -> u64 {
        self.fences.get(key).copied().unwrap_or(0)
    }

    pub(super) fn raise(&mut self, key: &str, fence: u64) {
        self.fences.insert(key.to_owned(), fence);
    }

    pub(super) fn set(&mut self, key: &str, id: Id, expiry: Moment) {
        self.leases.insert(key.to_owned(), (id, expiry));
    }

    pub(super) fn restart_empty(&mut self) {
        self.leases.clear();
        self.fences.clear();
    }

    pub(super) fn holder(&self, now: Moment, key: &str) -> Option<Id> {
        self.leases.get(key).filter(|(_, expiry)| *expiry > now).map(|(id, _)| *id)
    }

    pub(super) fn expiry(&self, key: &str) -> Option<Moment> {
        self.leases.get(key).map(|(_, expiry)| *expiry)
    }
}
