//! The few functions of libuv that watch sockets on the event loop itself, looked up in the running process: Node.js
//! exports them, other runtimes may not.
//!
//! Everything here belongs to the thread of one event loop, and must stay on it.

#![expect(unsafe_code, reason = "libuv is a C library")]

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::LazyLock;

use libloading::os::unix::Library;

type Raw = *mut c_void;
type OnClose = unsafe extern "C" fn(Raw);
type OnCheck = unsafe extern "C" fn(Raw);
type OnPoll = unsafe extern "C" fn(Raw, c_int, c_int);

// `uv_handle_type` and `uv_poll_event`, the same in every libuv 1.x.
const UV_CHECK: c_int = 2;
const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;

struct Functions {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    handle_set_data: unsafe extern "C" fn(Raw, Raw),
    handle_get_data: unsafe extern "C" fn(Raw) -> Raw,
    unref: unsafe extern "C" fn(Raw),
    close: unsafe extern "C" fn(Raw, OnClose),
    poll_init: unsafe extern "C" fn(Raw, Raw, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(Raw, c_int, OnPoll) -> c_int,
    poll_stop: unsafe extern "C" fn(Raw) -> c_int,
    check_init: unsafe extern "C" fn(Raw, Raw) -> c_int,
    check_start: unsafe extern "C" fn(Raw, OnCheck) -> c_int,
    check_stop: unsafe extern "C" fn(Raw) -> c_int,
}

static FUNCTIONS: LazyLock<Option<Functions>> = LazyLock::new(|| {
    let process = Library::this();
    // SAFETY: these are the types that libuv 1.x declares, which is checked first.
    unsafe {
        let version: unsafe extern "C" fn() -> c_uint = *process.get(b"uv_version\0").ok()?;
        if version() >> 16 != 1 {
            return None;
        }
        Some(Functions {
            handle_size: *process.get(b"uv_handle_size\0").ok()?,
            handle_set_data: *process.get(b"uv_handle_set_data\0").ok()?,
            handle_get_data: *process.get(b"uv_handle_get_data\0").ok()?,
            unref: *process.get(b"uv_unref\0").ok()?,
            close: *process.get(b"uv_close\0").ok()?,
            poll_init: *process.get(b"uv_poll_init\0").ok()?,
            poll_start: *process.get(b"uv_poll_start\0").ok()?,
            poll_stop: *process.get(b"uv_poll_stop\0").ok()?,
            check_init: *process.get(b"uv_check_init\0").ok()?,
            check_start: *process.get(b"uv_check_start\0").ok()?,
            check_stop: *process.get(b"uv_check_stop\0").ok()?,
        })
    }
});

/// An event loop whose functions are at hand. Copies are the same loop.
#[derive(Clone, Copy)]
pub(super) struct Loop {
    raw: Raw,
    uv: &'static Functions,
}

/// Whether a handle wants to hear of the next event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heed {
    Stay,
    Pause,
}

/// What a handle carries until libuv has closed it.
struct Body {
    heard: Box<dyn Fn() -> Heed>,
    closed: Box<dyn Fn()>,
    is_on: Cell<bool>,
    uv: &'static Functions,
    /// Closed after the handle, which may still be watching it.
    _descriptor: Option<OwnedFd>,
    /// The handle itself, freed with this.
    memory: *mut [u128],
}

impl Loop {
    /// `None` where the runtime does not offer what it takes.
    ///
    /// # Safety
    /// `raw` is the event loop of the calling thread.
    pub(super) unsafe fn new(raw: Raw) -> Option<Self> {
        let uv = FUNCTIONS.as_ref().filter(|_| !raw.is_null())?;
        Some(Self { raw, uv })
    }

    /// Hears when the descriptor can be read. `closed` is called once libuv is done with it.
    pub(super) fn poll(
        self,
        descriptor: OwnedFd,
        heard: impl Fn() -> Heed + 'static,
        closed: impl Fn() + 'static,
    ) -> Option<Handle> {
        let fd = descriptor.as_raw_fd();
        // SAFETY: the memory is as large as libuv asks for, and the descriptor outlives the handle.
        let init = |raw| unsafe { (self.uv.poll_init)(self.raw, raw, fd) };
        self.make(UV_POLL, init, heard, closed, Some(descriptor))
    }

