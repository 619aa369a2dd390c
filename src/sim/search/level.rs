//! What follows from some states of one level, found by several threads. In whatever order they do their parts, these are
//! put together in the order of the states: every search of a scope finds the same states and the same counterexample.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::Link;
use super::moves::Move;
use super::print::ByPrint;
use super::state::{Broken, Pools, World};

/// States that one thread looks at, before it takes others.
const PART: usize = 1 << 10;

/// What follows from them.
pub(super) struct Part {
    /// States that had not been seen on an earlier level.
    pub(super) followers: Vec<(u128, Link, World)>,
    /// The first that breaks a promise.
    pub(super) breach: Option<(Link, Broken)>,
    pub(super) made: usize,
}

type Seen = HashSet<u128, ByPrint>;

/// `begin` is the number of the first state.
pub(super) fn expand(states: &[World], begin: usize, seen: &Seen, pools: &Pools, threads: usize) -> Vec<Part> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Relaxed);
            let Some(part) = states.chunks(PART).nth(number) else { return };
            let part = follow(part, begin + number * PART, seen, pools);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((number, part));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, part)| part).collect()
}

fn follow(states: &[World], begin: usize, seen: &Seen, pools: &Pools) -> Part {
    let mut own = Seen::default();
    let mut part = Part { followers: Vec::new(), breach: None, made: 0 };
    for (offset, state) in states.iter().enumerate() {
        let from = u32::try_from(begin + offset).expect("fewer than 2^32 states fit in memory");
        for (nth, step) in (0u8..).zip(state.moves()) {
            let mut world = state.clone();
            world.make(step, pools);
            part.made += 1;
            let link = Link { from, nth };
            if let Some(broken) = world.broken {
                part.breach = part.breach.or(Some((link, broken)));
                continue;
            }
            if world.is_settled() || (matches!(step, Move::Answer(_)) && world.is_as_before(state)) {
                continue;
            }
            let print = world.print();
            if !seen.contains(&print) && own.insert(print) {
                part.followers.push((print, link, world));
            }
        }
    }
    part
}
