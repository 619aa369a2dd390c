//! Keeps one server connected: connects, watches for silence, reports each change, and connects again.
//!
//! Nothing is ever queued for a server that cannot be reached: its votes are faults at once.

use std::sync::Arc;
use std::time::Duration;

use super::acquaintances::Acquaintance;
use super::circuit::Circuit;
use super::mailbox::Word;
use super::node_set::Password;
use super::timer::sleep_until;
use super::{clock, warnings};
use crate::lock::{Entropy, Event, Status};
use crate::node::{Connected, Options, RedisNode, connect};
use crate::node::{Fault, FaultCode, Moment, Side};

/// Between two tries to connect: doubling, each drawn from its upper half.
pub(super) const RECONNECT_DELAY: Duration = Duration::from_millis(20);
pub(super) const RECONNECT_DELAY_MAX: Duration = Duration::from_secs(1);
/// An event loop that watches for an answer and has not come around for so long is relieved by the I/O thread.
const ABSENCE: Duration = Duration::from_millis(10);
/// So long after the last request the event loop goes on watching: each change costs both threads more than an answer.
const LINGER: Duration = Duration::from_millis(250);

pub(super) struct Supervisor {
    pub(super) circuit: Arc<Circuit>,
    pub(super) node: usize,
    pub(super) options: Options,
    pub(super) password: Password,
    pub(super) connect_timeout: Duration,
    pub(super) node_timeout: Duration,
}

impl Supervisor {
    pub(super) async fn run(self) {
        let Some(redis) = self.circuit.nodes.redis(self.node) else {
            return;
        };
        let mut acquaintance = Acquaintance::with(self.options.address.clone());
        let mut delay = RECONNECT_DELAY;
        loop {
            let fault = match self.connect().await {
                Ok(connected) => {
                    let since = clock::now();
                    let Connected { link, greeting } = connected;
                    for (topic, message) in warnings::by_greeting(&greeting, clock::wall()) {
                        self.circuit.state().warn(self.node, topic, message);
                    }
                    acquaintance.meet(&greeting.identity);
                    redis.install(link);
                    self.report(Status::Up(greeting.identity));
                    let fault = self.watch(&redis).await;
                    acquaintance.part();
                    if clock::now().since(since) > RECONNECT_DELAY_MAX {
                        delay = RECONNECT_DELAY;
                    }
                    fault
                }
                Err(fault) => fault,
            };
            // The core hears that the node is down before it hears of the answers that this costs.
            self.circuit.step(Event::Node { node: self.node, status: Status::Down(fault.clone()) });
            let mut answers = Vec::new();
            redis.fail(&fault, &mut answers);
            self.circuit.absorb(self.node, &mut answers);
            self.settle();
            tokio::time::sleep(self.draw(delay)).await;
            delay = (delay * 2).min(RECONNECT_DELAY_MAX);
        }
    }

    async fn connect(&self) -> Result<Connected, Fault> {
        let work = async {
            let password = self.password().await?;
            let connected = connect(&self.options, password.as_deref()).await?;
            self.circuit.nodes.keep_password(self.node, password);
            Ok(connected)
        };
        let silent = |_| {
            let message = format!("connect: no answer within {} ms (connectTimeout)", self.connect_timeout.as_millis());
            Fault::new(FaultCode::Timeout, message)
        };
        tokio::time::timeout(self.connect_timeout, work).await.unwrap_or_else(|elapsed| Err(silent(elapsed)))
    }

    async fn password(&self) -> Result<Option<String>, Fault> {
        match &self.password {
            Password::None => Ok(None),
            Password::Fixed(password) => Ok(Some(password.clone())),
            Password::Asked => {
                let answer = self.circuit.nodes.ask_password(self.node);
                self.circuit.state().post(&Word::Password { node: self.node });
                self.circuit.announce();
                match answer.await {
                    Ok(Ok(password)) => Ok(Some(password)),
                    Ok(Err(message)) => {
                        Err(Fault::new(FaultCode::Auth, format!("the password function failed: {message}")))
                    }
                    Err(_) => Err(Fault::new(FaultCode::Auth, "the password was asked for again")),
                }
            }
        }
    }

    /// Serves the link until it is dead, or has been silent for too long.
    async fn watch(&self, redis: &RedisNode) -> Fault {
        // Set while a request has had no answer for the node timeout: since when.
        let mut silent: Option<Moment> = None;
        loop {
            self.circuit.serve(self.node);
            if let Some(fault) = redis.death() {
                return fault;
            }
            let now = clock::now();
            let waiting = self.waiting_since(redis, now);
            let absent = redis.absent_since();
            if absent.is_some_and(|since| now.since(since) >= ABSENCE) {
                redis.take_over();
                continue;
            }
            let is_silent = waiting.is_some_and(|since| now.since(since) >= self.node_timeout);
            match (silent, is_silent) {
                (None, true) => {
                    silent = Some(now);
                    self.report(Status::Down(self.silence()));
                }
                (Some(since), true) if now.since(since) >= self.connect_timeout => {
                    return self.silence();
                }
                (Some(_), false) => {
                    silent = None;
                    self.report(Status::Back);
                }
                _ => {}
            }
            let check = match (silent, waiting) {
                (Some(since), _) => since + self.connect_timeout,
                (None, Some(since)) => since + self.node_timeout,
                (None, None) => Moment::NEVER,
            };
            // Nobody rings for what is sent while the event loop watches.
            let look = redis.is_on_loop().then(|| absent.unwrap_or(now) + ABSENCE);
            let check = look.map_or(check, |look| check.min(look));
            tokio::select! {
                () = redis.rung() => {}
                () = sleep_until(check) => {}
            }
        }
    }

    /// Since when the oldest request has waited. When none has for a while, the next one to be sent rings.
    fn waiting_since(&self, redis: &RedisNode, now: Moment) -> Option<Moment> {
        redis.waiting_since().or_else(|| {
            if redis.is_on_loop() && now.since(redis.sent_at()) < LINGER {
                return None;
            }
            redis.stop_watching();
            redis.take_over();
            // Against a request sent just before that, which found itself watched and did not ring.
            redis.waiting_since()
        })
    }

    fn silence(&self) -> Fault {
        let message = format!("no answer within {} ms (nodeTimeout)", self.node_timeout.as_millis());
        Fault::new(FaultCode::Timeout, message)
    }

    fn report(&self, status: Status) {
        self.circuit.step(Event::Node { node: self.node, status });
        self.settle();
    }

    fn settle(&self) {
        self.circuit.circulate(Side::IoThread);
        self.circuit.announce();
    }

    fn draw(&self, delay: Duration) -> Duration {
        let bits = self.circuit.state().entropy.bits();
        delay / 2 + Duration::from_nanos(bits % (delay.as_nanos() as u64 / 2 + 1))
    }
}
