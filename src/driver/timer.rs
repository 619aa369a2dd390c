//! The task that steps the core when its next moment has come.

use std::sync::Arc;
use std::time::Duration;

use super::clock;
use super::engine::Inner;
use crate::lock::Event;
use crate::node::Moment;

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

pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        let next = inner.next_timer();
        tokio::select! {
            () = sleep_until(next) => {
                inner.step(Event::Tick);
                inner.circulate(true);
                inner.announce();
            }
            () = inner.rearm.notified() => {}
        }
    }
}
