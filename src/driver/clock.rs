//! The only place where a clock is read.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use crate::node::Moment;

static START: LazyLock<Reading> = LazyLock::new(Reading::now);

/// Time since the first reading: the larger of what `CLOCK_BOOTTIME` and `CLOCK_MONOTONIC` say, so that time
/// spent in suspend counts against a lock's validity.
pub(crate) fn now() -> Moment {
    Moment::from_nanos(Reading::now().since(&START))
}

/// The wall clock in microseconds since 1970: for what it is compared with on other machines, and to decide nothing.
pub(crate) fn wall() -> u64 {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(wall.as_micros()).unwrap_or(u64::MAX)
}

/// A moment as a wall-clock time: only for people to read.
pub(crate) fn unix_time(moment: Moment) -> Duration {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    wall.saturating_sub(now().since(moment))
}

#[cfg(target_os = "linux")]
struct Reading {
    boot: u64,
    monotonic: u64,
}

#[cfg(target_os = "linux")]
impl Reading {
    fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        let nanos = |clock| {
            let time = clock_gettime(clock);
            time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
        };
        Self { boot: nanos(ClockId::Boottime), monotonic: nanos(ClockId::Monotonic) }
    }

    fn since(&self, start: &Self) -> u64 {
        self.boot.saturating_sub(start.boot).max(self.monotonic.saturating_sub(start.monotonic))
    }
}

#[cfg(not(target_os = "linux"))]
struct Reading(std::time::Instant);

#[cfg(not(target_os = "linux"))]
impl Reading {
    fn now() -> Self {
        Self(std::time::Instant::now())
    }

    fn since(&self, start: &Self) -> u64 {
        u64::try_from(self.0.saturating_duration_since(start.0).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_goes_back() {
        let mut last = now();
        for _ in 0..1000 {
            let next = now();
            assert!(next >= last);
            last = next;
        }
    }
}
