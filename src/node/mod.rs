//! One independent lock server: what it can be asked, how it answers, and the seam behind which it stands.

#![forbid(unsafe_code)]

pub(crate) mod fault;
pub(crate) mod id;
pub(crate) mod identity;
pub(crate) mod keys;
pub(crate) mod memory;
pub(crate) mod moment;
mod redis;
pub(crate) mod round_trip;
pub(crate) mod tokens;

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sim")]
pub(crate) use self::redis::Eye;
pub(crate) use self::redis::{
    Address, Connected, Greeting, Line, Options, RedisNode, RedisWatcher, TlsOptions, connect,
};
pub(crate) use fault::{Fault, FaultCode};
pub(crate) use id::Id;
pub(crate) use identity::Identity;
pub(crate) use keys::Keys;
pub(crate) use moment::Moment;
pub(crate) use tokens::{AHEAD, SKEW, Tokens};

/// What an event loop watches in order to know that a link can be read.
#[cfg(unix)]
pub(crate) type Watched = std::os::fd::OwnedFd;
#[cfg(windows)]
pub(crate) type Watched = std::os::windows::io::OwnedSocket;

/// Which thread pumps. Whoever sends something watches for the answer, where it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The thread of the caller, which runs the event loop of this number.
    EventLoop(u32),
    IoThread,
}

/// Most nodes one lock may span: a vote takes four bits of two words on its way to JavaScript.
pub(crate) const MAX_NODES: usize = 15;

/// Whom an answer is for. Opaque to nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tag {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) round: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    /// Set each key to the id unless it exists.
    Acquire { ttl_ms: u64 },
    /// Raise each key's time to live to this, where it holds the id. Never lowers it.
    Extend { ttl_ms: u64 },
    /// Delete each key that holds the id.
    Release,
    /// Read who holds each key, and for how long.
    Probe,
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Request {
    pub(crate) tag: Tag,
    pub(crate) command: Command,
    pub(crate) keys: Keys,
    pub(crate) id: Id,
    /// What the fence of each key is raised to, if it is fenced: to the last of them; by a release to the first, where the
    /// last is too far ahead of the time. An acquire that does not lie beyond the fence is outbid.
    pub(crate) tokens: Option<Tokens>,
}

/// What one key of a [`Command::Probe`] was found to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Holding {
    Free,
    Held {
        value: Box<str>,
        remaining: Duration,
    },
    /// Something that no lock client wrote: another type, or a key that never expires.
    NotALock(Arc<str>),
    Faulted(Fault),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reply {
    /// One bit for each key: `yes` granted, extended or released; `no` refused or gone. A key in neither faulted.
    Voted {
        yes: u64,
        no: u64,
        fault: Option<Fault>,
    },
    /// Not granted, though nobody holds the keys: the tokens must lie beyond this one.
    Outbid {
        least: u64,
    },
    /// The same, but the tokens are too far from the server's clock, which this is, in microseconds since 1970.
    Untimely {
        clock: u64,
    },
    Probed(Vec<Holding>),
}

impl Reply {
    pub(crate) fn fault(fault: Fault) -> Self {
        Self::Voted { yes: 0, no: 0, fault: Some(fault) }
    }
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Answer {
    pub(crate) tag: Tag,
    pub(crate) reply: Reply,
}

/// What a node's watcher is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Watch {
    /// To look at a key, and to say when it may be free.
    Arm(Arc<str>),
    /// To say how many other processes wait for it.
    Count(Arc<str>),
    /// To forget it.
    Drop(Arc<str>),
}

/// What a node's watcher has to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sighting {
    /// It has looked: for how long the key is held, if it is, and how many other processes wait for it.
    Armed {
        key: Arc<str>,
        remaining: Option<Duration>,
        others: u32,
    },
    Counted {
        key: Arc<str>,
        others: u32,
    },
    /// The key may be free. Said once after each look.
    Freed {
        key: Arc<str>,
    },
}

/// One lock server as the driver sees it. Any thread may pump it; none ever waits in there.
pub(crate) trait Node: Send + Sync {
    /// Sends what `take` yields and adds to `answers` what has come back since. `take` swaps an empty buffer for the
    /// requests that wait; it may be called again.
    fn pump(&self, side: Side, now: Moment, take: &mut dyn FnMut(&mut Vec<Request>), answers: &mut Vec<Answer>);

    /// Median and 99th percentile of recent round trips; zero before the first.
    fn round_trip(&self) -> (Duration, Duration);
}
