//! The face towards `js/`, and the only folder that says N-API: plain values in, slots out, records in batches.
//! Classes, promises and error texts are made in JavaScript.

#![expect(unreachable_pub, reason = "exported to JavaScript, which the compiler does not see")]

/// A call makes some dozens of short-lived allocations, freed on the other thread as often as not. A checker of memory sees
/// only those of the system's allocator.
#[cfg(not(checked_memory))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod calls;
mod detail;
mod engine;
mod environment;
#[cfg_attr(not(unix), path = "no_event_loop.rs")]
mod event_loop;
mod key;
mod lab;
mod record;
mod service;
mod settings;
#[cfg(unix)]
mod uv;
