//! What a seed draws.

use std::time::Duration;

use super::clock::{Clock, MS, SECOND, Time};
use super::draw_faults::draw_faults;
use super::plan::{Away, Cancel, Latency, Op, Plan, Regime};
use super::rng::Rng;
use super::stage::stage;
use crate::lock::{Config, Mutant, RestartGuard, Retry};
use crate::node::tokens::BLOCK;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// November 2025; and a moment of 2001 at which the microseconds get one digit more.
const WALLS: [i64; 2] = [1_763_000_000 * MICROS_PER_SECOND, 1_000_000_000 * MICROS_PER_SECOND - 2 * MICROS_PER_SECOND];
const YEAR: i64 = 365 * 86_400 * MICROS_PER_SECOND;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn draw(seed: u64, mutant: Option<Mutant>) -> Plan {
    let rng = &mut Rng::new(seed, 0);
    let calm = rng.percent(4);
    let regime = match rng.below(10) {
        _ if calm => Regime::Assumed,
        0..7 => Regime::Assumed,
        7..9 => Regime::Broken,
        _ => Regime::Fenceless,
    };
    let nodes = rng.pick(&[1, 2, 3, 3, 3, 3, 3, 4, 5]);
    let end = if rng.percent(3) { 30 * SECOND } else { rng.between(600, 6000) * MS };
    let latency = draw_latency(rng, calm);
    // Within a quarter of its ttl a round must be able to succeed.
    let longest = rng.pick(&[60, 200, 600, 2000]).max(latency.round_trip_ms() * 8);
    let mut config = draw_config(rng, nodes, longest, regime, calm, mutant);
    config.node_timeout = config.node_timeout.max(ms(latency.round_trip_ms() * 2));
    let processes_count = if calm { 1 } else { rng.pick(&[1, 2, 2, 2, 3, 3, 4]) };
    let wall = WALLS[usize::from(rng.percent(10))];
    let (mut servers, mut processes) = draw_clocks(rng, nodes, processes_count, wall, calm);
    let mut addresses: Vec<usize> = (0..nodes).collect();
    let is_doubled = nodes > config.quorum && !calm && rng.percent(3);
    if is_doubled {
        addresses[1] = 0;
    }
    let is_misled = config.fencing && !calm && !is_doubled && rng.percent(8);
    if is_misled {
        mislead(rng, &config, &mut servers);
    }
    let mut ops = draw_ops(rng, &config, processes_count, longest, end, calm);
    let is_long = !calm && config.fencing && rng.percent(2);
    if is_long {
        // Clocks that are disciplined: else they would be minutes apart in the end.
        servers.iter_mut().chain(&mut processes).for_each(|clock| clock.ppm = 0);
    }
    let mut plan = Plan {
        seed,
        regime,
        config,
        servers,
        addresses,
        processes,
        latency,
        ops: Vec::new(),
        faults: Vec::new(),
        calm,
        is_staged: false,
        end,
        away: None,
        mutant,
    };
    if calm {
        plan.end += 40 * longest * MS;
    } else {
        plan.faults = draw_faults(rng, &plan);
        stage(rng, &mut plan, &mut ops);
        if is_long {
            // Longer than fences live.
            let pause = rng.between(3590, 3620) * SECOND;
            let half = ops.len() / 2;
            ops[half..].iter_mut().for_each(|op| op.at += pause);
            plan.end += pause;
        }
    }
    plan.ops = ops;
    if !calm && !is_misled && !is_doubled {
        plan.away = draw_away(rng, &plan.config);
    }
    plan
}

fn draw_away(rng: &mut Rng, config: &Config) -> Option<Away> {
    let servers: Vec<usize> = (config.quorum..config.nodes).collect();
    let is_away = rng.percent(25) && !servers.is_empty();
    is_away.then(|| Away { servers, hang: rng.percent(50) })
}

fn draw_config(
    rng: &mut Rng,
    nodes: usize,
    longest: u64,
    regime: Regime,
    calm: bool,
    mutant: Option<Mutant>,
) -> Config {
    let majority = nodes / 2 + 1;
    let guard = match regime {
        Regime::Assumed => rng.pick(&[RestartGuard::Observed, RestartGuard::Strict, RestartGuard::Off]),
        _ => rng.pick(&[RestartGuard::Observed, RestartGuard::Off]),
    };
    Config {
        nodes,
        quorum: if rng.percent(5) { nodes } else { majority },
        drift_factor: 0.01,
        node_timeout: ms(if calm { 250 } else { rng.pick(&[10, 50, 250]) }),
        connect_timeout: ms(rng.pick(&[100, 500, 2000])),
        max_hold: if !calm && rng.percent(5) { ms(800) } else { ms(600_000) },
        stall_limit: if !calm && rng.percent(5) { ms(600) } else { ms(60_000) },
        handover_limit: rng.pick(&[1, 2, 64]),
        fencing: rng.percent(50),
        max_ttl: ms(longest),
        restart_guard: guard,
        mutant,
    }
}

