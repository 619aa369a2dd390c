//! Two clients, three servers, and what is on its way between them.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use super::client::{Acted, Client, ORDERS};
use super::kept::{Kept, Memory, Pool};
use super::print::print;
use super::scope::{Budgets, Scope};
use crate::lock::Slot;
use crate::node::{Answer, Id, Moment, Request};
use crate::sim::server::Server;

pub(super) const CLIENTS: usize = 2;
pub(super) const NODES: usize = 3;
pub(super) const KEY: &str = "k";
pub(super) const TTL: Duration = Duration::from_millis(1000);
/// What the wall clocks show when it begins, in microseconds.
const WALL: u64 = 1_763_000_000_000_000;

/// What a wall clock shows.
pub(super) fn wall(now: Moment) -> u64 {
    WALL + now.as_nanos() / 1000
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    TwoValid,
    ValidAgain,
    /// Its token is not larger than that of an earlier holder.
    Token,
    /// A server that has done a release has granted its id after it.
    Ghost,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TwoValid => "two handles are valid",
            Self::ValidAgain => "a handle is valid again",
            Self::Token => "a token is not larger than an earlier one",
            Self::Ghost => "a released id is granted again",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Idle,
    Waits(Slot),
    Holds(Slot),
}

/// From a client, or to one.
#[derive(Clone, Debug, Hash)]
pub(super) struct Message<T> {
    pub(super) client: usize,
    pub(super) what: T,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Site {
    pub(super) server: Server,
    /// How often it has restarted.
    pub(super) run: u8,
    /// The ids whose release it has done, as long as an acquire of them is on its way.
    pub(super) released: Vec<Id>,
}

/// The parts of all states.
#[derive(Default)]
pub(super) struct Pools {
    pub(super) clients: Pool<Client>,
    pub(super) sites: Pool<Site>,
    pub(super) requests: Pool<Message<Request>>,
    pub(super) answers: Pool<Message<Answer>>,
    pub(super) acted: Memory<Acted>,
}

impl Pools {
    /// Forgets what no state has any more.
    pub(super) fn sweep(&self) {
        self.acted.sweep();
        self.clients.sweep();
        self.sites.sweep();
        self.requests.sweep();
        self.answers.sweep();
    }
}

/// What else tells states apart.
#[derive(Clone, Debug, Hash)]
pub(super) struct Rest {
    pub(super) now: Moment,
    pub(super) budgets: Budgets,
    pub(super) last_token: u64,
    pub(super) stages: [Stage; CLIENTS],
    /// What they hold was seen not to be valid.
    pub(super) were_invalid: [bool; CLIENTS],
    /// They have asked for an extension of what they hold, or held last.
    pub(super) are_extended: [bool; CLIENTS],
    /// Which users may decide something: what they decide later, at the same time, comes to the same.
    pub(super) are_fresh: [bool; CLIENTS],
    /// Neither has called yet, and all that differs is by what name their ids go.
    pub(super) are_alike: bool,
    pub(super) is_fenced: bool,
    pub(super) has_ghosts: bool,
    /// The second client has not begun yet.
    pub(super) is_to_come: bool,
    /// The slot that was granted what they have been handed since.
    pub(super) homes: [Option<Slot>; CLIENTS],
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) clients: [Kept<Client>; CLIENTS],
    pub(super) sites: [Kept<Site>; NODES],
    pub(super) requests: Vec<(usize, Kept<Message<Request>>)>,
    pub(super) answers: Vec<(usize, Kept<Message<Answer>>)>,
    pub(super) rest: Rest,
    pub(super) broken: Option<Broken>,
}

impl World {
    pub(super) fn new(scope: &Scope, pools: &Pools) -> Self {
        let now = Moment::from_nanos(10_000_000_000);
        let client = |number| Kept::sealed(Client::new(scope, number, now), &pools.clients);
        let [one, other] = scope.budgets.acquires;
        let rest = Rest {
            now,
            budgets: scope.budgets.clone(),
            last_token: 0,
            stages: [Stage::Idle; CLIENTS],
            were_invalid: [false; CLIENTS],
            are_extended: [false; CLIENTS],
            are_fresh: [true; CLIENTS],
            are_alike: !scope.fencing && one == other && !scope.is_absent && !scope.is_latecomer,
            is_fenced: scope.fencing,
            has_ghosts: scope.has_ghosts,
            is_to_come: scope.is_latecomer,
            homes: [None; CLIENTS],
        };
        let site =
            || Kept::sealed(Site { server: Server::new(scope.mutant), run: 0, released: Vec::new() }, &pools.sites);
        Self {
            clients: [client(0), client(1)],
            sites: [(); NODES].map(|()| site()),
            requests: Vec::new(),
            answers: Vec::new(),
            rest,
            broken: None,
        }
    }

    /// The same whatever the nodes are called, and in whatever order messages were sent: the smallest of those that it has
    /// with its nodes in any order.
    pub(super) fn print(&self) -> u128 {
        let called = |of: u128| -> [u128; NODES] { std::array::from_fn(|node| print(&(of, node))) };
        let sites = self.sites.each_ref().map(|site| called(site.print()));
        let mut orders =
            ORDERS.map(|order| (0..NODES).map(|node| sites[node][order[node]]).fold(0, u128::wrapping_add));
        let requests = self.requests.iter().map(|(node, message)| (*node, message.print()));
        let answers = self.answers.iter().map(|(node, message)| (*node, !message.print()));
        for (node, of) in requests.chain(answers) {
            let called = called(of);
            for (sum, order) in orders.iter_mut().zip(ORDERS) {
                *sum = sum.wrapping_add(called[order[node]]);
            }
        }
        let [one, other] = &self.clients;
        let prints = (0..ORDERS.len()).map(|order| print(&(one.called(order), other.called(order), orders[order])));
        print(&(prints.min(), &self.rest))
    }
}
