//! What one JavaScript environment (the main thread or a worker) has open: its mailboxes and its engines.

#![expect(
    unsafe_code,
    reason = "N-API has no safe calls for a wake-up function that threads share, for hooks, and for JavaScript's own memory"
)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use napi::bindgen_prelude::{Function, Int32ArraySlice};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Error, JsValue, Result, Status, sys};
use napi_derive::napi;

use super::event_loop::EventLoop;
use super::record::{WORDS, write};
use super::service::Service;
use crate::driver::Engine;
use crate::lock::Retry;

/// Weak: it does not keep the event loop alive, unless [`hold`] says so.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true, 0>;

/// How long a thread that is torn down waits for its releases to be answered.
const TEARDOWN_LIMIT: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Environment {
    /// By their numbers. Mostly one; each time that JavaScript loads the package anew it opens one more.
    mailboxes: Vec<Option<Mailbox>>,
    /// By their ids, which ascend.
    services: Vec<(u32, Weak<Service>)>,
    next_id: u32,
}

static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// Where the answers of some engines arrive.
struct Mailbox {
    wake: Arc<Wake>,
    /// Tells its event loop from those of all others of the process.
    number: u32,
    event_loop: Option<Rc<EventLoop>>,
}

impl Environment {
    fn mailbox(&self, number: u32) -> Option<&Mailbox> {
        self.mailboxes.get(number as usize)?.as_ref()
    }
}

thread_local! {
    /// An environment has a thread of its own, and is torn down on it.
    static ENVIRONMENT: RefCell<Environment> = RefCell::default();
}

/// Opens a mailbox; returns its number. `wake` is called, once for each batch, when records wait in it. With `watch` the
/// event loop watches sockets itself where it can.
#[napi]
pub fn open(env: Env, wake: Function<'_, (), ()>, watch: bool) -> Result<u32> {
    // SAFETY: on the thread of the environment, with its function.
    let event_loop = if watch { unsafe { EventLoop::open(env.raw(), wake.raw()) } } else { None };
    let wake = wake.build_threadsafe_function::<()>().callee_handled::<false>().weak::<true>().build()?;
    let mailbox = Mailbox { wake: Arc::new(wake), number: NUMBERS.fetch_add(1, Ordering::Relaxed), event_loop };
    let index = ENVIRONMENT.with_borrow_mut(|environment| {
        environment.mailboxes.push(Some(mailbox));
        environment.mailboxes.len() - 1
    });
    let argument = ptr::without_provenance_mut(index);
    // SAFETY: the environment is alive, and `end` takes the index of a mailbox.
    let status = unsafe { sys::napi_add_async_cleanup_hook(env.raw(), Some(end), argument, ptr::null_mut()) };
    match status {
        sys::Status::napi_ok => Ok(index as u32),
        status => Err(Error::new(Status::from(status), "the environment takes no cleanup hook")),
    }
}

/// Whether the event loop watches the sockets of this mailbox's engines.
#[napi]
pub fn watches(mailbox: u32) -> bool {
    ENVIRONMENT.with_borrow(|environment| environment.mailbox(mailbox).is_some_and(|own| own.event_loop.is_some()))
}

/// The environment ends; it waits until each mailbox's hook is told that everything is closed.
///
/// # Safety
/// Called by Node.js with the hook and the argument of `open`.
unsafe extern "C" fn end(hook: sys::napi_async_cleanup_hook_handle, index: *mut c_void) {
    tear_down();
    let mailbox = ENVIRONMENT.with_borrow_mut(|environment| environment.mailboxes.get_mut(index.addr())?.take());
    match mailbox.and_then(|mailbox| mailbox.event_loop) {
        Some(event_loop) => event_loop.leave(hook),
        // SAFETY: the hook that Node.js gave, told once.
        None => unsafe {
            sys::napi_remove_async_cleanup_hook(hook);
        },
    }
}

