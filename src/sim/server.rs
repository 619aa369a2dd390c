//! One lock server in memory: what redis-server does with our commands and scripts, to the millisecond. A differential
//! test runs both side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::lock::Mutant;
use crate::node::id::HEX_LENGTH;
use crate::node::{AHEAD, Command, Fault, FaultCode, Holding, Id, Reply, Request, SKEW, Tokens};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Id(Id),
    /// What another program wrote.
    Text(String),
    /// Another type than a string.
    List,
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    /// In milliseconds of the server's wall clock: it is there until that has passed. `None`: for ever.
    pub(crate) expiry: Option<u64>,
}

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Server {
    pub(crate) locks: BTreeMap<Arc<str>, Entry>,
    /// The largest token that was granted of each key, and when that is forgotten.
    fences: BTreeMap<Arc<str>, (u64, u64)>,
    /// Keys that were written, deleted or found expired since they were last asked for.
    pub(crate) touched: Vec<Arc<str>>,
    pub(crate) mutant: Option<Mutant>,
    /// Out of memory, for so many reasons: what is new is refused.
    pub(crate) full: u32,
}

const FENCE_LIFE_MS: u64 = 3_600_000;
/// Fences of one second expire together.
const FENCE_TOGETHER_MS: u64 = 1024;

/// What a server thinks of one key of an acquire with tokens.
enum Bid {
    Granted,
    Refused,
    Beyond(u64),
    Near(u64),
    /// There is no memory for it.
    Full,
}

impl Server {
    pub(crate) fn new(mutant: Option<Mutant>) -> Self {
        Self { mutant, ..Self::default() }
    }

    /// Does what is asked, when its wall clock shows so many microseconds.
    pub(crate) fn run(&mut self, wall: u64, request: &Request) -> Reply {
        self.expire(wall);
        if request.command == Command::Probe {
            return Reply::Probed(request.keys.iter().map(|key| self.probe(wall, key)).collect());
        }
        let (mut yes, mut no) = (0, 0);
        let (mut least, mut clock, mut fault) = (None, None, None);
        // A script that has freed memory may use some, of a server that is out of it.
        let frees = request.command == Command::Release && request.keys.iter().any(|key| self.is_own(key, request.id));
        for (index, key) in request.keys.iter_shared().enumerate() {
            let bid = match (request.command, request.tokens) {
                (Command::Acquire { ttl_ms }, Some(tokens)) => self.bid(wall, &key, request.id, ttl_ms, tokens),
                (Command::Acquire { ttl_ms }, None) => self.acquire(wall, &key, request.id, ttl_ms),
                (Command::Extend { ttl_ms }, tokens) => verdict(self.extend(wall, &key, request.id, ttl_ms, tokens)),
                (Command::Release | Command::Probe, tokens) => {
                    self.release(wall, &key, request.id, tokens.filter(|_| frees || self.full == 0));
                    Bid::Granted
                }
            };
            match bid {
                Bid::Granted => yes |= 1 << index,
                Bid::Refused => no |= 1 << index,
                Bid::Beyond(token) => least = least.max(Some(token)),
                Bid::Near(now) => clock = Some(now),
                Bid::Full => fault = Some(Fault::new(FaultCode::Oom, "out of memory")),
            }
        }
        match (clock, least) {
            (Some(clock), _) if no == 0 && fault.is_none() => Reply::Untimely { clock },
            (None, Some(least)) if no == 0 && fault.is_none() => Reply::Outbid { least },
            _ => Reply::Voted { yes, no, fault },
        }
    }

    /// What has expired is gone.
    pub(crate) fn expire(&mut self, wall: u64) {
        let now = wall / 1000;
        let touched = &mut self.touched;
        self.locks.retain(|key, entry| {
            let lives = entry.expiry.is_none_or(|expiry| now <= expiry);
            if !lives {
                touched.push(key.clone());
            }
            lives
        });
        self.fences.retain(|_, (_, expiry)| now <= *expiry);
    }

    pub(crate) fn holder(&self, key: &str) -> Option<(Id, u64)> {
        let entry = self.locks.get(key)?;
        match entry.value {
            Value::Id(id) => Some((id, entry.expiry.unwrap_or(u64::MAX))),
            Value::Text(_) | Value::List => None,
        }
    }

    pub(crate) fn fence(&self, key: &str) -> Option<u64> {
        self.fences.get(key).map(|(fence, _)| *fence)
    }

    pub(crate) fn forget_fence(&mut self, key: &str) {
        self.fences.remove(key);
    }

    pub(crate) fn fence_expiry(&self, key: &str) -> Option<u64> {
        self.fences.get(key).map(|(_, expiry)| *expiry)
    }

    pub(crate) fn set(&mut self, key: &Arc<str>, value: Value, expiry: Option<u64>) {
        self.locks.insert(key.clone(), Entry { value, expiry });
        self.touched.push(key.clone());
    }

