//! Whether the JavaScript thread hangs.

use std::time::Duration;

use super::world::{Seat, World};

/// The JavaScript thread is asked for a sign of life when it has not given one for this long, or for a third of the
/// stall limit.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The JavaScript thread has not been seen for the stall limit, though it was asked. An idle one is asked first.
pub(super) fn is_stalled(world: &mut World, seat: Seat) -> bool {
    let limit = world.config.stall_limit;
    let now = world.now;
    let client = world.client(seat.slot);
    let unseen = now.since(client.seen);
    let heartbeat = HEARTBEAT.min(limit / 3);
    match client.asked {
        Some(asked) => unseen > limit && now.since(asked) > heartbeat,
        None if unseen > heartbeat => {
            client.asked = Some(now);
            client.heartbeat = true;
            false
        }
        None => false,
    }
}