/// The thread ends, perhaps by `terminate()` with locks held: they are given back, and the waiters are gone.
fn tear_down() {
    let services = ENVIRONMENT.with_borrow_mut(|environment| std::mem::take(&mut environment.services));
    let services: Vec<_> = services.iter().filter_map(|(_, service)| service.upgrade()).collect();
    let engines: Vec<&Engine> = services.iter().map(|service| &***service).collect();
    Engine::shut_down_all(&engines, TEARDOWN_LIMIT);
    services.iter().for_each(|service| service.stop_watching());
}

/// Calls are pending: the event loop is kept alive.
#[napi]
pub fn hold(env: Env, mailbox: u32) -> Result<()> {
    // SAFETY: the function is alive, since the environment holds it, and this is its JavaScript thread.
    with_wake(mailbox, |wake| unsafe { sys::napi_ref_threadsafe_function(env.raw(), wake.raw()) })
}

/// No call is pending any more.
#[napi]
pub fn unhold(env: Env, mailbox: u32) -> Result<()> {
    // SAFETY: as in `hold`.
    with_wake(mailbox, |wake| unsafe { sys::napi_unref_threadsafe_function(env.raw(), wake.raw()) })
}

fn with_wake(mailbox: u32, call: impl FnOnce(&Wake) -> sys::napi_status) -> Result<()> {
    ENVIRONMENT.with_borrow(|environment| match environment.mailbox(mailbox) {
        Some(Mailbox { wake, .. }) if !wake.aborted() => match call(wake) {
            sys::Status::napi_ok => Ok(()),
            status => Err(Error::new(Status::from(status), "the event loop refused")),
        },
        _ => Ok(()),
    })
}

/// Takes in an engine whose answers are to arrive in this mailbox; returns its id.
pub(super) fn register(
    mailbox: u32,
    prefix: String,
    retry: Retry,
    make: impl FnOnce(u32, Arc<dyn Fn() + Send + Sync>) -> Result<Engine>,
) -> Result<(u32, Rc<Service>)> {
    let own = ENVIRONMENT.with_borrow(|environment| {
        environment.mailbox(mailbox).map(|own| (own.number, own.wake.clone(), own.event_loop.clone()))
    });
    let (number, wake, event_loop) =
        own.ok_or_else(|| Error::new(Status::InvalidArg, format!("no mailbox has the number {mailbox}")))?;
    let wake = move || {
        // Fails when the environment is being torn down: then nobody is left to be woken.
        let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    };
    let engine = make(number, Arc::new(wake))?;
    let service = Service::new(engine, mailbox, event_loop, prefix, retry);
    ENVIRONMENT.with_borrow_mut(|environment| {
        environment.services.retain(|(_, service)| service.strong_count() > 0);
        let id = environment.next_id;
        environment.next_id = id + 1;
        environment.services.push((id, Rc::downgrade(&service)));
        Ok((id, service))
    })
}

/// The service with this id.
pub(super) fn service(id: u32) -> Result<Rc<Service>> {
    let found = ENVIRONMENT.with_borrow(|environment| {
        let index = environment.services.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        environment.services[index].1.upgrade()
    });
    found.ok_or_else(|| Error::new(Status::InvalidArg, format!("no engine has the number {id}")))
}

/// Fills the buffer with records of all engines of this mailbox; returns how many.
#[napi]
pub fn drain(mailbox: u32, mut buffer: Int32ArraySlice<'_>) -> u32 {
    // SAFETY: JavaScript runs on this thread, and does nothing else until this call returns.
    let words = unsafe { buffer.as_mut() };
    let (records, _) = words.as_chunks_mut::<WORDS>();
    let services: Vec<_> = ENVIRONMENT.with_borrow(|environment| environment.services.clone());
    let mut count = 0;
    for (id, service) in services {
        let Some(service) = service.upgrade().filter(|service| service.mailbox() == mailbox) else {
            continue;
        };
        if count < records.len() {
            service.collect(|mail| {
                write(&mut records[count], id, &mail);
                count += 1;
                count < records.len()
            });
        }
    }
    u32::try_from(count).unwrap_or(u32::MAX)
}
