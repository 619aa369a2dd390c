//! What can be about to happen.

use super::clock::Time;
use super::plan::Forgets;
use crate::node::{Answer, Identity, Request, Sighting, Watch};

#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// A user calls.
    Op(usize),
    /// A timer of a process' core, which was set for that time.
    Timer {
        process: usize,
        life: u32,
        at: Time,
    },
    /// Its JavaScript thread takes what there is.
    Collect {
        process: usize,
        life: u32,
    },
    /// The holder of a lock has done its work.
    Finish(usize),
    Extend(usize),
    Cancel(usize),
    Fault(usize),
    /// A fault is over.
    Mend(usize),
    Request {
        process: usize,
        node: usize,
        epoch: u32,
        run: u32,
        is_late: bool,
        request: Request,
    },
    /// A request that arrives once more, of which nobody will hear.
    Ghost {
        node: usize,
        run: u32,
        request: Request,
    },
    Answer {
        process: usize,
        node: usize,
        epoch: u32,
        answer: Answer,
    },
    /// A process hears that its link is broken.
    Broken {
        process: usize,
        node: usize,
        epoch: u32,
    },
    Connect {
        process: usize,
        node: usize,
        life: u32,
    },
    Greeted {
        process: usize,
        node: usize,
        epoch: u32,
        life: u32,
        identity: Identity,
    },
    /// It is time to look whether a link is silent.
    Silence {
        process: usize,
        node: usize,
        epoch: u32,
    },
    Watch {
        process: usize,
        node: usize,
        epoch: u32,
        watch: Watch,
    },
    Sight {
        process: usize,
        node: usize,
        epoch: u32,
        sighting: Sighting,
    },
    Rewatch {
        process: usize,
        node: usize,
        epoch: u32,
    },
    /// A server looks for what has expired.
    Reap {
        server: usize,
    },
    Started {
        server: usize,
        forgets: Forgets,
    },
    /// All faults are over, but that some servers may be away.
    Heal,
    /// They are back.
    Return,
    /// Nothing: the checks look.
    Look,
}

impl Next {
    /// Which process sees it, and whether its JavaScript thread must run for that.
    pub(crate) fn process(&self) -> Option<(usize, bool)> {
        match self {
            Self::Collect { process, .. } => Some((*process, true)),
            Self::Timer { process, .. }
            | Self::Answer { process, .. }
            | Self::Broken { process, .. }
            | Self::Connect { process, .. }
            | Self::Greeted { process, .. }
            | Self::Silence { process, .. }
            | Self::Sight { process, .. }
            | Self::Rewatch { process, .. } => Some((*process, false)),
            _ => None,
        }
    }
}
