//! The I/O thread: one for each process, whatever the number of services, environments and worker threads.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle};

static HANDLE: Mutex<Option<Handle>> = Mutex::new(None);

/// The I/O thread's handle. Starts the thread when it does not run yet.
pub(super) fn handle() -> io::Result<Handle> {
    let mut handle = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*handle {
        return Ok(handle.clone());
    }
    Ok(handle.insert(start()?).clone())
}

/// The thread lives as long as the process. It holds nothing open: with nothing to do it sleeps, and the process
/// exits without it.
fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("quorlock-io".into());
    thread.spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}
