//! quorlock: Redlock over independent Redis nodes, for Node.js.
//!
//! One call, from top to bottom and back; every arrow is one folder, and a folder names only those below it.
//!
//! ```text
//!  js/        acquire(key, ttl) ──► promise                     settle ▲
//!  binding/   calls::acquire ──► slot                  drain ──► record │
//!  driver/    Engine::step (one mutex, one clock)       pump ──► Answer ▲
//!  lock/      Core::step(now, Event) ──► Request         Notice ▲       │
//!  node/      Node::pump ──► one pipeline per node ──► Reply ───┘───────┘
//! ```
//!
//! `lock` is pure: time, randomness and replies come in as arguments. `driver` owns the clock, the timers and
//! the one I/O thread. `node` is one lock server, Redis or memory. `binding` is the only folder that says N-API.

#[cfg(all(feature = "binding", feature = "sim"))]
compile_error!("the simulator's build makes mistakes on purpose: it is never an addon");

#[cfg(feature = "binding")]
mod binding;
#[cfg_attr(not(feature = "binding"), allow(dead_code, reason = "the binding is its caller"))]
mod driver;
#[cfg_attr(not(feature = "binding"), allow(dead_code, reason = "the binding is its caller"))]
mod lock;
mod node;
