//! Every history of two clients and three servers, as far as small budgets go: any message is lost, late, doubled or out
//! of order, keys expire, a server restarts empty, and calls come and end at any point between. Breadth first, so that a
//! counterexample is a shortest one.
//!
//! Whole states are kept only for the level that is looked at and the next one. Of all others there is a print of 128
//! bits, by which they are known again, and which move of which state led there: a path is made anew from that.

mod client;
mod kept;
mod level;
mod moves;
mod print;
mod scope;
mod settled;
mod state;
mod world;

use std::collections::HashSet;
use std::time::Instant;

pub(crate) use scope::Scope;
pub(crate) use state::Broken;

use level::{Part, expand};
use moves::Move;
use print::ByPrint;
use state::{Pools, World};

/// What a search has found.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) moves: usize,
    pub(crate) depth: usize,
    pub(crate) seconds: f64,
    pub(crate) counterexample: Option<(Vec<Move>, Broken)>,
}

/// States whose followers are found before these are compared with all others.
const BATCH: usize = 1 << 16;

/// The state that a state was first reached from, and by which of the moves there.
#[derive(Clone, Copy)]
struct Link {
    from: u32,
    nth: u8,
}

/// Looks at all states, or at all up to the first that breaks a promise.
pub(crate) fn search(scope: &Scope, threads: usize) -> Found {
    let start = Instant::now();
    let pools = Pools::default();
    let first = World::new(scope, &pools);
    let mut seen: HashSet<u128, ByPrint> = HashSet::default();
    seen.insert(first.print());
    let mut links = vec![Link { from: 0, nth: 0 }];
    let (mut level, mut begin) = (vec![first], 0);
    let (mut moves, mut depth) = (0, 0);
    let mut broken = None;
    while !level.is_empty() && broken.is_none() {
        let mut next = Vec::new();
        for (number, batch) in level.chunks(BATCH).enumerate() {
            for Part { followers, breach, made } in expand(batch, begin + number * BATCH, &seen, &pools, threads) {
                moves += made;
                broken = broken.or(breach);
                for (print, link, world) in followers {
                    if seen.insert(print) {
                        links.push(link);
                        next.push(world);
                    }
                }
            }
            if broken.is_some() {
                break;
            }
        }
        begin += level.len();
        level = next;
        pools.sweep();
        depth += 1;
        if std::env::var_os("SEARCH_PROGRESS").is_some() {
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("  depth {depth}: {} new, {} in all, {moves} moves, {seconds:.1} s", level.len(), seen.len());
        }
    }
    let counterexample = broken.map(|(link, broken)| (path(scope, &pools, &links, link), broken));
    // The last step found nothing new, if it was not the one that broke a promise.
    depth -= usize::from(counterexample.is_none());
    Found { states: seen.len(), moves, depth, seconds: start.elapsed().as_secs_f64(), counterexample }
}

/// The moves that lead to a state, found by making them.
fn path(scope: &Scope, pools: &Pools, links: &[Link], last: Link) -> Vec<Move> {
    let mut turns = vec![last.nth];
    let mut state = last.from;
    while state != 0 {
        let link = links[state as usize];
        turns.push(link.nth);
        state = link.from;
    }
    let mut world = World::new(scope, pools);
    let make = |nth: u8| {
        let step = world.moves()[usize::from(nth)];
        world.make(step, pools);
        step
    };
    turns.into_iter().rev().map(make).collect()
}
