//! Everything that a history is made of, before it begins: the same plan always makes the same history.

use std::time::Duration;

use super::clock::{Clock, Time};
use crate::lock::{Config, Mutant, Retry};

/// Which promises are to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Regime {
    /// The assumptions hold: all of them.
    Assumed,
    /// Clocks jump, keys are deleted: those that rest on no assumption, and the fences.
    Broken,
    /// Fences are lost as well.
    Fenceless,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) regime: Regime,
    pub(crate) config: Config,
    pub(crate) servers: Vec<Clock>,
    /// Which server each address leads to: two may lead to one.
    pub(crate) addresses: Vec<usize>,
    pub(crate) processes: Vec<Clock>,
    pub(crate) latency: Latency,
    pub(crate) ops: Vec<Op>,
    pub(crate) faults: Vec<Fault>,
    /// Nothing goes wrong, and there is time for everything: how many messages it takes is known.
    pub(crate) calm: bool,
    /// Its faults were not drawn one by one, but set so that they are what the assumptions allow.
    pub(crate) is_staged: bool,
    pub(crate) end: Time,
    /// Who is not back in the end, when all else is well.
    pub(crate) away: Option<Away>,
    pub(crate) mutant: Option<Mutant>,
}

/// A minority that somebody who waits must not wait for.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    pub(crate) servers: Vec<usize>,
    /// They are stopped; else they are killed.
    pub(crate) hang: bool,
}

/// How long messages take, in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    pub(crate) base: u64,
    pub(crate) jitter: u64,
    /// Of a thousand messages, so many take up to so much longer.
    pub(crate) slow: (u64, u64),
    /// A process takes its notices after so long, at most.
    pub(crate) thread: u64,
}

impl Latency {
    /// There and back, for a message that is not slow; rounded up.
    pub(crate) fn round_trip_ms(&self) -> u64 {
        (self.base + self.jitter) * 2 / 1000 + 1
    }
}

/// One call of a user, and what it does with the lock.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) at: Time,
    pub(crate) process: usize,
    /// One bit each.
    pub(crate) keys: u8,
    pub(crate) ttl: Duration,
    pub(crate) renew: bool,
    pub(crate) once: bool,
    pub(crate) retry: Retry,
    /// From the grant to the release.
    pub(crate) hold: Time,
    pub(crate) extend: Option<(Time, Duration)>,
    /// After so long, or after so many steps of its process.
    pub(crate) cancel: Option<Cancel>,
    /// The holder asks whether it still holds the lock before it writes.
    pub(crate) looks: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Cancel {
    After(Time),
    AtStep(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) when: When,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    At(Time),
    /// A process has been granted a lock for the nth time.
    Granted {
        process: usize,
        nth: u32,
    },
    /// A server has set a key for the nth time.
    Set {
        server: usize,
        nth: u32,
    },
    /// A server has been asked to release for the nth time.
    Asked {
        server: usize,
        nth: u32,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// The process is stopped, and continued.
    Pause { process: usize, span: Span },
    /// Its JavaScript thread hangs; the lock's own goes on.
    Stall { process: usize, span: Time },
    /// It is killed; another takes its place.
    Crash { process: usize, span: Time },
    /// A server is stopped, and continued: it does later what it was asked.
    Stop { server: usize, span: Time },
    /// It is killed, and started without its data, or without what was written in the last so long.
    Restart { server: usize, span: Time, forgets: Forgets },
    /// The link breaks. What is on its way arrives all the same, or does not.
    Cut { process: usize, node: usize, arrives: bool, late: Time },
    /// Nothing comes through, one way or both.
    Hold { process: usize, node: usize, there: bool, back: bool, span: Time },
    /// The next request arrives once more, so much later.
    Duplicate { process: usize, node: usize, late: Time },
    /// Nobody hears of releases.
    Deafen { process: usize, node: usize, span: Time },
    /// The connection that tells of releases is lost.
    Unwatch { process: usize, node: usize },
    /// No memory is left for what is new.
    Fill { server: usize, span: Time },
    /// The wall clock of a server jumps by so many milliseconds.
    Jump { server: usize, ms: i64 },
    /// Somebody deletes the locks, or the fences with them.
    Flush { server: usize, fences: bool },
    /// Another program writes to a key.
    Squat { server: usize, key: u8, ms: Option<u64> },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Forgets {
    Everything,
    Since(Time),
    Nothing,
    /// It went on running, as a replica of a server that knew nothing, and was promoted.
    AsReplica,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Span {
    For(Time),
    /// Until so many nanoseconds after the end of the validity of what it holds.
    PastDeadline(i64),
}

pub(crate) const KINDS: usize = 14;

impl What {
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Pause { .. } => 0,
            Self::Stall { .. } => 1,
            Self::Crash { .. } => 2,
            Self::Stop { .. } => 3,
            Self::Restart { .. } => 4,
            Self::Cut { .. } => 5,
            Self::Hold { .. } => 6,
            Self::Duplicate { .. } => 7,
            Self::Deafen { .. } => 8,
            Self::Unwatch { .. } => 9,
            Self::Fill { .. } => 10,
            Self::Jump { .. } => 11,
            Self::Flush { .. } => 12,
            Self::Squat { .. } => 13,
        }
    }
}

pub(crate) const KIND_NAMES: [&str; KINDS] = [
    "process stopped and continued",
    "JavaScript thread blocked",
    "process killed",
    "server stopped and continued",
    "server killed and restarted",
    "link cut",
    "link held",
    "request delivered twice",
    "releases not told",
    "watching connection lost",
    "server out of memory",
    "server's clock stepped",
    "keys deleted",
    "key written by others",
];
