//! The face towards `js/`, and the only folder that says N-API: plain values in, slots out, records in batches.
//! Classes, promises and error texts are made in JavaScript.

#![expect(
    unreachable_pub,
    reason = "exported to JavaScript, which the compiler does not see"
)]

mod detail;
mod engine;
mod environment;
mod key;
mod record;
mod settings;
