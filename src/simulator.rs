//! The simulator's own program: the lock of the library, with servers, clocks, a network and faults around it that one
//! seed draws. `scripts/sim.mjs` starts it.

#![forbid(unsafe_code)]

#[allow(dead_code, unused_imports, reason = "the driver and the binding use more of it")]
mod lock;
#[allow(dead_code, unused_imports, reason = "the simulated servers stand in for the real ones")]
mod node;
mod sim;

fn main() -> std::process::ExitCode {
    sim::main()
}