    /// Hears once the sockets of one turn of the loop have been read.
    pub(super) fn check(self, heard: impl Fn() -> Heed + 'static, closed: impl Fn() + 'static) -> Option<Handle> {
        // SAFETY: the memory is as large as libuv asks for.
        let init = |raw| unsafe { (self.uv.check_init)(self.raw, raw) };
        self.make(UV_CHECK, init, heard, closed, None)
    }

    fn make(
        self,
        kind: c_int,
        init: impl FnOnce(Raw) -> c_int,
        heard: impl Fn() -> Heed + 'static,
        closed: impl Fn() + 'static,
        descriptor: Option<OwnedFd>,
    ) -> Option<Handle> {
        // SAFETY: a function without conditions.
        let size = unsafe { (self.uv.handle_size)(kind) };
        let memory = Box::into_raw(vec![0u128; size.div_ceil(size_of::<u128>())].into_boxed_slice());
        let raw: Raw = memory.cast();
        if init(raw) != 0 {
            // SAFETY: made above; libuv has not taken it.
            drop(unsafe { Box::from_raw(memory) });
            return None;
        }
        let body = Body {
            heard: Box::new(heard),
            closed: Box::new(closed),
            is_on: Cell::new(false),
            uv: self.uv,
            _descriptor: descriptor,
            memory,
        };
        // SAFETY: the handle is initialized. Its body goes when libuv has closed it, in `on_close`.
        unsafe {
            (self.uv.handle_set_data)(raw, Box::into_raw(Box::new(body)).cast());
            (self.uv.unref)(raw);
        }
        Some(Handle { raw, kind, uv: self.uv })
    }
}

/// A handle of libuv, which does not keep the loop alive. Dropping it closes it.
pub(super) struct Handle {
    raw: Raw,
    kind: c_int,
    uv: &'static Functions,
}

impl Handle {
    fn body(&self) -> &Body {
        // SAFETY: set by `make`, and alive until the handle is closed, which takes this value first.
        unsafe { &*(self.uv.handle_get_data)(self.raw).cast::<Body>() }
    }

    /// Hears from now on, until what it calls wants to pause.
    pub(super) fn start(&self) {
        if self.body().is_on.replace(true) {
            return;
        }
        // SAFETY: the handle is initialized and not closing.
        unsafe {
            match self.kind {
                UV_POLL => (self.uv.poll_start)(self.raw, UV_READABLE, on_poll),
                _ => (self.uv.check_start)(self.raw, on_check),
            };
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: dropped once, so closed once; the body and the memory stay until `on_close`.
        unsafe { (self.uv.close)(self.raw, on_close) };
    }
}

/// # Safety
/// Called by libuv with a handle made here.
unsafe fn body_of<'a>(raw: Raw) -> Option<&'a Body> {
    // The address of the data is where libuv keeps it for every handle, so any `Functions` will do.
    let uv = FUNCTIONS.as_ref()?;
    // SAFETY: as promised by the caller; the body stays until `on_close`.
    unsafe { (uv.handle_get_data)(raw).cast::<Body>().as_ref() }
}

/// # Safety
/// As `body_of`.
unsafe extern "C" fn on_poll(raw: Raw, status: c_int, _events: c_int) {
    // SAFETY: libuv calls with a handle of ours. An error of the socket is found by reading it.
    unsafe {
        let Some(body) = body_of(raw) else { return };
        if status < 0 {
            // libuv has stopped it.
            body.is_on.set(false);
        }
        if (body.heard)() == Heed::Pause && body.is_on.replace(false) {
            (body.uv.poll_stop)(raw);
        }
    }
}

/// # Safety
/// As `body_of`.
unsafe extern "C" fn on_check(raw: Raw) {
    // SAFETY: libuv calls with a handle of ours. Stopped first, so that what it calls can start it again.
    unsafe {
        let Some(body) = body_of(raw) else { return };
        body.is_on.set(false);
        (body.uv.check_stop)(raw);
        (body.heard)();
    }
}

/// # Safety
/// As `body_of`, for the last time.
unsafe extern "C" fn on_close(raw: Raw) {
    // SAFETY: libuv calls once, with a handle of ours that it does not touch any more.
    unsafe {
        let Some(uv) = FUNCTIONS.as_ref() else { return };
        let body = Box::from_raw((uv.handle_get_data)(raw).cast::<Body>());
        (body.closed)();
        drop(Box::from_raw(body.memory));
    }
}
