//! The task that steps the core when its next moment has come.

use std::sync::Arc;
use std::time::Duration;

use super::circuit::Circuit;
use super::clock;
use crate::lock::Event;
use crate::node::{Moment, Side};

/// An event loop that has been absent for so long may have left answers unread, which a timer must not overlook.
const RELIEF: Duration = Duration::from_millis(1);

/// Sleeps until a moment of our clock; for ever until [`Moment::NEVER`].
pub(super) async fn sleep_until(moment: Moment) {
    if moment == Moment::NEVER {
        std::future::pending().await
    }
    let left = moment.since(clock::now());
    if left > Duration::ZERO {
        tokio::time::sleep(left).await;
    }
}

pub(super) async fn run(circuit: Arc<Circuit>) {
    loop {
        let next = circuit.next_timer();
        tokio::select! {
            () = sleep_until(next) => {
                circuit.relieve(RELIEF);
                circuit.step(Event::Tick);
                circuit.circulate(Side::IoThread);
                circuit.announce();
            }
            () = circuit.rearm.notified() => {}
        }
    }
}