    pub(crate) fn delete(&mut self, key: &str) {
        if let Some((key, _)) = self.locks.remove_entry(key) {
            self.touched.push(key);
        }
    }

    /// All keys, and, if so asked, all fences.
    pub(crate) fn flush(&mut self, fences: bool) {
        self.touched.extend(self.locks.keys().cloned());
        self.locks.clear();
        if fences {
            self.fences.clear();
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn is_own(&self, key: &str, id: Id) -> bool {
        self.locks.get(key).is_some_and(|entry| entry.value == Value::Id(id))
    }

    fn acquire(&mut self, wall: u64, key: &Arc<str>, id: Id, ttl_ms: u64) -> Bid {
        if self.full > 0 {
            return Bid::Full;
        }
        let is_free = !self.locks.contains_key(key);
        if is_free {
            self.set(key, Value::Id(id), Some(wall / 1000 + ttl_ms));
        }
        verdict(is_free)
    }

    fn bid(&mut self, wall: u64, key: &Arc<str>, id: Id, ttl_ms: u64, tokens: Tokens) -> Bid {
        let own = self.is_own(key, id);
        let is_held = matches!(self.locks.get(key), Some(Entry { value: Value::Id(_) | Value::Text(_), .. }));
        let fence = self.fence(key);
        let least = fence.unwrap_or(0);
        let Tokens { first, last } = tokens;
        let is_outbid = match self.mutant {
            Some(Mutant::EqualBallot) => first < least,
            Some(Mutant::TextCompare) => first.to_string() <= least.to_string(),
            _ => first <= least,
        };
        let stored = if self.is(Mutant::FenceAtFirst) { first } else { last };
        if is_held && !own {
            Bid::Refused
        } else if is_outbid {
            Bid::Beyond(least)
        } else if first + SKEW < wall || (first > wall + SKEW && (fence.is_none() || first > least + AHEAD)) {
            Bid::Near(wall)
        } else if self.full > 0 {
            Bid::Full
        } else if own || !self.locks.contains_key(key) {
            self.set(key, Value::Id(id), Some(wall / 1000 + ttl_ms));
            self.raise(wall, key, stored, last);
            Bid::Granted
        } else {
            Bid::Refused
        }
    }

    fn raise(&mut self, wall: u64, key: &Arc<str>, fence: u64, last: u64) {
        let at_least = last / 1000 + FENCE_LIFE_MS;
        let expiry = at_least - at_least % FENCE_TOGETHER_MS + FENCE_TOGETHER_MS - 1;
        if expiry < wall / 1000 {
            self.fences.remove(key);
        } else {
            self.fences.insert(key.clone(), (fence, expiry));
        }
    }

    fn extend(&mut self, wall: u64, key: &Arc<str>, id: Id, ttl_ms: u64, tokens: Option<Tokens>) -> bool {
        if !self.is_own(key, id) {
            return false;
        }
        let expiry = wall / 1000 + ttl_ms;
        let present = self.locks.get(key).and_then(|entry| entry.expiry);
        if present.is_none_or(|present| present < expiry) || self.is(Mutant::ExtendShortens) {
            self.set(key, Value::Id(id), Some(expiry));
        }
        if let Some(Tokens { last, .. }) = tokens
            && self.fence(key).unwrap_or(0) < last
        {
            self.raise(wall, key, last, last);
        }
        true
    }

    fn release(&mut self, wall: u64, key: &Arc<str>, id: Id, tokens: Option<Tokens>) {
        if self.is_own(key, id) || self.is(Mutant::BlindRelease) {
            self.delete(key);
        }
        let Some(Tokens { first, last }) = tokens.filter(|_| !self.is(Mutant::NoTombstone)) else { return };
        let least = self.fence(key).unwrap_or(0);
        let farthest = (least + AHEAD).max(wall + SKEW);
        if let Some(fence) = [last, first].into_iter().find(|token| *token <= farthest).filter(|token| *token > least) {
            self.raise(wall, key, fence, last);
        }
    }

    fn probe(&self, wall: u64, key: &str) -> Holding {
        match self.locks.get(key) {
            None => Holding::Free,
            Some(Entry { value: Value::List, .. }) => {
                Holding::NotALock("the key holds another type of value, which no lock wrote".into())
            }
            Some(Entry { expiry: None, .. }) => {
                Holding::NotALock("the key has no time to live: whatever wrote it was not a lock".into())
            }
            Some(Entry { value, expiry: Some(expiry) }) => {
                let remaining = Duration::from_millis(expiry - wall / 1000);
                let value = match value {
                    Value::Id(id) => id.hex(&mut [0; HEX_LENGTH]).into(),
                    Value::Text(text) => text.as_str().into(),
                    Value::List => "".into(),
                };
                Holding::Held { value, remaining }
            }
        }
    }
}

fn verdict(granted: bool) -> Bid {
    if granted { Bid::Granted } else { Bid::Refused }
}
