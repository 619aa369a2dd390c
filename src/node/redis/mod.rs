//! A Redis or Valkey server as a node. The only folder that names the `redis` crate.
//!
//! The connection may be pumped by the I/O thread, which the sockets wake, and by the JavaScript thread right after
//! it queued something, so that commands are written without waiting for the other thread to wake up.

mod command;
mod connect;
mod fault;
mod link;
mod options;
mod socket;
mod tls;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use connect::{Connected, connect};
use link::Link;
pub(crate) use options::{Address, Options, TlsOptions};

use super::round_trip::RoundTrips;
use super::{Answer, Fault, FaultCode, Moment, Node, Request};

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
    bell: Arc<Bell>,
    waker: Waker,
    trips: Mutex<RoundTrips>,
    /// The silence of the link is being watched by the I/O thread.
    watched: AtomicBool,
    /// The JavaScript thread may write too. Not where that means encryption on its account.
    shared: bool,
}

impl RedisNode {
    pub(crate) fn new(options: &Options) -> Self {
        let bell = Arc::new(Bell::default());
        Self {
            state: Mutex::new(State { link: None, fault: Fault::new(FaultCode::Connect, "still connecting") }),
            waker: bell.clone().into(),
            bell,
            trips: Mutex::default(),
            watched: AtomicBool::new(false),
            shared: options.tls.is_none(),
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

    fn run(&self, state: &mut State, now: Moment, take: &mut dyn FnMut(&mut Vec<Request>), answers: &mut Vec<Answer>) {
        let mut requests = state.link.as_mut().map(Link::buffer).unwrap_or_default();
        take(&mut requests);
        let Some(link) = &mut state.link else {
            answers.extend(requests.iter().map(|request| link::fail(request, &state.fault)));
            self.bell.woken.store(false, Ordering::SeqCst);
            return;
        };
        if !requests.is_empty() {
            link.send(now, requests);
        }
        self.bell.woken.store(false, Ordering::SeqCst);
        link.drive(now, &mut Context::from_waker(&self.waker), answers, |sent_at| {
            self.trips.lock().unwrap_or_else(PoisonError::into_inner).record(now.since(sent_at));
        });
        let waits = link.waiting_since().is_some();
        if link.death().is_some() || (waits && !self.watched.swap(true, Ordering::SeqCst)) {
            self.bell.ring.notify_one();
        }
    }
}

impl Node for RedisNode {
    fn pump(&self, now: Moment, take: &mut dyn FnMut(&mut Vec<Request>), answers: &mut Vec<Answer>) {
        self.bell.asked.store(true, Ordering::SeqCst);
        while self.bell.has_work() {
            // Whoever has it looks for work after letting go of it, and so sees the mark made above.
            let Ok(mut state) = self.state.try_lock() else {
                return;
            };
            self.bell.pumping.store(true, Ordering::SeqCst);
            self.bell.asked.store(false, Ordering::SeqCst);
            self.run(&mut state, now, take, answers);
            self.bell.pumping.store(false, Ordering::SeqCst);
        }
    }

    fn round_trip(&self) -> (Duration, Duration) {
        self.trips.lock().unwrap_or_else(PoisonError::into_inner).percentiles()
    }
}
