//! A process of the user: the lock's core, its clock, the thread that runs its JavaScript, and its calls.

use std::collections::BTreeMap;

use super::clock::{Clock, Time};
use super::heap_item::Next;
use super::rng::Rng;
use super::turns::Turn;
use crate::lock::{ClientId, Config, Core, Entropy, Slot};
use crate::node::Moment;

/// What the core draws, and the wall clock that it sees.
pub(crate) struct Draws {
    rng: Rng,
    wall: u64,
}

impl Entropy for Draws {
    fn bits(&mut self) -> u64 {
        self.rng.bits()
    }

    fn wall(&mut self) -> u64 {
        self.wall
    }
}

pub(crate) struct Process {
    pub(crate) core: Core,
    pub(crate) draws: Draws,
    pub(crate) clock: Clock,
    pub(crate) client: ClientId,
    /// How often it has been started anew.
    pub(crate) life: u32,
    pub(crate) is_alive: bool,
    pub(crate) is_paused: bool,
    /// Its JavaScript thread hangs.
    pub(crate) is_stalled: bool,
    /// What waits until it is continued.
    pub(crate) stash: Vec<Next>,
    /// What waits for its JavaScript thread.
    pub(crate) thread_stash: Vec<Next>,
    /// The call that has a slot.
    pub(crate) calls: BTreeMap<Slot, usize>,
    /// What it was last granted of each set of keys.
    pub(crate) turns: BTreeMap<u8, Turn>,
    pub(crate) timer: Time,
    pub(crate) is_called: bool,
    pub(crate) grants: u32,
    pub(crate) steps: u32,
    /// When it was last stopped, hung or was started.
    pub(crate) disturbed: Time,
}

impl Process {
    pub(crate) fn new(config: &Config, clock: &Clock, life: u32, seed: u64, number: u64, now: Time) -> Self {
        let mut core = Core::new(config.clone());
        let client = core.join(clock.moment(now));
        Self {
            core,
            draws: Draws { rng: Rng::new(seed, 1000 + number * 100 + u64::from(life)), wall: clock.wall(now) },
            clock: clock.clone(),
            client,
            life,
            is_alive: true,
            is_paused: false,
            is_stalled: false,
            stash: Vec::new(),
            thread_stash: Vec::new(),
            calls: BTreeMap::new(),
            turns: BTreeMap::new(),
            timer: Time::MAX,
            is_called: false,
            grants: 0,
            steps: 0,
            disturbed: 0,
        }
    }

    /// Its own clock, which its draws see too.
    pub(crate) fn look(&mut self, now: Time) -> Moment {
        self.draws.wall = self.clock.wall(now);
        self.clock.moment(now)
    }
}
