//! The only place where a clock is read; and the clock that a test moves by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
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
    u64::try_from(unix_epoch_now().as_micros()).unwrap_or(u64::MAX)
}

/// The time that a circuit lives by.
pub(super) enum Clock {
    System,
    Hand(HandClock),
}

impl Clock {
    pub(super) fn now(&self) -> Moment {
        match self {
            Self::System => now(),
            Self::Hand(clock) => clock.now(),
        }
    }

    /// A moment as a wall-clock time: only for people to read.
    pub(super) fn unix_time(&self, moment: Moment) -> Duration {
        match self {
            Self::System => unix_epoch_now().saturating_sub(now().since(moment)),
            Self::Hand(clock) => clock.epoch + moment.since(Moment::default()),
        }
    }
}

fn unix_epoch_now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Stands still until it is moved, and never goes back. Copies are the same clock.
#[derive(Clone)]
pub(super) struct HandClock {
    nanos: Arc<AtomicU64>,
    /// The wall clock when it was made.
    epoch: Duration,
}

impl HandClock {
    pub(super) fn new() -> Self {
        Self { nanos: Arc::default(), epoch: unix_epoch_now() }
    }

    pub(super) fn now(&self) -> Moment {
        Moment::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    pub(super) fn move_to(&self, moment: Moment) {
        self.nanos.fetch_max(moment.as_nanos(), Ordering::SeqCst);
    }
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

    #[test]
    fn by_hand_it_stands_still_until_it_is_moved_and_never_goes_back() {
        let hand = HandClock::new();
        let clock = Clock::Hand(hand.clone());
        let born = clock.unix_time(clock.now());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.now(), Moment::default());
        hand.move_to(Moment::from_nanos(5_000_000));
        hand.move_to(Moment::from_nanos(4_000_000));
        assert_eq!(clock.now(), Moment::from_nanos(5_000_000));
        assert_eq!(clock.unix_time(clock.now()), born + Duration::from_millis(5));
    }
}
