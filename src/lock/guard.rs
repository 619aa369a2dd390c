//! The restart guard: a server that may have forgotten keys casts no vote until whatever it has forgotten has expired.

use std::time::Duration;

use super::config::Config;
use super::mutant::Mutant;
use crate::node::{Fault, FaultCode, Identity, Moment, SKEW};

/// Which restarts keep a node from voting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RestartGuard {
    Off,
    /// Those that this process has seen: another server answers at a node's address, or one that started while the
    /// others voted.
    Observed,
    /// Also one before the first contact, as far as its uptime tells.
    Strict,
}

/// Somebody who answered at a node's address before, as others of this process have seen it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Predecessor {
    pub(crate) identity: Identity,
    pub(crate) seen: Moment,
    /// When another one was met there, if one was.
    pub(crate) replaced: Option<Moment>,
}

/// Uptimes are in whole seconds.
const GRANULARITY: Duration = Duration::from_secs(1);
/// How far the wall clocks of clients and nodes may differ for a token to be taken, twice.
const SKEWS: Duration = Duration::from_micros(2 * SKEW);

impl Config {
    /// For how long after its start a server may be asked for keys that were granted before it.
    pub(super) fn quarantine(&self) -> Duration {
        let skews = if self.fencing && !self.has(Mutant::QuarantineWithoutSkew) { SKEWS } else { Duration::ZERO };
        let granularity = if self.has(Mutant::ShortQuarantine) { Duration::ZERO } else { GRANULARITY };
        self.max_ttl + self.drift(self.max_ttl) + granularity + skews
    }

    /// Until when a server that has just been reached casts no vote. `before` is who answered there before, and when
    /// last; `voting_since`, when a quorum first voted.
    pub(super) fn quarantined_until(
        &self,
        now: Moment,
        identity: &Identity,
        before: Option<(&Identity, Moment)>,
        voting_since: Moment,
    ) -> Option<Moment> {
        let whole = self.quarantine();
        let since_start = |uptime: Duration| now + whole.saturating_sub(uptime);
        let other = before.filter(|(before, _)| identity.is_other_than(before));
        match (self.restart_guard, other) {
            (RestartGuard::Off, _) => None,
            (_, Some((_, seen))) => Some(match identity.uptime {
                Some(uptime) if uptime <= now.since(seen) && identity.promotion.is_none() => since_start(uptime),
                // It was running all the time beside the one that answered, or has been a replica since it started: it
                // may never have had the keys.
                _ => now + whole,
            }),
            // Who does not say which run it is may have restarted each time that it is reached.
            (RestartGuard::Strict, None) if before.is_none() || identity.run.is_none() => {
                Some(identity.uptime.map_or(now + whole, since_start))
            }
            // It was away while the others voted, and started then: whatever it had before that is forgotten. One that
            // may have started together with them is taken as it is.
            (RestartGuard::Observed, None) if before.is_none() && !self.has(Mutant::LatecomerTrusts) => {
                let uptime = identity.uptime?;
                (uptime.saturating_add(GRANULARITY) <= now.since(voting_since)).then(|| since_start(uptime))
            }
            (RestartGuard::Strict | RestartGuard::Observed, None) => None,
        }
    }
}

impl Predecessor {
    /// Until when a server that answers in its place casts no vote.
    pub(super) fn quarantines(&self, config: &Config, now: Moment, identity: &Identity) -> Option<Moment> {
        // As whoever met it first has seen it.
        let met = self.replaced.unwrap_or(now);
        let uptime = identity.uptime.map(|uptime| uptime.saturating_sub(now.since(met)));
        let identity = Identity { uptime, ..identity.clone() };
        config.quarantined_until(met, &identity, Some((&self.identity, self.seen)), Moment::NEVER)
    }
}

