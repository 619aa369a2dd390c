//! What the process is warned of: nodes that answer, but not as they should. Once each.

use std::time::Duration;

use crate::node::{Fault, FaultCode, Greeting, Holding, Reply, SKEW, Sighting};

/// The node of each that was told, and what it was about.
#[derive(Debug, Default)]
pub(super) struct Warnings(Vec<(usize, &'static str)>);

impl Warnings {
    /// False when it has been told before.
    pub(super) fn note(&mut self, node: usize, topic: &'static str) -> bool {
        let is_news = !self.0.contains(&(node, topic));
        if is_news {
            self.0.push((node, topic));
        }
        is_news
    }
}

/// What is wrong with the node by its answer, and what that is about. `wall` is this process' clock in microseconds since
/// 1970, `longest` the longest that any key of a lock lives.
pub(super) fn by_reply(
    reply: &Reply,
    wall: impl FnOnce() -> u64,
    longest: impl Fn() -> Duration,
) -> Option<(&'static str, String)> {
    match reply {
        Reply::Voted { fault: Some(fault), .. } => by_fault(fault),
        Reply::Untimely { clock } => by_clock(*clock, wall()),
        Reply::Probed(holdings) => holdings.iter().find_map(|holding| match holding {
            Holding::Held { remaining, .. } => by_remaining(*remaining, longest()),
            _ => None,
        }),
        Reply::Voted { .. } | Reply::Outbid { .. } => None,
    }
}

/// The same, by what it says when it is connected to.
pub(super) fn by_greeting(greeting: &Greeting, wall: u64) -> impl Iterator<Item = (&'static str, String)> {
    let of_server = greeting.warning.clone().map(|message| ("server", message));
    let of_clock = greeting.clock.and_then(|clock| by_clock(clock, wall));
    of_server.into_iter().chain(of_clock)
}

/// The same, by what a watcher has seen.
pub(super) fn by_sighting(sighting: &Sighting, longest: Duration) -> Option<(&'static str, String)> {
    match sighting {
        Sighting::Armed { remaining: Some(remaining), .. } => by_remaining(*remaining, longest),
        _ => None,
    }
}

fn by_fault(fault: &Fault) -> Option<(&'static str, String)> {
    (fault.code == FaultCode::NoPerm)
        .then(|| ("rights", format!("the server refuses what locks need: {}", fault.message)))
}

fn by_clock(clock: u64, wall: u64) -> Option<(&'static str, String)> {
    let apart = Duration::from_micros(clock.abs_diff(wall));
    let side = if clock > wall { "ahead of" } else { "behind" };
    let text = || format!("the server's clock is {:.1} s {side} this process's", apart.as_secs_f64());
    (apart > Duration::from_micros(SKEW)).then(|| ("clock", text()))
}

fn by_remaining(remaining: Duration, longest: Duration) -> Option<(&'static str, String)> {
    let text = || {
        let cause = "its clock was set back, or something holds locks for longer than maxTtl";
        format!("a key has {:.1} s left to live, more than any lock: {cause}", remaining.as_secs_f64())
    };
    (remaining > longest).then(|| ("ttl", text()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::node::Identity;

    const LONGEST: Duration = Duration::from_secs(60);
    const WALL: u64 = 1_750_000_000_000_000;

    fn topic(reply: &Reply) -> Option<&'static str> {
        by_reply(reply, || WALL, || LONGEST).map(|(topic, _)| topic)
    }

    #[test]
    fn tells_of_rights_clocks_and_keys_that_live_too_long_and_of_nothing_else() {
        let fault = |code| Reply::fault(Fault::new(code, "no permission"));
        assert_eq!(topic(&fault(FaultCode::NoPerm)), Some("rights"));
        assert_eq!(topic(&fault(FaultCode::Timeout)), None);
        assert_eq!(topic(&Reply::Voted { yes: 1, no: 0, fault: None }), None);
        assert_eq!(topic(&Reply::Outbid { least: 2 * WALL }), None);
        for clock in [WALL - SKEW - 1, WALL + SKEW + 1] {
            assert_eq!(topic(&Reply::Untimely { clock }), Some("clock"));
        }
        assert_eq!(topic(&Reply::Untimely { clock: WALL + SKEW }), None, "the tokens were far from the time");
        let held = |remaining| Reply::Probed(vec![Holding::Free, Holding::Held { value: "x".into(), remaining }]);
        assert_eq!(topic(&held(LONGEST)), None);
        assert_eq!(topic(&held(LONGEST + Duration::from_millis(1))), Some("ttl"));
        let armed = |remaining| Sighting::Armed { key: Arc::from("k"), remaining, others: 0 };
        assert_eq!(by_sighting(&armed(None), LONGEST), None);
        assert!(by_sighting(&armed(Some(LONGEST * 2)), LONGEST).is_some());
    }

    #[test]
    fn a_greeting_may_give_reason_for_two() {
        let topics = |warning: Option<&str>, clock| {
            let greeting = Greeting { identity: Identity::default(), warning: warning.map(str::to_owned), clock };
            by_greeting(&greeting, WALL).map(|(topic, _)| topic).collect::<Vec<_>>()
        };
        assert_eq!(topics(Some("it evicts"), Some(WALL - 2 * SKEW)), ["server", "clock"]);
        assert_eq!(topics(None, Some(WALL + SKEW)), [""; 0]);
        assert_eq!(topics(None, None), [""; 0]);
    }

    #[test]
    fn says_by_how_much_a_clock_is_wrong() {
        let text = |clock| by_reply(&Reply::Untimely { clock }, || WALL, || LONGEST).unwrap().1;
        assert_eq!(text(WALL + 60_000_000), "the server's clock is 60.0 s ahead of this process's");
        assert_eq!(text(WALL - 7_500_000), "the server's clock is 7.5 s behind this process's");
    }

    #[test]
    fn the_same_is_told_once_of_each_node() {
        let mut warnings = Warnings::default();
        assert!(warnings.note(0, "clock"));
        assert!(!warnings.note(0, "clock"));
        assert!(warnings.note(1, "clock"));
        assert!(warnings.note(0, "rights"));
    }
}
