//! Many seeds, on every processor, and what they were worth.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::draw::draw;
use super::history::{Figures, Violation, run, run_seed};
use super::plan::KIND_NAMES;
use super::shrink::shrink;
use crate::lock::Mutant;

/// Of a hundred seeds, so many are run twice, and must give the same history.
const TWICE: u64 = 100;

#[derive(Default)]
struct Sum {
    figures: Figures,
    histories: u64,
    hash: u64,
    failure: Option<(u64, Violation)>,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        let (one, more) = (&mut self.figures, &other.figures);
        one.events += more.events;
        one.grants += more.grants;
        one.calls += more.calls;
        one.requests += more.requests;
        one.refused_writes += more.refused_writes;
        one.lost_updates += more.lost_updates;
        one.faults.iter_mut().zip(more.faults).for_each(|(one, more)| *one += more);
        self.histories += other.histories;
        self.hash ^= other.hash;
    }
}

pub(crate) fn main(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mutant = |name: &str| Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name);
    let number = |word: &str| word.parse::<u64>().unwrap_or(0);
    match words.as_slice() {
        ["seeds", first, count, threads, name] => {
            seeds(number(first), number(count), number(threads).max(1), mutant(name))
        }
        ["seed", seed, name] => one(number(seed), mutant(name)),
        ["differ", socket, clock, count, first, name] => {
            super::differ::main([socket, clock, count, first], mutant(name))
        }
        ["mutants", count, threads] => mutants(number(count), number(threads).max(1)),
        ["search", extent, threads] => super::scopes::main(extent, number(threads).max(1) as usize),
        _ => {
            eprintln!(
                "usage: seeds <first> <count> <threads> <mutant|->, seed <seed> <mutant|->, mutants <count> <threads>"
            );
            eprintln!("       search <quick|full> <threads>");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64, mutant: Option<Mutant>) -> ExitCode {
    let plan = draw(seed, mutant);
    let outcome = run(plan.clone(), true);
    let Some(violation) = outcome.violation else {
        println!("seed {seed}: every promise was kept; trace {:016x}", outcome.hash);
        return ExitCode::SUCCESS;
    };
    let (plan, outcome) = shrink(&plan, violation.invariant);
    // With another core or another way of drawing, the same seed is another history.
    let commit = std::env::var("QUORLOCK_COMMIT").map(|commit| format!(" at {commit}")).unwrap_or_default();
    println!("seed {seed}{commit}: {}: {}", violation.invariant, violation.text);
    println!("\nthe smallest plan that fails:\n{plan:#?}\n\nits history:");
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!("trace {:016x}", outcome.hash);
    ExitCode::FAILURE
}

fn search(first: u64, count: u64, threads: u64, mutant: Option<Mutant>) -> Sum {
    let next = AtomicU64::new(first);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Sum::default();
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let outcome = run_seed(seed, mutant);
                    let again = seed.is_multiple_of(TWICE) || outcome.violation.is_some();
                    if again && run_seed(seed, mutant).hash != outcome.hash {
                        let text = "the same seed has made another history".to_owned();
                        own.failure.get_or_insert((seed, Violation { invariant: "sameness", text }));
                    }
                    own.hash ^= outcome.hash.rotate_left((seed % 64) as u32);
                    own.histories += 1;
                    let part = Sum { figures: outcome.figures, ..Sum::default() };
                    own.add(&part);
                    if let Some(violation) = outcome.violation {
                        own.failure.get_or_insert((seed, violation));
                    }
                    if own.failure.is_some() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                sum.add(&own);
                let earlier = match (&sum.failure, &own.failure) {
                    (Some((one, _)), Some((other, _))) => other < one,
                    (None, Some(_)) => true,
                    _ => false,
                };
                if earlier {
                    sum.failure = own.failure;
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn seeds(first: u64, count: u64, threads: u64, mutant: Option<Mutant>) -> ExitCode {
    let start = Instant::now();
    let Sum { figures, histories, hash, failure } = search(first, count, threads, mutant);
    let seconds = start.elapsed().as_secs_f64();
    println!("{histories} histories in {seconds:.1} s, {:.0}/s; all traces {hash:016x}", histories as f64 / seconds);
    println!(
        "{} events, {} calls, {} grants, {} requests; {} stale writes refused, {} updates lost without tokens",
        figures.events, figures.calls, figures.grants, figures.requests, figures.refused_writes, figures.lost_updates
    );
    for (name, count) in KIND_NAMES.iter().zip(figures.faults) {
        println!("  {count:>9}  {name}");
    }
    match failure {
        None => ExitCode::SUCCESS,
        Some((seed, _)) => one(seed, mutant),
    }
}

/// Every mistake in turn, until it is found: one line each, for people and for the table.
fn mutants(count: u64, threads: u64) -> ExitCode {
    let mut survivors = 0;
    for mutant in Mutant::ALL.iter().copied() {
        let Sum { failure, .. } = search(0, count, threads, Some(mutant));
        let (name, text) = (mutant.name(), mutant.text());
        match failure {
            Some((seed, violation)) => println!("{name}\t{}\t{}\t{text}", violation.invariant, seed + 1),
            None => {
                survivors += 1;
                println!("{name}\tsurvived\t{count}\t{text}");
            }
        }
    }
    if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
