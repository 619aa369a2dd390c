//! The core under scripted nodes and a hand-driven clock.

mod acquire;
mod bid;
mod clocks;
mod extend;
mod fencing;
mod hold;
mod node;
mod order;
mod own_clock;
mod release;
mod restart;
mod safety;
pub(crate) mod script;
mod search;
mod stay_out;
mod taking;
mod votes;
mod wake;
