//! What one lock service was told, and the few spans that follow from it.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use super::guard::RestartGuard;
use super::mutant::Mutant;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) nodes: usize,
    pub(crate) quorum: usize,
    pub(crate) drift_factor: f64,
    pub(crate) node_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_hold: Duration,
    pub(crate) stall_limit: Duration,
    /// Hand-overs after which a lease is given back, when another process waits for the key.
    pub(crate) handover_limit: u32,
    /// Each holder has a token larger than those of all before it.
    pub(crate) fencing: bool,
    /// The longest ttl that any client asks for.
    pub(crate) max_ttl: Duration,
    pub(crate) restart_guard: RestartGuard,
    /// A mistake that is made on purpose.
    #[cfg(feature = "sim")]
    pub(crate) mutant: Option<Mutant>,
}

impl Hash for Config {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.nodes, self.quorum, self.drift_factor.to_bits()).hash(hasher);
    }
}

/// How long, and how often, an acquire asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Retry {
    /// Total time to wait. `None`: `count` rounds after the first.
    pub(crate) wait: Option<Duration>,
    pub(crate) count: u32,
    pub(crate) delay: Duration,
    pub(crate) delay_max: Duration,
    /// `wait`, or the sum of the delays before they are drawn.
    pub(crate) total: Duration,
}

/// Added to the drift allowance: the clocks' own granularity, and that of expiry on the nodes.
const DRIFT_FLOOR: Duration = Duration::from_millis(2);

impl Config {
    /// How far the client's clock and a node's may run apart during one ttl.
    pub(crate) fn drift(&self, ttl: Duration) -> Duration {
        if self.has(Mutant::NoDrift) { Duration::ZERO } else { ttl.mul_f64(self.drift_factor) + DRIFT_FLOOR }
    }

    /// How long a validity that a request sent now would leave, once granted.
    pub(crate) fn validity(&self, ttl: Duration) -> Duration {
        ttl.saturating_sub(self.drift(ttl))
    }

    /// How long one round waits for silent nodes.
    pub(crate) fn patience(&self, ttl: Duration) -> Duration {
        self.node_timeout.min(ttl / 4)
    }
}

impl Retry {
    /// One round, whatever happens.
    pub(crate) const ONCE: Retry =
        Retry { wait: None, count: 0, delay: Duration::ZERO, delay_max: Duration::ZERO, total: Duration::ZERO };

    pub(crate) fn new(wait: Option<Duration>, count: u32, delay: Duration, delay_max: Duration) -> Self {
        let mut retry = Self { wait, count, delay, delay_max, total: Duration::ZERO };
        retry.total = wait.unwrap_or_else(|| retry.sum());
        retry
    }

    fn sum(&self) -> Duration {
        let mut sum = Duration::ZERO;
        for count in 0..self.count {
            let delay = self.undrawn(count);
            if delay == self.delay_max {
                return sum.saturating_add(delay.saturating_mul(self.count - count));
            }
            sum = sum.saturating_add(delay);
        }
        sum
    }

    /// The delay before the round after `rounds` refused ones: doubling, up to the limit.
    pub(crate) fn undrawn(&self, rounds: u32) -> Duration {
        let factor = 1u32.checked_shl(rounds).unwrap_or(u32::MAX);
        self.delay.saturating_mul(factor).min(self.delay_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn retry(wait: Option<Duration>, count: u32) -> Retry {
        Retry::new(wait, count, Duration::from_millis(50), SECOND)
    }

    #[test]
    fn the_default_delays_add_up_to_6550_ms() {
        assert_eq!(retry(None, 10).total, Duration::from_millis(6550));
    }

    #[test]
    fn a_huge_count_adds_up_at_once() {
        assert_eq!(retry(None, 1_000_000).total, Duration::from_millis(6550 + 999_990 * 1000));
        assert_eq!(Retry::new(None, 1_000_000, Duration::ZERO, Duration::ZERO).total, Duration::ZERO);
    }

    #[test]
    fn wait_wins_over_the_count() {
        assert_eq!(retry(Some(Duration::from_millis(7)), 10).total, Duration::from_millis(7));
    }

    #[test]
    fn delays_double_up_to_the_limit() {
        let delays: Vec<_> = [0, 1, 4, 5, 31, 32, 99].map(|n| retry(None, 10).undrawn(n).as_millis()).to_vec();
        assert_eq!(delays, [50, 100, 800, 1000, 1000, 1000, 1000]);
    }
}
