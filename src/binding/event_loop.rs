//! The event loop of one environment as a watcher of sockets: what it reads is settled in the same turn, without
//! another thread. Where the runtime does not offer it, everything goes by the I/O thread.

#![expect(unsafe_code, reason = "calls of N-API that napi-rs does not have")]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use napi::sys;

use super::service::Service;
use super::uv::{Handle, Heed, Loop};
use crate::node::{Line, Watched};

/// One for each mailbox whose environment can watch sockets. Kept by the handles that libuv has not closed yet.
pub(super) struct EventLoop {
    env: sys::napi_env,
    uv: Loop,
    wake: sys::napi_ref,
    /// What async hooks know of the calls of `wake`.
    context: sys::napi_async_context,
    /// Called once for all sockets that were read in one turn.
    settle: RefCell<Option<Handle>>,
    /// Handles that libuv has not closed yet.
    open: Cell<usize>,
    /// Set when the environment ends: what is to be told once all are closed.
    leaving: Cell<Option<sys::napi_async_cleanup_hook_handle>>,
}

const NAME: &CStr = c"quorlock";

/// The links of one engine that the event loop watches.
pub(super) struct Watch {
    event_loop: Option<Rc<EventLoop>>,
    links: RefCell<Vec<Watcher>>,
    /// Hears that the event loop has come around.
    turn: RefCell<Option<Handle>>,
}

struct Watcher {
    node: usize,
    line: Arc<Line>,
    poll: Handle,
}

impl EventLoop {
    /// The event loop of this thread for one mailbox, if it can watch. `wake` is called when records wait.
    ///
    /// # Safety
    /// On the thread of `env`, with a function of it.
    pub(super) unsafe fn open(env: sys::napi_env, wake: sys::napi_value) -> Option<Rc<Self>> {
        let mut raw = ptr::null_mut();
        let (mut reference, mut name, mut context) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: as promised by the caller.
        let uv = unsafe {
            if sys::napi_get_uv_event_loop(env, &raw mut raw) != sys::Status::napi_ok {
                return None;
            }
            Loop::new(raw.cast::<c_void>())?
        };
        // SAFETY: as promised by the caller.
        unsafe {
            if sys::napi_create_reference(env, wake, 1, &raw mut reference) != sys::Status::napi_ok
                || sys::napi_create_string_utf8(env, NAME.as_ptr(), NAME.count_bytes() as isize, &raw mut name)
                    != sys::Status::napi_ok
                || sys::napi_async_init(env, ptr::null_mut(), name, &raw mut context) != sys::Status::napi_ok
            {
                return None;
            }
        }
        let this = Rc::new(Self {
            env,
            uv,
            wake: reference,
            context,
            settle: RefCell::default(),
            open: Cell::new(0),
            leaving: Cell::new(None),
        });
        // Its own handle keeps it, until `leave`.
        let (called, closed) = (this.clone(), this.clone());
        let settle = uv.check(move || called.call_wake(), move || closed.closed())?;
        this.settle.replace(this.count(Some(settle)));
        Some(this)
    }

    /// The environment ends. `hook` is told as soon as libuv has closed every handle; their owners have dropped them.
    pub(super) fn leave(&self, hook: sys::napi_async_cleanup_hook_handle) {
        self.leaving.set(Some(hook));
        // Counts as one more until here, so that it is told exactly once.
        self.open.set(self.open.get() + 1);
        drop(self.settle.take());
        // SAFETY: on the thread of the environment, which waits for the hook; nothing calls `wake` any more.
        unsafe {
            sys::napi_async_destroy(self.env, self.context);
            sys::napi_delete_reference(self.env, self.wake);
        }
        self.closed();
    }

    /// Takes a new handle in, which `closed` will be called for.
    fn count(&self, handle: Option<Handle>) -> Option<Handle> {
        if handle.is_some() {
            self.open.set(self.open.get() + 1);
        }
        handle
    }

    fn closed(&self) {
        self.open.set(self.open.get() - 1);
        if self.open.get() == 0
            && let Some(hook) = self.leaving.take()
        {
            // SAFETY: the hook that Node.js gave, told once.
            unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        }
    }

