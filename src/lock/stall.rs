//! Whether the JavaScript thread hangs.

use std::time::Duration;

use super::world::World;

/// The JavaScript thread is asked for a sign of life when it has not given one for this long, or for a third of the
/// stall limit.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The JavaScript thread has not been seen for the stall limit, though it was asked. An idle one is asked first.
pub(super) fn is_stalled(world: &mut World) -> bool {
    let limit = world.config.stall_limit;
    let unseen = world.now.since(world.seen);
    let heartbeat = HEARTBEAT.min(limit / 3);
    match world.asked {
        Some(asked) => unseen > limit && world.now.since(asked) > heartbeat,
        None if unseen > heartbeat => {
            world.asked = Some(world.now);
            world.heartbeat = true;
            false
        }
        None => false,
    }
}
