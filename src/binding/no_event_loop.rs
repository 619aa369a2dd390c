//! Stands for `event_loop.rs` where no event loop can watch our sockets.

#![expect(unsafe_code, reason = "it has the face of what it stands for")]

use std::rc::Rc;

use napi::sys;

use super::service::Service;

/// There is none.
pub(super) enum EventLoop {}

pub(super) struct Watch;

impl EventLoop {
    pub(super) unsafe fn open(_env: sys::napi_env, _wake: sys::napi_value) -> Option<Rc<Self>> {
        None
    }

    pub(super) fn leave(&self, _hook: sys::napi_async_cleanup_hook_handle) {
        match *self {}
    }
}

impl Watch {
    pub(super) fn new(_event_loop: Option<Rc<EventLoop>>) -> Self {
        Self
    }

    pub(super) fn renew(&self, _service: &Rc<Service>) {}

    pub(super) fn resume(&self) {}

    pub(super) fn stop(&self) {}
}
