//! A Redis or Valkey server as a node. The only folder that names the `redis` crate.
//!
//! The connection may be pumped by the I/O thread and by the JavaScript thread, whose event loop may watch the socket
//! too. Whoever sends something watches for the answers; when the event loop does not come around, or nothing is left
//! to wait for for a while, the I/O thread takes the socket over.

mod command;
mod connect;
#[cfg(feature = "sim")]
mod eye;
mod fault;
mod fenced;
mod frame;
#[cfg(test)]
mod fuzz;
mod group;
mod handshake;
#[cfg_attr(not(unix), path = "no_line.rs")]
mod line;
mod link;
mod options;
mod script;
mod socket;
mod tls;
mod watcher;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use connect::{Connected, connect};
#[cfg(feature = "sim")]
pub(crate) use eye::Eye;
pub(crate) use handshake::Greeting;
pub(crate) use line::Line;
use link::Link;
pub(crate) use options::{Address, Options, TlsOptions};
pub(crate) use watcher::RedisWatcher;

use super::round_trip::RoundTrips;
use super::{Answer, Fault, FaultCode, Moment, Node, Request, Side, Watched};

/// Wakes the I/O thread's task of this node; unless somebody is pumping it anyway.
#[derive(Default)]
struct Bell {
    ring: Notify,
    /// A thread has something to send since the last pump began.
    asked: AtomicBool,
    /// The driver has something to do since it was last polled.
    woken: AtomicBool,
    pumping: AtomicBool,
}

impl Bell {
    fn has_work(&self) -> bool {
        self.asked.load(Ordering::SeqCst) || self.woken.load(Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        // Against `RedisNode::pump`: it clears `pumping` before its last look at `woken`. So either it sees the mark
        // just made, or this load sees that it has stopped, and rings.
        if !self.pumping.load(Ordering::SeqCst) {
            self.ring.notify_one();
        }
    }
}

struct State {
    link: Option<Link>,
    /// What requests are answered with while there is no link.
    fault: Fault,
}

pub(crate) struct RedisNode {
    state: Mutex<State>,
    /// When the event loop last came around, in nanoseconds.
    visited: AtomicU64,
    bell: Arc<Bell>,
    waker: Waker,
    trips: Mutex<RoundTrips>,
    /// The silence of the link is being watched by the I/O thread.
    watched: AtomicBool,
    /// The JavaScript thread may write too. Not where that means encryption on its account.
    shared: bool,
    /// There is a new link, which the event loop may attend to.
    unattended: AtomicBool,
}

impl RedisNode {
    pub(crate) fn new(options: &Options) -> Self {
        let bell = Arc::new(Bell::default());
        Self {
            state: Mutex::new(State { link: None, fault: Fault::new(FaultCode::Connect, "still connecting") }),
            visited: AtomicU64::new(0),
            waker: bell.clone().into(),
            bell,
            trips: Mutex::default(),
            watched: AtomicBool::new(false),
            shared: options.tls.is_none(),
            unattended: AtomicBool::new(false),
        }
    }

    /// A short look at the state, or a change of it, by the I/O thread.
    fn with_state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let result = look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        // Against `pump` on the JavaScript thread: it may have found the state locked, and left its work to us.
        if self.bell.has_work() {
            self.bell.ring.notify_one();
        }
        result
    }

    pub(crate) fn install(&self, link: Link) {
        self.with_state(|state| state.link = Some(link));
        self.unattended.store(self.shared, Ordering::SeqCst);
    }

    /// What the event loop can watch, of a link that it does not attend to yet; from now on it does.
    pub(crate) fn attend(&self, number: u32) -> Option<(Arc<Line>, Watched)> {
        if !self.unattended.swap(false, Ordering::SeqCst) {
            return None;
        }
        self.with_state(|state| {
            let link = state.link.as_mut()?;
            let line = link.line()?;
            let watched = line.descriptor().ok()?;
            link.attendant = Some(number);
            Some((line, watched))
        })
    }

    /// The event loop attends no longer; another one may.
    pub(crate) fn leave(&self, number: u32) {
        let left = self.with_state(|state| {
            let link = state.link.as_mut().filter(|link| link.attendant == Some(number));
            link.is_some_and(|link| link.attendant.take().is_some())
        });
        if left {
            self.unattended.store(self.shared, Ordering::SeqCst);
            self.take_over();
        }
    }

    /// The I/O thread watches from now on; until the event loop sends something.
    pub(crate) fn take_over(&self) {
        let changed = self.with_state(|state| state.link.as_mut().is_some_and(Link::give_to_io_thread));
        // Only a pump makes the reactor ring from then on, and sees what has come before.
        if changed {
            self.bell.ring.notify_one();
        }
    }

