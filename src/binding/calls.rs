//! The calls that every lock makes, as plain functions which are told the engine by its number: finding and borrowing
//! the native half of `this` would cost more than the rest of the call.

use napi::Result;
use napi_derive::napi;

use super::detail::ms;
use super::environment::service;
use super::key::KeyText;
use super::settings::RetryConfig;
use crate::lock::Event;

/// Asks for one key, by the engine's own settings. Returns the slot of the call.
#[napi]
pub fn acquire(engine: u32, key: KeyText, ttl: f64, flags: u32) -> Result<u32> {
    let service = service(engine)?;
    Ok(service.acquire(service.key(key.as_str()), ttl, flags, service.retry()))
}

/// The same, with what the call says itself of how it waits: milliseconds, and -1 for no `wait`.
#[napi]
#[allow(clippy::too_many_arguments, reason = "an object's properties are found by their names, which costs more")]
pub fn acquire_waiting(
    engine: u32,
    key: KeyText,
    ttl: f64,
    flags: u32,
    wait: f64,
    retry_count: u32,
    retry_delay: f64,
    retry_delay_max: f64,
) -> Result<u32> {
    let service = service(engine)?;
    let wait = (wait >= 0.0).then_some(wait);
    let retry = RetryConfig { wait, retry_count, retry_delay, retry_delay_max };
    Ok(service.acquire(service.key(key.as_str()), ttl, flags, retry.into()))
}

#[napi]
pub fn release(engine: u32, slot: u32) -> Result<()> {
    service(engine)?.tell(Event::Release { slot });
    Ok(())
}

/// Milliseconds for which the lock in this slot is still valid.
#[napi]
pub fn remaining(engine: u32, slot: u32) -> Result<f64> {
    Ok(ms(service(engine)?.remaining(slot)))
}

/// Sends what the calls since the last flush queued. True when records wait to be drained.
#[napi]
pub fn flush(engine: u32) -> Result<bool> {
    Ok(service(engine)?.flush())
}
