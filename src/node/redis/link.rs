//! One live connection: redis-rs' multiplexed connection, its driver, and the batches that wait for answers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::task::noop_waker_ref;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Value};

use super::fault;
use super::group::{groups, pack, read, value_count};
use super::line::Line;
use super::script::Form;
use super::socket::Manners;
use crate::node::{Answer, Fault, FaultCode, Moment, Reply, Request, Side};

/// Requests that went out together, in one pipeline.
struct Batch {
    requests: Vec<Request>,
    form: Form,
    sent_at: Moment,
    /// How many values answer it.
    count: usize,
    values: BoxFuture<'static, RedisResult<Vec<Value>>>,
}

pub(crate) struct Link {
    connection: MultiplexedConnection,
    /// Whoever polls it moves bytes both ways.
    driver: BoxFuture<'static, ()>,
    manners: Arc<Manners>,
    /// The socket, where an event loop could watch it.
    line: Option<Arc<Line>>,
    /// The event loop that is ready to watch it.
    pub(super) attendant: Option<u32>,
    in_flight: VecDeque<Batch>,
    sent_at: Moment,
    /// How requests are sent at first.
    form: Form,
    /// It has said that it is a primary, and would say so again.
    tells_role: bool,
    /// Requests whose script calls failed, for lack of the script or together: they go out again in another form.
    again: Vec<(Form, Vec<Request>)>,
    /// An empty buffer of a batch that is done, for the next one.
    spare: Vec<Request>,
    /// Why it is dead, once it is.
    death: Option<Fault>,
    /// The latest error that was not of one request but of the connection.
    cause: Option<Fault>,
}

impl Link {
    pub(super) fn new(
        connection: MultiplexedConnection,
        driver: BoxFuture<'static, ()>,
        manners: Arc<Manners>,
        line: Option<Arc<Line>>,
        form: Form,
        tells_role: bool,
    ) -> Self {
        Self {
            connection,
            driver,
            manners,
            line,
            attendant: None,
            in_flight: VecDeque::new(),
            sent_at: Moment::default(),
            form,
            tells_role,
            again: Vec::new(),
            spare: Vec::new(),
            death: None,
            cause: None,
        }
    }

    pub(super) fn death(&self) -> Option<&Fault> {
        self.death.as_ref()
    }

    /// When the oldest batch without an answer was sent.
    pub(super) fn waiting_since(&self) -> Option<Moment> {
        self.in_flight.front().map(|batch| batch.sent_at)
    }

    pub(super) fn sent_at(&self) -> Moment {
        self.sent_at
    }

    pub(super) fn line(&self) -> Option<Arc<Line>> {
        self.line.clone()
    }

