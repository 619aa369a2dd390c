//! Clocks that differ: in what they show, and in how fast they go.

use crate::node::Moment;

/// True time, in nanoseconds since the history began.
pub(crate) type Time = u64;

pub(crate) const MS: Time = 1_000_000;
pub(crate) const SECOND: Time = 1000 * MS;

/// What a client's own clock shows when the history begins.
const BOOT: u64 = SECOND;
const MILLION: i64 = 1_000_000;
/// A guess at a time is never later than the time, and not earlier by more than a few nanoseconds.
const GUESS: u64 = 8;

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// Millionths by which it is too fast.
    pub(crate) ppm: i64,
    /// The wall clock when the history begins, in microseconds since 1970.
    pub(crate) wall: i64,
    /// The wall clock stands still.
    pub(crate) is_frozen: bool,
}

impl Clock {
    fn elapsed(&self, time: Time) -> u64 {
        // No history lasts as long as a day: that fits.
        time.saturating_add_signed(time as i64 / 1000 * self.ppm / 1000)
    }

    /// On the monotonic clock of a process.
    pub(crate) fn moment(&self, time: Time) -> Moment {
        Moment::from_nanos(BOOT + self.elapsed(time))
    }

    pub(crate) fn wall(&self, time: Time) -> u64 {
        let elapsed = if self.is_frozen { 0 } else { self.elapsed(time) / 1000 };
        u64::try_from(self.wall + elapsed as i64).unwrap_or(0)
    }

    fn time_of_elapsed(&self, elapsed: u64) -> Time {
        if self.ppm == 0 {
            return elapsed;
        }
        let wrong = elapsed as f64 * self.ppm as f64 / (MILLION + self.ppm) as f64;
        let mut time = elapsed.saturating_add_signed(-(wrong as i64)).saturating_sub(GUESS);
        while self.elapsed(time) < elapsed {
            time += 1;
        }
        time
    }

    /// The first moment of true time at which the process' clock shows that.
    pub(crate) fn time_of(&self, moment: Moment) -> Time {
        if moment == Moment::NEVER { Time::MAX } else { self.time_of_elapsed(moment.as_nanos().saturating_sub(BOOT)) }
    }

    /// The first moment of true time at which the wall clock shows that many whole milliseconds.
    pub(crate) fn time_of_wall_ms(&self, ms: u64) -> Time {
        let micros = i64::try_from(ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000) - self.wall;
        if micros <= 0 { 0 } else { self.time_of_elapsed(micros as u64 * 1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_again_on_clocks_of_any_rate() {
        for ppm in [-4500, -89, 0, 1, 4500] {
            let clock = Clock { ppm, wall: 1_763_000_000_000_123, is_frozen: false };
            for time in [0, 1, 999, 123_456_789, 5 * SECOND + 7, 3700 * SECOND] {
                let found = clock.time_of(clock.moment(time));
                assert!(found <= time && clock.moment(found) == clock.moment(time), "{ppm} {time} {found}");
                assert!(found == 0 || clock.moment(found - 1) < clock.moment(time), "{ppm} {time} {found}");
                let ms = clock.wall(time) / 1000 + 1;
                let at = clock.time_of_wall_ms(ms);
                assert!(clock.wall(at) / 1000 == ms && clock.wall(at - 1) / 1000 == ms - 1, "{ppm} {time}");
            }
        }
    }
}
