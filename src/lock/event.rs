//! What goes into the core and what comes out of it, besides requests to nodes.

use std::sync::Arc;
use std::time::Duration;

use super::client::ClientId;
use super::config::Retry;
use crate::node::{Answer, Fault, Holding, Identity, Keys, Sighting};

/// Names one call of the user from its reservation until its last notice has been taken.
pub(crate) type Slot = u32;

/// What no state machine can work out: random bits, and what people take for the time.
pub(crate) trait Entropy {
    fn bits(&mut self) -> u64;

    /// The wall clock in microseconds since 1970. It proposes fencing tokens, and decides nothing.
    fn wall(&mut self) -> u64;
}

/// What an acquire asks for.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Call {
    pub(crate) keys: Keys,
    pub(crate) ttl: Duration,
    pub(crate) renew: bool,
    /// One round, and no word on who holds it.
    pub(crate) once: bool,
    pub(crate) retry: Retry,
}

#[derive(Debug)]
pub(crate) enum Event {
    Acquire {
        slot: Slot,
        call: Call,
    },
    /// The caller gave up waiting, or does not want what it was granted.
    Cancel {
        slot: Slot,
    },
    Extend {
        slot: Slot,
        ttl: Duration,
    },
    Release {
        slot: Slot,
    },
    Connect {
        slot: Slot,
        timeout: Duration,
    },
    Inspect {
        slot: Slot,
        keys: Keys,
    },
    Answer {
        node: usize,
        answer: Answer,
    },
    Node {
        node: usize,
        status: Status,
    },
    /// What a node's watcher has seen.
    Sighted {
        node: usize,
        sighting: Sighting,
    },
    /// A node's watcher is there (again), and knows nothing.
    Watching {
        node: usize,
    },
    /// The JavaScript thread of a service lives.
    Seen {
        client: ClientId,
    },
    /// Time has passed.
    Tick,
}

impl Event {
    /// The slot that a call of the user is about: a sign of life of its JavaScript thread.
    pub(super) fn slot(&self) -> Option<Slot> {
        match self {
            Self::Acquire { slot, .. }
            | Self::Cancel { slot }
            | Self::Extend { slot, .. }
            | Self::Release { slot }
            | Self::Connect { slot, .. }
            | Self::Inspect { slot, .. } => Some(*slot),
            _ => None,
        }
    }
}

/// What the driver knows of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Connecting,
    Up(Identity),
    /// The same server answers again.
    Back,
    Down(Fault),
}

/// A turn in one slot's life that JavaScript must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Notice {
    pub(crate) slot: Slot,
    pub(crate) generation: u32,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Granted,
    /// Ended without the lock; a [`Failure`] can be taken.
    Failed(Verdict),
    Cancelled,
    /// The handle's ttl from now on.
    Extended {
        ttl_ms: u32,
    },
    ExtendFailed,
    Released(Released),
    Lost(Lost),
    Connected,
    ConnectFailed,
    Inspected,
}

impl Kind {
    /// The slot is free once this notice has been taken.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Released(_) | Self::Connected)
    }
}

/// Why an acquire ended without the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    Contended,
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Released {
    /// A quorum answered, and the handle was valid when the release was asked for.
    Valid,
    /// A quorum answered, and it was not valid any more.
    Expired,
    /// Fewer answered; the rest is asked again in the background until the keys have expired.
    Unknown,
}

/// Why a held lock is held no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lost {
    /// The validity ran out before a quorum confirmed a renewal, or none was asked for.
    Expired,
    /// The keys are gone, or another's, on too many nodes.
    Gone,
    /// Renewal stopped at `max_hold`.
    MaxHold,
    /// Renewal stopped because the JavaScript thread was not seen for `stall_limit`.
    Stalled,
}

/// A change of one node's state.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Change {
    pub(crate) node: usize,
    /// `None`: it votes again.
    pub(crate) fault: Option<Fault>,
}

/// What is told of one node's vote.
#[derive(Clone, Debug, Hash)]
pub(crate) enum VoteSeen {
    Pending,
    Granted,
    Refused { remaining: Option<Duration>, not_a_lock: Option<Arc<str>> },
    Faulted(Fault),
}

/// An acquire's end, in full.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Failure {
    pub(crate) attempts: u32,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) votes: Vec<VoteSeen>,
}

/// What an inspection found on one node.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Found {
    pub(crate) node: usize,
    pub(crate) holding: Holding,
}