    pub(super) fn is_on_loop(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.is_on_loop())
    }

    /// The kernel takes no more bytes for now: only the I/O thread is told when it does.
    pub(super) fn is_blocked(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.is_blocked())
    }

    /// An event loop that sends something watches for the answer, and goes on doing so until it is absent or idle.
    pub(super) fn watch_from(&mut self, side: Side, sends: bool) {
        let Some(line) = &self.line else { return };
        let given = match side {
            Side::EventLoop(number) if sends && self.attendant == Some(number) => line.give_to_loop(),
            Side::EventLoop(number) if self.attendant == Some(number) => return,
            // It has just been here, and will read the answers without another thread; if not, it is relieved.
            Side::IoThread if line.is_on_loop() && !line.is_blocked() => return,
            _ if sends || line.is_blocked() => line.give_to_io_thread(),
            _ => return,
        };
        self.note(given);
    }

    /// Whether it was the event loop's before. The next pump registers with the reactor.
    pub(super) fn give_to_io_thread(&mut self) -> bool {
        let was_on_loop = self.is_on_loop();
        let given = self.line.as_ref().map_or(Ok(()), |line| line.give_to_io_thread());
        self.note(given);
        was_on_loop
    }

    fn note(&mut self, given: std::io::Result<()>) {
        if let Err(error) = given {
            self.death.get_or_insert(fault::from_io(&error, "watch the socket"));
        }
    }

    pub(super) fn buffer(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.spare)
    }

    pub(super) fn send(&mut self, now: Moment, requests: Vec<Request>) {
        self.send_as(now, requests, self.form);
    }

    fn send_as(&mut self, now: Moment, requests: Vec<Request>, form: Form) {
        self.sent_at = now;
        let mut pipeline = Pipeline::with_capacity(requests.len());
        let mut count = 0;
        for group in groups(&requests, form) {
            pack(group, form, &mut pipeline);
            count += value_count(group, form);
        }
        self.manners.expect(count);
        let mut connection = self.connection.clone();
        let mut values: BoxFuture<_> =
            Box::pin(async move { connection.send_packed_commands(&pipeline, 0, count).await });
        // The first poll packs the commands and hands them to the driver. Nobody waits for this future by its waker:
        // whoever polls the driver looks at it afterwards.
        let early = values.as_mut().poll(&mut Context::from_waker(noop_waker_ref()));
        if let Poll::Ready(result) = early {
            values = Box::pin(futures::future::ready(result));
        }
        self.in_flight.push_back(Batch { requests, form, sent_at: now, count, values });
    }

    /// Writes what waits, reads what has come, and takes the answers. Returns the round trips of whole batches.
    pub(super) fn drive(
        &mut self,
        now: Moment,
        context: &mut Context<'_>,
        answers: &mut Vec<Answer>,
        mut round_trip: impl FnMut(Moment),
    ) {
        loop {
            let idle = self.in_flight.is_empty().then(|| self.manners.bytes_read());
            let ended = self.death.is_none() && self.driver.as_mut().poll(context).is_ready();
            if idle.is_some_and(|before| self.manners.bytes_read() > before) {
                // Kept, it would be taken for the answer to the next request.
                let message = "the server sent a reply that nobody had asked for";
                self.death.get_or_insert(Fault::new(FaultCode::Protocol, message));
            }
            while let Some(result) = self.poll_front() {
                let Some(batch) = self.in_flight.pop_front() else { break };
                round_trip(batch.sent_at);
                self.manners.receive(batch.count);
                self.take(batch.requests, batch.form, result, answers);
            }
            if ended {
                let closed = || Fault::new(FaultCode::Connect, "the connection was closed");
                let cause = self.cause.take().unwrap_or_else(closed);
                self.death.get_or_insert(self.manners.complaint().unwrap_or(cause));
            }
            if self.again.is_empty() || self.death.is_some() {
                break;
            }
            for (form, requests) in std::mem::take(&mut self.again) {
                self.send_as(now, requests, form);
            }
        }
        if let Some(fault) = self.death.clone() {
            self.abandon(&fault, answers);
        }
    }

    fn poll_front(&mut self) -> Option<RedisResult<Vec<Value>>> {
        let batch = self.in_flight.front_mut()?;
        match Pin::new(&mut batch.values).poll(&mut Context::from_waker(noop_waker_ref())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    fn take(
        &mut self,
        mut requests: Vec<Request>,
        form: Form,
        result: RedisResult<Vec<Value>>,
        answers: &mut Vec<Answer>,
    ) {
        let values = match result {
            Ok(values) => values,
            Err(error) => {
                let fault = self.manners.complaint().unwrap_or_else(|| fault::from_connection(&error));
                answers.extend(requests.iter().map(|request| fail(request, &fault)));
                self.cause.get_or_insert(fault);
                return;
            }
        };
        let mut rest = values.as_slice();
        for group in groups(&requests, form) {
            let (own, others) = rest.split_at(value_count(group, form).min(rest.len()));
            rest = others;
            if let Some(form) = read(group, form, own, answers) {
                // What the server, or its ACL, refuses once is not tried again.
                self.form.own_release = self.form.own_release.and(form.own_release);
                self.again.push((form, group.to_vec()));
            }
        }
        if self.tells_role && values.iter().any(fault::is_demotion) {
            // Promoted again it would have another's data. Only a handshake shows that it was a replica meanwhile.
            self.death.get_or_insert(fault::demotion());
        }
        requests.clear();
        self.spare = requests;
    }

    /// Every request without an answer gets this fault for one.
    pub(super) fn abandon(&mut self, fault: &Fault, answers: &mut Vec<Answer>) {
        let again = std::mem::take(&mut self.again).into_iter().flat_map(|(_, requests)| requests);
        let waiting = self.in_flight.drain(..).flat_map(|batch| batch.requests);
        answers.extend(waiting.chain(again).map(|request| fail(&request, fault)));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.close();
        }
    }
}

pub(super) fn fail(request: &Request, fault: &Fault) -> Answer {
    Answer { tag: request.tag, reply: Reply::fault(fault.clone()) }
}
