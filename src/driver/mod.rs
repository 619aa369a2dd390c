//! Carries out what the lock core decides: the clock, the timers, the I/O thread, one supervisor for each server.

#![forbid(unsafe_code)]

mod acquaintances;
mod circuit;
mod clock;
mod engine;
mod entropy;
mod lab;
mod launch;
mod mailbox;
mod node_set;
mod registry;
mod runtime;
mod supervisor;
mod timer;
mod warnings;
mod watcher;

pub(crate) use engine::Engine;
pub(crate) use lab::Lab;
pub(crate) use mailbox::{Mail, MailEvent, Word};
pub(crate) use node_set::{NodeSettings, Password};
pub(crate) use registry::Terms;
