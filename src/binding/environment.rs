//! What one JavaScript environment (the main thread or a worker) has open: its wake-up function and its engines.

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
    wake: Option<Arc<Wake>>,
    /// Tells its event loop from those of other environments.
    number: u32,
    /// By their ids, which ascend.
    services: Vec<(u32, Weak<Service>)>,
    next_id: u32,
}

static NUMBERS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// An environment has a thread of its own, and is torn down on it.
    static ENVIRONMENT: RefCell<Environment> = RefCell::default();
}

/// Opens the environment. `wake` is called, once for each batch, when records wait. With `watches` the event loop
/// watches sockets itself where it can; returns whether it does.
#[napi]
pub fn open(env: Env, wake: Function<'_, (), ()>, watches: bool) -> Result<bool> {
    // SAFETY: on the thread of the environment, with its function.
    let watches = watches && unsafe { EventLoop::open(env.raw(), wake.raw()) };
    let wake = wake.build_threadsafe_function::<()>().callee_handled::<false>().weak::<true>().build()?;
    ENVIRONMENT.with_borrow_mut(|environment| {
        environment.wake = Some(Arc::new(wake));
        environment.number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    });
    // SAFETY: the environment is alive, and `end` needs no argument.
    let status = unsafe { sys::napi_add_async_cleanup_hook(env.raw(), Some(end), ptr::null_mut(), ptr::null_mut()) };
    match status {
        sys::Status::napi_ok => Ok(watches),
        status => Err(Error::new(Status::from(status), "the environment takes no cleanup hook")),
    }
}

/// The environment ends; it waits until the hook is told that everything is closed.
unsafe extern "C" fn end(hook: sys::napi_async_cleanup_hook_handle, _nothing: *mut c_void) {
    tear_down();
    match EventLoop::current() {
        Some(event_loop) => event_loop.leave(hook),
        // SAFETY: the hook that Node.js gave, told once.
        None => unsafe {
            sys::napi_remove_async_cleanup_hook(hook);
        },
    }
}

/// The thread ends, perhaps by `terminate()` with locks held: they are given back, and the waiters are gone.
fn tear_down() {
    let environment = ENVIRONMENT.take();
    let services: Vec<_> = environment.services.iter().filter_map(|(_, service)| service.upgrade()).collect();
    let engines: Vec<&Engine> = services.iter().map(|service| &***service).collect();
    Engine::shut_down_all(&engines, TEARDOWN_LIMIT);
    services.iter().for_each(|service| service.stop_watching());
}

/// Calls are pending: the event loop is kept alive.
#[napi]
pub fn hold(env: Env) -> Result<()> {
    // SAFETY: the function is alive, since the environment holds it, and this is its JavaScript thread.
    with_wake(|wake| unsafe { sys::napi_ref_threadsafe_function(env.raw(), wake.raw()) })
}

/// No call is pending any more.
#[napi]
pub fn unhold(env: Env) -> Result<()> {
    // SAFETY: as in `hold`.
    with_wake(|wake| unsafe { sys::napi_unref_threadsafe_function(env.raw(), wake.raw()) })
}

fn with_wake(call: impl FnOnce(&Wake) -> sys::napi_status) -> Result<()> {
    ENVIRONMENT.with_borrow(|environment| match &environment.wake {
        Some(wake) if !wake.aborted() => match call(wake) {
            sys::Status::napi_ok => Ok(()),
            status => Err(Error::new(Status::from(status), "the event loop refused")),
        },
        _ => Ok(()),
    })
}

/// Takes an engine in; returns its id.
pub(super) fn register(
    prefix: String,
    retry: Retry,
    make: impl FnOnce(u32, Arc<dyn Fn() + Send + Sync>) -> Result<Engine>,
) -> Result<(u32, Rc<Service>)> {
    let (number, wake) = ENVIRONMENT.with_borrow(|environment| (environment.number, environment.wake.clone()));
    let wake = wake.ok_or_else(|| Error::new(Status::GenericFailure, "open() comes before the first Engine"))?;
    let wake = move || {
        // Fails when the environment is being torn down: then nobody is left to be woken.
        let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    };
    let engine = make(number, Arc::new(wake))?;
    let service = Service::new(engine, prefix, retry);
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

/// Fills the buffer with records of all engines; returns how many.
#[napi]
pub fn drain(mut buffer: Int32ArraySlice<'_>) -> u32 {
    // SAFETY: JavaScript runs on this thread, and does nothing else until this call returns.
    let words = unsafe { buffer.as_mut() };
    let (records, _) = words.as_chunks_mut::<WORDS>();
    let services: Vec<_> = ENVIRONMENT.with_borrow(|environment| environment.services.clone());
    let mut count = 0;
    for (id, service) in services {
        let Some(service) = service.upgrade() else {
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
