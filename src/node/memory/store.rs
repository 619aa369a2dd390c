//! What one server keeps: who holds each key until when, who waits for it, and its fence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Holding, Id, Moment, Reply, Request, Sighting, Tokens, Watch};

#[derive(Default)]
pub(super) struct Store {
    leases: BTreeMap<Arc<str>, (Id, Moment)>,
    watchers: BTreeMap<Arc<str>, Vec<Present>>,
    expiries: BTreeSet<(Moment, Arc<str>)>,
    /// The last token that was granted of each key.
    fences: BTreeMap<Arc<str>, u64>,
    /// That of all keys whose own is not kept any more.
    floor: u64,
    pub(super) down: bool,
}

/// So many fences are kept; then the largest stands for all.
const FENCES_MAX: usize = 4096;

/// One service that waits for a key.
struct Present {
    sender: UnboundedSender<Sighting>,
    /// It has looked, and has not been told since.
    armed: bool,
}

impl Store {
    fn purge(&mut self, now: Moment) {
        while let Some((moment, _)) = self.expiries.first()
            && *moment <= now
        {
            if let Some((_, key)) = self.expiries.pop_first() {
                self.leases.remove(&key);
                self.tell(&key);
            }
        }
    }

    /// The key is free.
    fn tell(&mut self, key: &Arc<str>) {
        for present in self.watchers.get_mut(key).into_iter().flatten() {
            if std::mem::take(&mut present.armed) {
                // Nobody listens any more where a service has been closed.
                let _ = present.sender.send(Sighting::Freed { key: key.clone() });
            }
        }
    }

    pub(super) fn watch(&mut self, now: Moment, watch: Watch, sender: &UnboundedSender<Sighting>) -> Option<Sighting> {
        self.purge(now);
        match watch {
            Watch::Arm(key) => {
                let present = self.watchers.entry(key.clone()).or_default();
                present.retain(|present| !present.sender.is_closed());
                match present.iter_mut().find(|present| present.sender.same_channel(sender)) {
                    Some(present) => present.armed = true,
                    None => present.push(Present { sender: sender.clone(), armed: true }),
                }
                let others = u32::try_from(present.len() - 1).unwrap_or(u32::MAX);
                let remaining = self.leases.get(&key).map(|(_, expiry)| expiry.since(now));
                Some(Sighting::Armed { key, remaining, others })
            }
            Watch::Count(key) => {
                let present = self.watchers.get(&key).map_or(&[][..], Vec::as_slice);
                let is_other = |present: &&Present| !present.sender.same_channel(sender) && !present.sender.is_closed();
                let others = u32::try_from(present.iter().filter(is_other).count()).unwrap_or(u32::MAX);
                Some(Sighting::Counted { key, others })
            }
            Watch::Drop(key) => {
                if let Some(present) = self.watchers.get_mut(&key) {
                    present.retain(|present| !present.sender.same_channel(sender) && !present.sender.is_closed());
                    if present.is_empty() {
                        self.watchers.remove(&key);
                    }
                }
                None
            }
        }
    }

    fn put(&mut self, key: &str, id: Id, expiry: Moment) {
        let key: Arc<str> = key.into();
        if let Some((_, old)) = self.leases.insert(key.clone(), (id, expiry)) {
            self.expiries.remove(&(old, key.clone()));
        }
        self.expiries.insert((expiry, key));
    }

    pub(super) fn clear(&mut self) {
        for key in std::mem::take(&mut self.leases).into_keys() {
            self.tell(&key);
        }
        self.expiries.clear();
        self.fences.clear();
        self.floor = 0;
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some((key, (_, expiry))) = self.leases.remove_entry(key) {
            self.expiries.remove(&(expiry, key.clone()));
            self.tell(&key);
        }
    }

    fn apply(&mut self, now: Moment, key: &str, request: &Request) -> bool {
        let Request { id, command, .. } = *request;
        let is_fenced = request.tokens.is_some();
        let held = self.leases.get(key).copied();
        let mine = held.is_some_and(|(owner, _)| owner == id);
        match command {
            Command::Acquire { ttl_ms } => {
                // With tokens the id's own key is no obstacle: other tokens are proposed for it.
                let is_free = held.is_none() || (mine && is_fenced);
                if is_free {
                    self.put(key, id, now + Duration::from_millis(ttl_ms));
                }
                is_free
            }
            Command::Extend { ttl_ms } => {
                let expiry = now + Duration::from_millis(ttl_ms);
                if mine && held.is_some_and(|(_, present)| present < expiry) {
                    self.put(key, id, expiry);
                }
                mine
            }
            Command::Release => {
                if mine {
                    self.remove(key);
                }
                true
            }
            Command::Probe => true,
        }
    }

    fn probe(&self, now: Moment, key: &str) -> Holding {
        match self.leases.get(key) {
            None => Holding::Free,
            Some((owner, expiry)) => {
                Holding::Held { value: owner.hex(&mut [0; HEX_LENGTH]).into(), remaining: expiry.since(now) }
            }
        }
    }

    fn fence(&self, key: &str) -> u64 {
        self.fences.get(key).copied().unwrap_or(self.floor)
    }

    /// The fence that the tokens of an acquire do not pass; unless the keys are held anyway.
    fn outbids(&self, request: &Request) -> Option<u64> {
        let Tokens { first, .. } = request.tokens?;
        let is_acquire = matches!(request.command, Command::Acquire { .. });
        let is_held = |key: &str| self.leases.get(key).is_some_and(|(owner, _)| *owner != request.id);
        let least = request.keys.iter().map(|key| self.fence(key)).max()?;
        (is_acquire && first <= least && !request.keys.iter().any(is_held)).then_some(least)
    }

    fn raise(&mut self, key: &str, last: u64) {
        let fence = self.fence(key).max(last);
        self.fences.insert(key.into(), fence);
        if self.fences.len() > FENCES_MAX {
            self.floor = self.fences.values().copied().max().unwrap_or(self.floor);
            self.fences.clear();
        }
    }

    pub(super) fn answer(&mut self, now: Moment, request: &Request) -> Reply {
        self.purge(now);
        if let Some(least) = self.outbids(request) {
            return Reply::Outbid { least };
        }
        if request.command == Command::Probe {
            return Reply::Probed(request.keys.iter().map(|key| self.probe(now, key)).collect());
        }
        let mut yes = 0;
        for (index, key) in request.keys.iter().enumerate() {
            yes |= u64::from(self.apply(now, key, request)) << index;
        }
        for (index, key) in request.keys.iter().enumerate() {
            if let Some(Tokens { last, .. }) = request.tokens
                && yes >> index & 1 == 1
            {
                self.raise(key, last);
            }
        }
        Reply::Voted { yes, no: request.keys.mask() & !yes, fault: None }
    }
}
