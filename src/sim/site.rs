//! Where a server runs: its clock, its lives, who watches it, and what it remembers after a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Clock, MS, SECOND, Time};
use super::heap_item::Next;
use super::plan::Forgets;
use super::server::{Server, Value};
use crate::lock::Mutant;
use crate::node::{Id, Identity};

/// How long servers have been running when a history begins, in milliseconds.
const AGE_MS: u64 = 86_400_000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    pub(crate) process: usize,
    /// Of the connection on which it watches.
    pub(crate) epoch: u32,
    pub(crate) armed: bool,
}

pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    /// By its wall clock, in milliseconds.
    started: u64,
    /// Who connects now has to do with this one: it changes whenever all connections end.
    pub(crate) run: u32,
    starts: u32,
    promotions: u32,
    pub(crate) is_up: bool,
    pub(crate) is_stopped: bool,
    pub(crate) stash: Vec<Next>,
    pub(crate) sets: u32,
    pub(crate) asks: u32,
    pub(crate) requests: u64,
    pub(crate) watchers: BTreeMap<Arc<str>, Vec<Present>>,
    /// The ids whose release it has done since its fences were lost.
    pub(crate) released: BTreeSet<[u8; 16]>,
    /// What it was at which time; kept only where it may be asked for.
    past: Option<Vec<(Time, Server)>>,
}

impl Site {
    pub(crate) fn new(clock: &Clock, mutant: Option<Mutant>, remembers: bool) -> Self {
        Self {
            server: Server::new(mutant),
            started: clock.wall(0) / 1000 - AGE_MS,
            clock: clock.clone(),
            run: 0,
            starts: 0,
            promotions: 0,
            is_up: true,
            is_stopped: false,
            stash: Vec::new(),
            sets: 0,
            asks: 0,
            requests: 0,
            watchers: BTreeMap::new(),
            released: BTreeSet::new(),
            past: remembers.then(Vec::new),
        }
    }

    pub(crate) fn wall(&self, now: Time) -> u64 {
        self.clock.wall(now)
    }

    pub(crate) fn expire(&mut self, now: Time) {
        let wall = self.wall(now);
        self.server.expire(wall);
    }

    /// How redis-server counts its age: whole seconds of its clock, now and then.
    pub(crate) fn identity(&self, now: Time, number: usize) -> Identity {
        let age = (self.wall(now) / 1_000_000).saturating_sub(self.started / 1000);
        let promotion = (self.promotions > 0).then(|| self.promotions.to_string().into());
        let run = Some(format!("{number}.{}", self.starts).into());
        Identity { run, uptime: Some(Duration::from_secs(age)), promotion }
    }

    pub(crate) fn remember(&mut self, now: Time) {
        if let Some(past) = &mut self.past {
            past.push((now, self.server.clone()));
        }
    }

    /// It has been killed, and is started now.
    pub(crate) fn start(&mut self, now: Time, forgets: Forgets) {
        let (mutant, full) = (self.server.mutant, self.server.full);
        let empty = || Server::new(mutant);
        let since = match forgets {
            Forgets::Nothing => None,
            Forgets::Everything | Forgets::AsReplica => Some(0),
            Forgets::Since(span) => Some(now.saturating_sub(span)),
        };
        if let Some(since) = since {
            let past = self.past.as_mut().and_then(|past| {
                past.retain(|(at, _)| *at < since);
                past.pop()
            });
            self.server = past.map_or_else(empty, |(_, server)| server);
            self.released.clear();
        }
        // Not what it was at an earlier time, but as it is now.
        self.server.full = full;
        self.server.touched.clear();
        self.run += 1;
        if matches!(forgets, Forgets::AsReplica) {
            self.promotions += 1;
        } else {
            self.starts += 1;
            self.started = self.wall(now) / 1000;
        }
        self.is_up = true;
    }

    /// What other programs wrote goes.
    pub(crate) fn evict_squatters(&mut self) {
        self.server.locks.retain(|_, entry| matches!(entry.value, Value::Id(_)));
    }

    /// True when the key is this id's until then, in true time.
    pub(crate) fn keeps(&self, key: &str, id: Id, until: Time) -> bool {
        self.server.holder(key).is_some_and(|(owner, expiry)| {
            // It is there while its millisecond has not passed.
            owner == id && self.clock.time_of_wall_ms(expiry.saturating_add(1)) >= until
        })
    }
}

/// When a server looks for expired keys nobody asks for: at most so much later.
pub(crate) const REAP: Time = 200 * MS;
/// Longer than any wait between two tries to connect.
pub(crate) const RECONNECT_MAX: Time = SECOND;
