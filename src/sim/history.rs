//! One history: a plan carried out, event by event, on one thread and without a clock.

use super::call::Calls;
use super::clock::Time;
use super::draw;
use super::heap::Heap;
use super::heap_item::Next;
use super::link::Link;
use super::plan::{Forgets, KINDS, Plan, What};
use super::process::Process;
use super::rng::Rng;
use super::site::Site;
use super::store::Store;
use super::trace::Trace;
use crate::lock::{Event, Mutant, Status};

/// More than any history needs that comes to its end.
const EVENTS_MAX: u64 = 4_000_000;

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) text: String,
}

/// What one history was worth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) events: u64,
    pub(crate) grants: u64,
    pub(crate) calls: u64,
    pub(crate) requests: u64,
    pub(crate) refused_writes: u64,
    pub(crate) lost_updates: u64,
    pub(crate) faults: [u64; KINDS],
}

pub(crate) struct History {
    pub(crate) plan: Plan,
    pub(crate) now: Time,
    pub(crate) heap: Heap<Next>,
    pub(crate) rng: Rng,
    pub(crate) sites: Vec<Site>,
    pub(crate) processes: Vec<Process>,
    pub(crate) links: Vec<Link>,
    pub(crate) calls: Calls,
    pub(crate) store: Store,
    pub(crate) trace: Trace,
    pub(crate) figures: Figures,
    pub(crate) violation: Option<Violation>,
    /// Which faults have begun.
    pub(crate) begun: Vec<bool>,
    /// What some faults have to undo.
    pub(crate) is_healed: bool,
    /// Since when each key has been free while somebody waited for it.
    pub(crate) idle: [Option<Time>; 3],
    pub(crate) probed_over: Option<Time>,
}

pub(crate) struct Outcome {
    pub(crate) hash: u64,
    pub(crate) figures: Figures,
    pub(crate) violation: Option<Violation>,
    pub(crate) lines: Vec<String>,
}

/// The history of a seed, or of a plan that was made from one.
pub(crate) fn run(plan: Plan, is_read: bool) -> Outcome {
    let mut history = History::new(plan, is_read);
    history.begin();
    history.go();
    let History { trace, figures, violation, .. } = history;
    Outcome { hash: trace.hash(), figures, violation, lines: trace.into_lines() }
}

pub(crate) fn run_seed(seed: u64, mutant: Option<Mutant>) -> Outcome {
    run(draw::draw(seed, mutant), false)
}

impl History {
    fn new(plan: Plan, is_read: bool) -> Self {
        let seed = plan.seed;
        let remembers = |server: usize| {
            let is_lost = |what: &What| match what {
                What::Restart { server: of, forgets: Forgets::Since(_), .. } => *of == server,
                _ => false,
            };
            plan.faults.iter().any(|fault| is_lost(&fault.what))
        };
        let sites = (0..plan.servers.len())
            .map(|server| Site::new(&plan.servers[server], plan.mutant, remembers(server)))
            .collect();
        let processes = (0..plan.processes.len())
            .map(|number| Process::new(&plan.config, &plan.processes[number], 0, seed, number as u64, 0))
            .collect();
        let links = (0..plan.processes.len() * plan.config.nodes).map(|link| Link::new(seed, link as u64)).collect();
        Self {
            now: 0,
            heap: Heap::new(),
            rng: Rng::new(seed, 1),
            sites,
            processes,
            links,
            calls: Calls::new(&plan.ops),
            store: Store::default(),
            trace: Trace::new(is_read),
            figures: Figures::default(),
            violation: None,
            begun: vec![false; plan.faults.len()],
            is_healed: false,
            idle: [None; 3],
            probed_over: None,
            plan,
        }
    }

    /// Everybody is connected, and everything is about to happen.
    fn begin(&mut self) {
        for process in 0..self.processes.len() {
            for node in 0..self.plan.config.nodes {
                let server = self.plan.addresses[node];
                let identity = self.sites[server].identity(0, server);
                self.link(process, node).is_up = true;
                self.step(process, Event::Node { node, status: Status::Up(identity) });
            }
        }
        for (index, op) in self.plan.ops.iter().enumerate() {
            let tie = self.rng.bits();
            self.heap.push(op.at, tie, Next::Op(index));
        }
        for index in 0..self.plan.faults.len() {
            if let super::plan::When::At(at) = self.plan.faults[index].when {
                self.push(at, Next::Fault(index));
            }
        }
        self.push(self.plan.end, Next::Heal);
    }

    fn go(&mut self) {
        while self.violation.is_none() {
            let Some((at, next)) = self.heap.pop() else {
                self.check_end();
                return;
            };
            self.now = at;
            self.figures.events += 1;
            if self.figures.events > EVENTS_MAX {
                self.violate("I8", "it never comes to its end".to_owned());
                return;
            }
            self.happen(next);
            self.check();
        }
    }

    pub(crate) fn push(&mut self, at: Time, next: Next) {
        let tie = self.rng.bits();
        self.heap.push(at, tie, next);
    }

    pub(crate) fn link(&mut self, process: usize, node: usize) -> &mut Link {
        &mut self.links[process * self.plan.config.nodes + node]
    }

    pub(crate) fn violate(&mut self, invariant: &'static str, text: String) {
        let at = self.now;
        self.trace.note(at, [99, 0, 0], || format!("{invariant}: {text}"));
        self.violation.get_or_insert(Violation { invariant, text });
    }

    pub(crate) fn happen(&mut self, next: Next) {
        let owner = match &next {
            Next::Op(call) | Next::Finish(call) | Next::Extend(call) | Next::Cancel(call) => {
                Some((self.calls.process(*call), true))
            }
            next => next.process(),
        };
        if let Some((process, by_thread)) = owner {
            let process = &mut self.processes[process];
            if process.is_paused {
                process.stash.push(next);
                return;
            }
            if by_thread && process.is_stalled {
                process.thread_stash.push(next);
                return;
            }
        }
        match next {
            Next::Op(call) => self.begin_call(call),
            Next::Finish(call) => self.finish_call(call),
            Next::Extend(call) => self.extend_call(call),
            Next::Cancel(call) => self.cancel_call(call),
            Next::Timer { process, life, at } => self.ring(process, life, at),
            Next::Collect { process, life } => self.collect(process, life),
            Next::Fault(index) => self.inject(index),
            Next::Mend(index) => self.mend(index),
            Next::Heal => self.heal(),
            Next::Return => self.bring_back(),
            Next::Request { process, node, epoch, run, is_late, request } => {
                self.arrive(process, node, epoch, (run, is_late), request);
            }
            Next::Ghost { node, run, request } => self.haunt(node, run, &request),
            Next::Answer { process, node, epoch, answer } => self.hear(process, node, epoch, answer),
            Next::Broken { process, node, epoch } => self.lose_link(process, node, epoch),
            Next::Connect { process, node, life } => self.connect(process, node, life),
            Next::Greeted { process, node, epoch, life, identity } => {
                self.greet(process, node, (epoch, life), identity);
            }
            Next::Silence { process, node, epoch } => self.look_for_silence(process, node, epoch),
            Next::Watch { process, node, epoch, watch } => self.watch(process, node, epoch, watch),
            Next::Sight { process, node, epoch, sighting } => self.sight(process, node, epoch, sighting),
            Next::Rewatch { process, node, epoch } => self.rewatch(process, node, epoch),
            Next::Reap { server } => self.reap(server),
            Next::Started { server, forgets } => self.start(server, forgets),
            Next::Look => {}
        }
    }
}