    /// The event loop has come around. That its thread sends something is no proof of it.
    pub(crate) fn visit(&self, now: Moment) {
        self.visited.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// While the event loop watches for an answer: since when it has not come around.
    pub(crate) fn absent_since(&self) -> Option<Moment> {
        self.with_state(|state| {
            let link = state.link.as_ref().filter(|link| link.is_on_loop())?;
            let visited = Moment::from_nanos(self.visited.load(Ordering::Relaxed));
            link.waiting_since().map(|since| since.max(visited))
        })
    }

    /// Takes the link away; what it had not answered is answered with this fault.
    pub(crate) fn fail(&self, fault: &Fault, answers: &mut Vec<Answer>) {
        self.with_state(|state| {
            state.fault = fault.clone();
            if let Some(mut link) = state.link.take() {
                link.abandon(fault, answers);
            }
        });
    }

    /// Why the link is dead, once it is.
    pub(crate) fn death(&self) -> Option<Fault> {
        self.with_state(|state| state.link.as_ref().and_then(Link::death).cloned())
    }

    pub(crate) fn waiting_since(&self) -> Option<Moment> {
        self.with_state(|state| state.link.as_ref().and_then(Link::waiting_since))
    }

    /// When the last request was sent.
    pub(crate) fn sent_at(&self) -> Moment {
        self.with_state(|state| state.link.as_ref().map(Link::sent_at).unwrap_or_default())
    }

    /// The event loop watches.
    pub(crate) fn is_on_loop(&self) -> bool {
        self.with_state(|state| state.link.as_ref().is_some_and(Link::is_on_loop))
    }

    /// Resolves when the link wants to be pumped.
    pub(crate) async fn rung(&self) {
        self.bell.ring.notified().await;
    }

    /// The I/O thread has nothing to watch: the next request must ring for it.
    pub(crate) fn stop_watching(&self) {
        self.watched.store(false, Ordering::SeqCst);
    }

    /// Leaves the pumping to the I/O thread's task.
    pub(crate) fn ring(&self) {
        self.bell.ring.notify_one();
    }

    /// Whether the JavaScript thread may pump.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    fn run(
        &self,
        state: &mut State,
        side: Side,
        now: Moment,
        take: &mut dyn FnMut(&mut Vec<Request>),
        answers: &mut Vec<Answer>,
    ) {
        let mut requests = state.link.as_mut().map(Link::buffer).unwrap_or_default();
        take(&mut requests);
        let Some(link) = &mut state.link else {
            answers.extend(requests.iter().map(|request| link::fail(request, &state.fault)));
            self.bell.woken.store(false, Ordering::SeqCst);
            return;
        };
        let was_on_loop = link.is_on_loop();
        link.watch_from(side, !requests.is_empty());
        let handed_over = link.is_on_loop() && !was_on_loop;
        if !requests.is_empty() {
            link.send(now, requests);
        }
        self.bell.woken.store(false, Ordering::SeqCst);
        link.drive(now, &mut Context::from_waker(&self.waker), answers, |sent_at| {
            self.trips.lock().unwrap_or_else(PoisonError::into_inner).record(now.since(sent_at));
        });
        let waits = link.waiting_since().is_some();
        let stuck = side != Side::IoThread && link.is_blocked();
        // Who watches the silence must also know of an event loop that has just begun to watch, and may not come around.
        let unwatched = waits && (!self.watched.swap(true, Ordering::SeqCst) || handed_over);
        if stuck || unwatched || link.death().is_some() {
            self.bell.ring.notify_one();
        }
    }
}

impl Node for RedisNode {
    fn pump(&self, side: Side, now: Moment, take: &mut dyn FnMut(&mut Vec<Request>), answers: &mut Vec<Answer>) {
        self.bell.asked.store(true, Ordering::SeqCst);
        while self.bell.has_work() {
            // Whoever has it looks for work after letting go of it, and so sees the mark made above.
            let Ok(mut state) = self.state.try_lock() else {
                return;
            };
            self.bell.pumping.store(true, Ordering::SeqCst);
            self.bell.asked.store(false, Ordering::SeqCst);
            self.run(&mut state, side, now, take, answers);
            self.bell.pumping.store(false, Ordering::SeqCst);
        }
    }

    fn round_trip(&self) -> (Duration, Duration) {
        self.trips.lock().unwrap_or_else(PoisonError::into_inner).percentiles()
    }
}
