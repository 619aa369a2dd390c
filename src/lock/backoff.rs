//! Drawing from a span.

use std::time::Duration;

use super::event::Entropy;

/// A span drawn evenly from `low` up to `high`.
pub(super) fn draw(entropy: &mut dyn Entropy, low: Duration, high: Duration) -> Duration {
    let width = u64::try_from(high.saturating_sub(low).as_nanos()).unwrap_or(u64::MAX);
    // The high half of the product is even enough: the bias is below width / 2^64.
    let drawn = (u128::from(entropy.bits()) * (u128::from(width) + 1)) >> 64;
    low + Duration::from_nanos(drawn as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);

    impl Entropy for Fixed {
        fn bits(&mut self) -> u64 {
            self.0
        }

        fn wall(&mut self) -> u64 {
            0
        }
    }

    #[test]
    fn reaches_both_ends_and_no_further() {
        let (low, high) = (Duration::from_millis(25), Duration::from_millis(50));
        assert_eq!(draw(&mut Fixed(0), low, high), low);
        assert_eq!(draw(&mut Fixed(u64::MAX), low, high), high);
        assert_eq!(draw(&mut Fixed(u64::MAX / 2), low, high), Duration::from_nanos(37_500_000));
        assert_eq!(draw(&mut Fixed(u64::MAX), high, low), high);
    }
}
