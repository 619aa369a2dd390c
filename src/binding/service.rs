//! One engine, and the sockets that the event loop of this environment watches for it.

use std::ops::Deref;
use std::rc::Rc;

use super::event_loop::Watch;
use crate::driver::{Engine, Mail};

pub(super) struct Service {
    engine: Engine,
    watch: Watch,
}

impl Deref for Service {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Service {
    pub(super) fn new(engine: Engine) -> Rc<Self> {
        Rc::new(Self { engine, watch: Watch::default() })
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
