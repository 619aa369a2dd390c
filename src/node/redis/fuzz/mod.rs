//! Servers that answer whatever they like, against the code that reads their answers: nothing panics, memory stays
//! bounded, every request gets one answer, and no vote is counted that does not stand in what was said.
//!
//! `QUORLOCK_FUZZ_CASES` says how many cases each test runs, `QUORLOCK_FUZZ_SEED` with which it begins: what a failure
//! prints is what has it again.

mod garbage;
mod link;
mod meeting;
mod peer;
mod reference;
mod server;
mod source;
mod values;
mod watcher;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::runtime::Builder;

const CASES: u64 = 300;
const SEED: u64 = 1;
/// What all cases together may add to the process's memory. A single answer may fill some tens of it.
const GROWTH_MIB: u64 = 512;
/// A case takes less than a millisecond, few take half a second.
const HANG: Duration = Duration::from_secs(30);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// Runs the cases of one test, each from its seed.
fn fuzz(target: &str, case: impl Fn(u64) -> Result<(), String>) {
    let (first, count) = (setting("QUORLOCK_FUZZ_SEED", SEED), setting("QUORLOCK_FUZZ_CASES", CASES));
    let before = resident_mib();
    for seed in first..first + count {
        let outcome = catch_unwind(AssertUnwindSafe(|| case(seed))).unwrap_or_else(|_| Err("it panicked".to_owned()));
        let outcome = outcome.and_then(|()| {
            let grown = resident_mib().saturating_sub(before);
            if grown <= GROWTH_MIB { Ok(()) } else { Err(format!("{grown} MiB more are in use")) }
        });
        if let Err(reason) = outcome {
            let again = format!("QUORLOCK_FUZZ_SEED={seed} QUORLOCK_FUZZ_CASES=1");
            panic!("seed {seed}: {reason}\nagain: {again} cargo test --no-default-features --lib fuzz::{target}");
        }
    }
}

/// Zero where the system does not say.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Each case has a runtime of its own, with what it leaves behind.
fn run(case: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(async { tokio::time::timeout(HANG, case).await });
    outcome.unwrap_or_else(|_| Err("it hangs".to_owned()))
}

#[test]
fn links() {
    fuzz("links", |seed| run(link::run(seed)));
}

#[test]
fn watchers() {
    fuzz("watchers", |seed| run(watcher::run(seed)));
}

#[test]
fn values() {
    fuzz("values", values::run);
}
