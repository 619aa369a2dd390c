//! The protocol as a pure state machine: `Core::step(now, event)` turns events into requests and notices.
//! No async, no I/O, no clock, no randomness of its own: all of it comes in as arguments, so that the same code
//! runs in the process, under scripted tests and in a simulator.
//!
//! One slot holds one call of the user through its life: an [`attempt`], then a [`lease`], then a [`release`].

#![forbid(unsafe_code)]

pub(crate) mod config;
pub(crate) mod core;
pub(crate) mod event;

mod attempt;
mod backoff;
mod ballot;
mod client;
mod clocks;
mod connecting;
mod gate;
pub(crate) mod guard;
mod inspection;
mod lease;
mod members;
mod mutant;
mod outlet;
mod queue;
mod release;
mod renewal;
mod restoring;
mod slab;
mod stall;
mod survey;
mod tenure;
#[cfg(test)]
pub(crate) mod tests;
mod timers;
mod world;

pub(crate) use client::ClientId;
pub(crate) use config::{Config, Retry};
pub(crate) use core::Core;
pub(crate) use event::{
    Call, Change, Entropy, Event, Failure, Found, Kind, Lost, Released, Slot, Status, Verdict, VoteSeen,
};
pub(crate) use guard::{Predecessor, RestartGuard};
#[cfg(feature = "sim")]
pub(crate) use mutant::Mutant;
pub(crate) use outlet::Grant;
pub(crate) use survey::HeldKey;