    /// Has `wake` called after the sockets of this turn.
    fn settle_soon(&self) {
        if let Some(settle) = &*self.settle.borrow() {
            settle.start();
        }
    }

    fn call_wake(&self) -> Heed {
        let (env, mut scope) = (self.env, ptr::null_mut());
        let (mut wake, mut global) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: on the thread of the environment, which has not ended: its hook drops the handle that calls this.
        unsafe {
            if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
                return Heed::Pause;
            }
            if sys::napi_get_reference_value(env, self.wake, &raw mut wake) == sys::Status::napi_ok
                && sys::napi_get_global(env, &raw mut global) == sys::Status::napi_ok
            {
                self.call_back(global, wake);
            }
            sys::napi_close_handle_scope(env, scope);
        }
        Heed::Pause
    }

    /// As Node.js calls a listener: ticks and microtasks run before this returns, and what they throw is an uncaught
    /// exception. `napi_make_callback` would keep it to itself.
    ///
    /// # Safety
    /// As `call_wake`, within its handle scope.
    unsafe fn call_back(&self, global: sys::napi_value, wake: sys::napi_value) {
        let (env, mut scope, mut result) = (self.env, ptr::null_mut(), ptr::null_mut());
        // SAFETY: as promised by the caller.
        unsafe {
            if sys::napi_open_callback_scope(env, global, self.context, &raw mut scope) != sys::Status::napi_ok {
                return;
            }
            let status = sys::napi_call_function(env, global, wake, 0, ptr::null(), &raw mut result);
            // `wake` never throws: the thread is being terminated.
            if status == sys::Status::napi_pending_exception {
                sys::napi_get_and_clear_last_exception(env, &raw mut result);
            }
            sys::napi_close_callback_scope(env, scope);
        }
    }
}

impl Watch {
    pub(super) fn new(event_loop: Option<Rc<EventLoop>>) -> Self {
        Self { event_loop, links: RefCell::default(), turn: RefCell::default() }
    }

    /// Takes in the links that are new.
    pub(super) fn renew(&self, service: &Rc<Service>) {
        let Some(event_loop) = &self.event_loop else { return };
        service.attend(|node, line, watched| {
            if self.turn.borrow().is_none() {
                self.turn.replace(turn_of(event_loop, Rc::downgrade(service)));
            }
            self.links.borrow_mut().retain(|watcher| watcher.node != node);
            let poll = watch(event_loop, Rc::downgrade(service), node, line.clone(), watched);
            let watches = poll.is_some();
            self.links.borrow_mut().extend(poll.map(|poll| Watcher { node, line, poll }));
            watches
        });
    }

    /// Starts hearing of the links that the engine has left to the event loop.
    pub(super) fn resume(&self) {
        let mut is_awaited = false;
        for watcher in &*self.links.borrow() {
            if watcher.line.is_on_loop() {
                watcher.poll.start();
                is_awaited = true;
            }
        }
        if is_awaited && let Some(turn) = &*self.turn.borrow() {
            turn.start();
        }
    }

    pub(super) fn stop(&self) {
        self.links.take();
        self.turn.take();
    }
}

fn watch(
    event_loop: &Rc<EventLoop>,
    service: Weak<Service>,
    node: usize,
    line: Arc<Line>,
    watched: Watched,
) -> Option<Handle> {
    let (settler, closer) = (event_loop.clone(), event_loop.clone());
    let heard = move || {
        let Some(service) = service.upgrade().filter(|_| line.is_on_loop()) else {
            return Heed::Pause;
        };
        line.note_readable();
        if service.read_line(node) {
            settler.settle_soon();
        }
        Heed::Stay
    };
    event_loop.count(event_loop.uv.poll(watched, heard, move || closer.closed()))
}

/// Hears once that the event loop has come around, each time it is started.
fn turn_of(event_loop: &Rc<EventLoop>, service: Weak<Service>) -> Option<Handle> {
    let closer = event_loop.clone();
    let heard = move || {
        if let Some(service) = service.upgrade() {
            service.visit();
        }
        Heed::Pause
    };
    event_loop.count(event_loop.uv.check(heard, move || closer.closed()))
}
