//! The core under scripted nodes and a hand-driven clock.

mod acquire;
mod hold;
mod node;
mod release;
mod safety;
mod script;