/// Rates differ by less than the drift factor in all. Wall clocks differ by less than servers tolerate; now and then that
/// of a process is wrong by years.
fn draw_clocks(rng: &mut Rng, nodes: usize, processes: usize, wall: i64, calm: bool) -> (Vec<Clock>, Vec<Clock>) {
    let far = rng.percent(30);
    // A calm history is long, and clocks part by almost a second in it.
    let farthest = if calm { 2000 } else { 2400 };
    let reach = if far { farthest } else { rng.pick(&[0, 0, 1, 50]) } * 1000;
    let rate = rng.pick(&[0, 100, 4500]);
    let clock = |rng: &mut Rng, wrong: i64| Clock {
        ppm: if rate == 4500 { rng.pick(&[-4500, 0, 4500]) } else { rng.signed(rate) },
        wall: wall + rng.signed(reach) + wrong,
        is_frozen: false,
    };
    let servers = (0..nodes).map(|_| clock(rng, 0)).collect();
    // As far apart as tokens of neighbouring blocks.
    let are_frozen = !calm && rng.percent(5);
    let apart = |number: usize| Clock { ppm: 0, wall: wall + number as i64 * (BLOCK as i64 - 1), is_frozen: true };
    let processes = (0..processes)
        .map(|number| {
            if are_frozen {
                return apart(number);
            }
            let wrong = if !calm && rng.percent(2) { rng.signed(20) * YEAR } else { 0 };
            clock(rng, wrong)
        })
        .collect();
    (servers, processes)
}

/// The clocks of a minority are wrong by seconds, minutes or hours. With tokens it votes for nobody; nobody else may notice.
fn mislead(rng: &mut Rng, config: &Config, servers: &mut [Clock]) {
    let (slowest, fastest) =
        servers.iter().fold((i64::MAX, 0), |(least, most), clock| (clock.wall.min(least), clock.wall.max(most)));
    // Between clocks that are seconds apart it would agree with some.
    let near = if fastest - slowest < MICROS_PER_SECOND / 2 { 6 } else { 20 };
    let first = rng.index(config.nodes);
    for index in first..first + config.nodes - config.quorum {
        let seconds = rng.pick(&[near, near + 2, 60, 4000]) * rng.pick(&[-1, -1, 1]);
        servers[index % config.nodes].wall += seconds * MICROS_PER_SECOND;
    }
}

fn draw_latency(rng: &mut Rng, calm: bool) -> Latency {
    let base = rng.pick(&[20, 100, 500, 3000]);
    let slow = if calm { (0, 0) } else { rng.pick(&[(0, 0), (10, 20_000), (50, 80_000), (30, 500_000)]) };
    Latency { base, jitter: rng.pick(&[0, base / 4, base * 2]), slow, thread: rng.pick(&[0, 50, 2000]) }
}

fn draw_ops(rng: &mut Rng, config: &Config, processes: usize, longest: u64, end: Time, calm: bool) -> Vec<Op> {
    let count = rng.between(2, 12);
    let crowd = rng.percent(30);
    let keys = rng.pick(&[1, 1, 1, 2, 3]);
    let looks = rng.percent(50);
    let mut ops: Vec<Op> = (0..count)
        .map(|index| {
            let at = if calm {
                index * 3 * longest * MS
            } else if crowd {
                rng.below(20 * MS)
            } else {
                rng.below(end * 3 / 4)
            };
            Op { looks, ..draw_op(rng, config, processes, longest, keys, calm, at) }
        })
        .collect();
    ops.sort_by_key(|op| op.at);
    ops
}

fn draw_op(rng: &mut Rng, config: &Config, processes: usize, longest: u64, keys: u64, calm: bool, at: Time) -> Op {
    let ttl = if calm || rng.percent(50) { longest } else { rng.between(10, longest) };
    let wait = rng.pick(&[0, 50, 1000, 5000, 5000, 20_000]);
    let (delay, delay_max) = rng.pick(&[(50, 1000), (5, 40), (2000, 4000)]);
    let retry = if rng.percent(70) {
        Retry::new(Some(ms(wait)), 0, ms(delay), ms(delay_max))
    } else {
        Retry::new(None, rng.below(6) as u32, ms(delay), ms(delay_max))
    };
    let single = 1 << rng.below(keys);
    let hold = match rng.below(10) {
        0 => 0,
        1..3 => rng.below(ttl * 3),
        3 => rng.below(ttl * 5),
        4..6 => rng.below(20),
        _ => rng.below(ttl.max(2) * 9 / 10),
    };
    let extend = rng.percent(20).then(|| {
        let later = if rng.percent(50) { rng.between(10, longest) } else { longest };
        (rng.below(hold.max(1)) * MS, ms(later.min(config.max_ttl.as_millis() as u64)))
    });
    let cancel = rng.percent(12).then(|| match rng.percent(50) {
        true => Cancel::After(rng.below(400) * MS),
        false => Cancel::AtStep(rng.below(24) as u32),
    });
    Op {
        at,
        process: rng.index(processes),
        keys: if rng.percent(12) && !calm { rng.between(1, (1 << keys) - 1) as u8 } else { single },
        ttl: ms(ttl),
        renew: rng.percent(60) && !calm,
        once: rng.percent(8),
        retry,
        hold: if calm { ttl / 4 * MS } else { hold * MS + rng.below(MS) },
        extend: extend.filter(|_| !calm),
        cancel: cancel.filter(|_| !calm),
        looks: false,
    }
}