/// Why a node in quarantine does not vote.
pub(super) fn quarantine(left: Duration) -> Fault {
    let seconds = left.as_secs_f64().ceil();
    let message = format!(
        "it has started anew, or was a replica, and may have forgotten locks: it votes in {seconds} s (restartGuard)"
    );
    Fault::new(FaultCode::Quarantined, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::tests::script::{config, ms};

    const NOW: Moment = Moment::from_nanos(1_000_000_000_000);

    fn guarded(restart_guard: RestartGuard) -> Config {
        Config { restart_guard, max_ttl: ms(60_000), ..config(3) }
    }

    fn server(run: &str, uptime_ms: u64) -> Identity {
        Identity { run: Some(run.into()), uptime: Some(ms(uptime_ms)), ..Identity::default() }
    }

    fn left(config: &Config, identity: &Identity, before: Option<(&Identity, Moment)>) -> Option<u128> {
        left_beside(config, identity, before, Moment::NEVER)
    }

    fn left_beside(
        config: &Config,
        identity: &Identity,
        before: Option<(&Identity, Moment)>,
        voting_since: Moment,
    ) -> Option<u128> {
        config.quarantined_until(NOW, identity, before, voting_since).map(|until| until.since(NOW).as_millis())
    }

    #[test]
    fn as_long_as_the_longest_ttl_the_drift_and_the_second_that_uptimes_are_short_of() {
        let config = guarded(RestartGuard::Observed);
        assert_eq!(config.quarantine(), ms(60_000 + 602 + 1000));
        assert_eq!(Config { fencing: true, ..config }.quarantine(), ms(60_000 + 602 + 1000 + 10_000));
    }

    #[test]
    fn a_restart_that_was_seen_counts_from_the_servers_start() {
        let config = guarded(RestartGuard::Observed);
        let seen = Moment::from_nanos(NOW.as_nanos() - 9_000_000_000);
        let before = server("a", 500_000);
        assert_eq!(left(&config, &server("b", 4000), Some((&before, seen))), Some(57_602));
        assert_eq!(left(&config, &server("a", 509_000), Some((&before, seen))), None, "only the connection was lost");
        assert_eq!(left(&config, &server("b", 4000), None), None, "nobody was there before");
        assert_eq!(left(&guarded(RestartGuard::Off), &server("b", 4000), Some((&before, seen))), None);
    }

    #[test]
    fn a_server_that_was_running_beside_the_one_before_counts_from_now() {
        let config = guarded(RestartGuard::Observed);
        let seen = Moment::from_nanos(NOW.as_nanos() - 9_000_000_000);
        assert_eq!(left(&config, &server("b", 3_600_000), Some((&server("a", 1), seen))), Some(61_602));
        let silent = Identity { run: Some("b".into()), ..Identity::default() };
        assert_eq!(left(&config, &silent, Some((&server("a", 1), seen))), Some(61_602));
    }

    #[test]
    fn a_server_that_has_been_a_replica_meanwhile_counts_from_now() {
        let config = guarded(RestartGuard::Observed);
        let seen = Moment::from_nanos(NOW.as_nanos() - 9_000_000_000);
        let promoted = |server: Identity, id: &str| Identity { promotion: Some(id.into()), ..server };
        let (plain, once) = (server("a", 500_000), promoted(server("a", 500_000), "p"));
        assert_eq!(left(&config, &once, Some((&plain, seen))), Some(61_602));
        assert_eq!(left(&config, &once, Some((&once, seen))), None, "only the connection was lost");
        assert_eq!(left(&config, &promoted(plain.clone(), "q"), Some((&once, seen))), Some(61_602), "once more");
        assert_eq!(left(&config, &plain, Some((&once, seen))), None, "it has forgotten that it was one");
        assert_eq!(left(&config, &once, None), None, "nobody knows when");
        let restarted = promoted(server("b", 4000), "p");
        assert_eq!(left(&config, &restarted, Some((&plain, seen))), Some(61_602));
        assert_eq!(left(&guarded(RestartGuard::Off), &once, Some((&plain, seen))), None);
    }

    #[test]
    fn a_server_reached_for_the_first_time_that_started_while_the_others_voted_counts_from_its_start() {
        let config = guarded(RestartGuard::Observed);
        let since = Moment::from_nanos(NOW.as_nanos() - 9_000_000_000);
        assert_eq!(left_beside(&config, &server("a", 4000), None, since), Some(57_602));
        assert_eq!(left_beside(&config, &server("a", 8000), None, since), Some(53_602));
        assert_eq!(left_beside(&config, &server("a", 9000), None, since), None, "it may have been there before");
        assert_eq!(left_beside(&config, &server("a", 0), None, Moment::NEVER), None, "nobody votes yet");
        assert_eq!(left_beside(&config, &Identity::default(), None, since), None, "it does not say");
        assert_eq!(left_beside(&config, &server("a", 4000), Some((&server("a", 1000), NOW)), since), None);
        assert_eq!(left_beside(&guarded(RestartGuard::Off), &server("a", 4000), None, since), None);
        assert_eq!(left_beside(&guarded(RestartGuard::Strict), &server("a", 4000), None, since), Some(57_602));
    }

    #[test]
    fn who_was_met_in_anothers_place_before_counts_from_then_on() {
        let config = guarded(RestartGuard::Observed);
        let ago = |seconds: u64| Moment::from_nanos(NOW.as_nanos() - seconds * 1_000_000_000);
        let before = Predecessor { identity: server("a", 0), seen: ago(12), replaced: Some(ago(10)) };
        let left =
            |identity: &Identity| before.quarantines(&config, NOW, identity).map(|until| until.since(NOW).as_millis());
        assert_eq!(left(&server("b", 11_000)), Some(50_602), "it started a second before it was met");
        assert_eq!(left(&server("b", 3_600_000)), Some(51_602), "it was running beside the other");
        assert_eq!(left(&server("a", 3_600_000)), None);
    }

    #[test]
    fn strict_also_counts_the_time_before_the_first_contact() {
        let config = guarded(RestartGuard::Strict);
        assert_eq!(left(&config, &server("a", 60_000), None), Some(1602));
        assert_eq!(left(&config, &server("a", 90_000), None), Some(0));
        assert_eq!(left(&config, &Identity::default(), None), Some(61_602));
        assert_eq!(left(&config, &Identity::default(), Some((&Identity::default(), NOW))), Some(61_602));
        assert_eq!(left(&config, &server("a", 1000), Some((&server("a", 1000), NOW))), None);
    }
}
