//! One engine, and the sockets that the event loop of this environment watches for it.

#![forbid(unsafe_code)]

use std::ops::Deref;
use std::rc::Rc;

use super::event_loop::{EventLoop, Watch};
use super::settings::span;
use crate::driver::{Engine, Mail};
use crate::lock::{Call, Event, Retry};
use crate::node::Keys;

pub(super) struct Service {
    engine: Engine,
    mailbox: u32,
    watch: Watch,
    prefix: String,
    retry: Retry,
}

const RENEW: u32 = 1;
const ONCE: u32 = 2;

impl Deref for Service {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Service {
    pub(super) fn new(
        engine: Engine,
        mailbox: u32,
        event_loop: Option<Rc<EventLoop>>,
        prefix: String,
        retry: Retry,
    ) -> Rc<Self> {
        Rc::new(Self { engine, mailbox, watch: Watch::new(event_loop), prefix, retry })
    }

    /// The number of the mailbox in which the answers arrive.
    pub(super) fn mailbox(&self) -> u32 {
        self.mailbox
    }

    pub(super) fn retry(&self) -> Retry {
        self.retry
    }

    pub(super) fn key(&self, key: &str) -> Keys {
        if self.prefix.is_empty() { Keys::one(key) } else { Keys::one(&[self.prefix.as_str(), key].concat()) }
    }

    /// Returns the slot of the call. Nothing is sent before the next flush.
    pub(super) fn acquire(&self, keys: Keys, ttl: f64, flags: u32, retry: Retry) -> u32 {
        let once = flags & ONCE != 0;
        let retry = if once { Retry::ONCE } else { retry };
        let call = Call { keys, ttl: span(ttl), renew: flags & RENEW != 0, once, retry };
        self.engine.call(|slot| Event::Acquire { slot, call })
    }

    /// As [`Engine::flush`].
    pub(super) fn flush(self: &Rc<Self>) -> bool {
        self.watch.renew(self);
        let news = self.engine.flush();
        self.watch.resume();
        news
    }

    /// As [`Engine::collect`].
    pub(super) fn collect(&self, take: impl FnMut(Mail) -> bool) {
        self.engine.collect(take);
        self.watch.resume();
    }

    /// As [`Engine::read_line`].
    #[cfg_attr(not(unix), allow(dead_code, reason = "nothing watches there"))]
    pub(super) fn read_line(&self, node: usize) -> bool {
        let news = self.engine.read_line(node);
        self.watch.resume();
        news
    }

    /// Nobody watches any more; the I/O thread goes on.
    pub(super) fn stop_watching(&self) {
        self.watch.stop();
    }
}
