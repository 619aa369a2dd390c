//! For users' tests: nodes and a clock that JavaScript moves by hand. After each call that changes something, the mail of
//! its services waits to be drained; nobody is woken for it.

use std::sync::Arc;

use napi::Result;
use napi_derive::napi;

use super::detail::ms;
use super::engine::{Engine, check_count};
use super::settings::{EngineConfig, span};
use crate::driver;
use crate::node::Moment;

#[napi]
pub struct Lab {
    lab: Arc<driver::Lab>,
}

#[napi]
impl Lab {
    #[napi(constructor)]
    pub fn new(nodes: u32) -> Result<Self> {
        check_count(nodes as usize)?;
        Ok(Self { lab: driver::Lab::new(nodes as usize) })
    }

    /// A service on these nodes and by this clock.
    #[napi]
    pub fn engine(&self, config: EngineConfig, mailbox: u32) -> Result<Engine> {
        Engine::start_in(&self.lab, &config, mailbox)
    }

    /// Milliseconds since it was made, by its own clock.
    #[napi]
    pub fn now(&self) -> f64 {
        ms(self.lab.now().since(Moment::default()))
    }

    /// Lets time pass until something is due, at most until this time. True when something was: then there may be more.
    #[napi]
    pub fn step(&self, until: f64) -> bool {
        self.lab.step(Moment::default() + span(until))
    }

    /// From now on the first so many nodes are down, and no others.
    #[napi]
    pub fn fail(&self, nodes: u32) {
        self.lab.fail(nodes as usize);
    }

    /// The node has lost what it had, and is up.
    #[napi]
    pub fn restart(&self, node: u32) {
        self.lab.restart(node as usize);
    }

    /// The key, with its prefix, is gone from all nodes, and who holds it finds that out. True if somebody did hold it.
    #[napi]
    pub fn forget(&self, key: String) -> bool {
        self.lab.forget(&key)
    }
}
