//! The simulator: the lock's core in many processes, servers in memory, and between them a network, clocks and faults that
//! a seed draws. No clock, no thread and no socket takes part in a history; the same seed always makes the same one.

#![forbid(unsafe_code)]

mod alike;
mod allowed;
mod app;
mod call;
mod check;
mod clock;
mod connecting;
mod differ;
mod draw;
mod draw_faults;
mod heal;
mod heap;
mod heap_item;
mod history;
mod inject;
mod link;
mod network;
mod plan;
mod process;
mod progress;
mod rng;
mod run;
mod scopes;
mod search;
mod server;
mod serving;
mod shrink;
mod site;
mod stage;
mod stage_restarts;
mod stage_turns;
mod store;
mod trace;
mod turns;

use std::process::ExitCode;

/// `seeds <first> <count> <threads> <mutant or ->`, `seed <seed> <mutant or ->`.
pub(crate) fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    run::main(&words)
}
