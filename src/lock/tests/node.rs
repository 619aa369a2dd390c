//! A node on a hand-driven clock, with the semantics of the Redis node.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::node::id::HEX_LENGTH;
use crate::node::{Answer, Command, Holding, Id, Moment, Reply, Request};

#[derive(Clone, Debug, Default)]
pub(super) struct TestNode {
    leases: BTreeMap<String, (Id, Moment)>,
}

impl TestNode {
    pub(super) fn run(&mut self, now: Moment, request: &Request) -> Answer {
        self.leases.retain(|_, (_, expiry)| *expiry > now);
        let (mut yes, mut found) = (0, Vec::new());
        for (index, key) in request.keys.iter().enumerate() {
            let held = self.leases.get(key).copied();
            let mine = held.is_some_and(|(id, _)| id == request.id);
            let ok = match request.command {
                Command::Acquire { ttl_ms } => {
                    if held.is_none() {
                        self.set(key, request.id, now + Duration::from_millis(ttl_ms));
                    }
                    held.is_none()
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
        }
        let voted = Reply::Voted { yes, no: request.keys.mask() & !yes, fault: None };
        let reply = if request.command == Command::Probe { Reply::Probed(found) } else { voted };
        Answer { tag: request.tag, reply }
    }

    pub(super) fn set(&mut self, key: &str, id: Id, expiry: Moment) {
        self.leases.insert(key.to_owned(), (id, expiry));
    }

    pub(super) fn restart_empty(&mut self) {
        self.leases.clear();
    }

    pub(super) fn holder(&self, now: Moment, key: &str) -> Option<Id> {
        self.leases.get(key).filter(|(_, expiry)| *expiry > now).map(|(id, _)| *id)
    }

    pub(super) fn expiry(&self, key: &str) -> Option<Moment> {
        self.leases.get(key).map(|(_, expiry)| *expiry)
    }
}
