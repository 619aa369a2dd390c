//! Every history of two clients and three servers, as far as small budgets go: any message is lost, late, doubled or out
//! of order, keys expire, a server restarts empty, and calls come and end at any point between. Breadth first, so that a
//! counterexample is a shortest one.

mod moves;
mod world;

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Instant;

pub(crate) use world::{Budgets, Scope, World};

use moves::Move;

/// What a search has found.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) depth: usize,
    pub(crate) seconds: f64,
    pub(crate) counterexample: Option<(Vec<Move>, String)>,
}

type State = (World, Vec<Move>);

/// Looks at all states, or at all up to the first that breaks a promise.
pub(crate) fn search(scope: &Scope, threads: usize) -> Found {
    let start = Instant::now();
    let mut seen: HashSet<u64> = HashSet::new();
    let mut level: Vec<State> = vec![(World::new(scope), Vec::new())];
    let mut depth = 0;
    let mut counterexample = None;
    while !level.is_empty() && counterexample.is_none() {
        let shared = Mutex::new((Vec::new(), None));
        let size = level.len().div_ceil(threads).max(1);
        std::thread::scope(|threads| {
            for part in level.chunks(size) {
                threads.spawn(|| {
                    let (next, broken) = expand(part);
                    let mut shared = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    shared.0.extend(next);
                    shared.1 = shared.1.take().or(broken);
                });
            }
        });
        let (next, broken) = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        counterexample = broken;
        level = next.into_iter().filter(|(print, _)| seen.insert(*print)).map(|(_, state)| state).collect();
        depth += 1;
        if std::env::var_os("SEARCH_PROGRESS").is_some() {
            eprintln!(
                "  depth {depth}: {} new, {} in all, {:.1} s",
                level.len(),
                seen.len(),
                start.elapsed().as_secs_f64()
            );
        }
    }
    Found { states: seen.len(), depth, seconds: start.elapsed().as_secs_f64(), counterexample }
}

type Broken = Option<(Vec<Move>, String)>;

/// What follows from some states, and the first of them that breaks a promise.
fn expand(part: &[State]) -> (Vec<(u64, State)>, Broken) {
    let mut own: HashSet<u64> = HashSet::new();
    let mut next = Vec::new();
    for (world, path) in part {
        for step in world.moves() {
            let mut world = world.clone();
            let path: Vec<Move> = path.iter().copied().chain([step]).collect();
            world.make(step);
            if let Some(text) = world.broken.take() {
                return (next, Some((path, text)));
            }
            let print = world.fingerprint();
            if own.insert(print) {
                next.push((print, (world, path)));
            }
        }
    }
    (next, None)
}
