//! Recent round trips of one node.

use std::time::Duration;

/// How many of the latest round trips count.
const WINDOW: usize = 512;

#[derive(Default)]
pub(crate) struct RoundTrips {
    micros: Vec<u32>,
    next: usize,
}

impl RoundTrips {
    pub(crate) fn record(&mut self, span: Duration) {
        let micros = u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        if self.micros.len() < WINDOW {
            self.micros.push(micros);
        } else {
            self.micros[self.next] = micros;
        }
        self.next = (self.next + 1) % WINDOW;
    }

    /// Median and 99th percentile; zero before the first.
    pub(crate) fn percentiles(&self) -> (Duration, Duration) {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let at = |share: usize| {
            let index = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
            Duration::from_micros(sorted.get(index).copied().unwrap_or(0).into())
        };
        (at(50), at(99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_zero_before_the_first() {
        assert_eq!(RoundTrips::default().percentiles(), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn keeps_the_latest_only() {
        let mut trips = RoundTrips::default();
        for _ in 0..WINDOW {
            trips.record(Duration::from_secs(1));
        }
        for micros in 0..WINDOW as u64 {
            trips.record(Duration::from_micros(micros));
        }
        assert_eq!(trips.percentiles(), (Duration::from_micros(256), Duration::from_micros(506)));
    }
}
