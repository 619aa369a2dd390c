//! The native half of a `Redlock`. Every method is short, and none waits but `shutdown`. The calls that every lock makes
//! are in `calls.rs`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use napi::{Error, Result, Status};
use napi_derive::napi;

use super::detail::{Detail, HeldDetail, NodeDetail, NoticeDetail, StatsDetail, code_and_message, ms};
use super::environment::register;
use super::service::Service;
use super::settings::{EngineConfig, RetryConfig, span};
use crate::driver::{self, Terms};
use crate::lock::Event;
use crate::node::id::HEX_LENGTH;
use crate::node::{FaultCode, Keys, MAX_NODES};

#[napi]
pub struct Engine {
    id: u32,
    prefix: String,
    nodes: usize,
    engine: Rc<Service>,
}

/// Only so many can vote.
pub(super) fn check_count(nodes: usize) -> Result<()> {
    if (1..=MAX_NODES).contains(&nodes) {
        return Ok(());
    }
    Err(Error::new(Status::InvalidArg, format!("1 to {MAX_NODES} nodes can vote; got {nodes}")))
}

impl Engine {
    /// One in a lab, on its nodes. Those of `config` only say how many there are.
    pub(super) fn start_in(lab: &Arc<driver::Lab>, config: &EngineConfig, mailbox: u32) -> Result<Self> {
        let (nodes, prefix) = (lab.len(), config.key_prefix.clone());
        if config.nodes.len() != nodes {
            let message = format!("there are {nodes} nodes; got {}", config.nodes.len());
            return Err(Error::new(Status::InvalidArg, message));
        }
        let (id, engine) = register(mailbox, prefix.clone(), config.retry(), |number, wake| {
            Ok(driver::Engine::start_in(lab, config.lock(), number, wake))
        })?;
        Ok(Self { id, prefix, nodes, engine })
    }
}

#[napi]
impl Engine {
    #[napi(constructor)]
    pub fn new(config: EngineConfig, mailbox: u32) -> Result<Self> {
        check_count(config.nodes.len())?;
        let lock = config.lock();
        let (retry, nodes, prefix) = (config.retry(), lock.nodes, config.key_prefix);
        let client_name = config.client_name;
        let settings = config.nodes.into_iter().map(|node| node.settings(client_name.as_deref())).collect();
        let terms = Terms { config: lock, nodes: settings, prefix: prefix.clone() };
        let (id, engine) = register(mailbox, prefix.clone(), retry, |number, wake| {
            let started = driver::Engine::start(&terms, number, wake);
            started
                .map_err(|error| Error::new(Status::GenericFailure, format!("the I/O thread did not start: {error}")))
        })?;
        Ok(Self { id, prefix, nodes, engine })
    }

    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    #[napi]
    pub fn acquire_with(&self, keys: Vec<String>, ttl: f64, flags: u32, retry: RetryConfig) -> u32 {
        let keys = keys.into_iter().map(|key| [self.prefix.as_str(), &key].concat().into()).collect();
        self.engine.acquire(Keys::many(keys), ttl, flags, retry.into())
    }

    #[napi]
    pub fn cancel(&self, slot: u32) {
        self.engine.tell(Event::Cancel { slot });
    }

    #[napi]
    pub fn extend(&self, slot: u32, ttl: f64) {
        self.engine.tell(Event::Extend { slot, ttl: span(ttl) });
    }

    #[napi]
    pub fn connect(&self, timeout: f64) -> u32 {
        self.engine.call(|slot| Event::Connect { slot, timeout: span(timeout) })
    }

    #[napi]
    pub fn inspect(&self, key: String) -> u32 {
        let keys = self.engine.key(&key);
        self.engine.call(|slot| Event::Inspect { slot, keys })
    }

    #[napi]
    pub fn take_detail(&self, slot: u32) -> Detail {
        self.engine.read(|core, now| match core.take_failure(slot) {
            Some(failure) => failure.into(),
            None => match core.take_found(slot) {
                Some(found) => found.into(),
                None => core.lease_votes(now, slot).map_or_else(Detail::default, Detail::from),
            },
        })
    }

    #[napi]
    pub fn take_notice(&self) -> Option<NoticeDetail> {
        self.engine.next_word().map(NoticeDetail::from)
    }

    #[napi]
    pub fn credential(&self, node: u32, password: Option<String>, error: Option<String>) {
        let answer = password.ok_or_else(|| error.unwrap_or_else(|| "it gave no password".to_owned()));
        self.engine.answer_password(node as usize, answer);
    }

    #[napi]
    pub fn stats(&self) -> StatsDetail {
        let nodes = (0..self.nodes).map(|node| self.node_detail(node)).collect();
        let client = self.engine.client();
        self.engine.read(|core, _| {
            let counters = core.counters(client);
            StatsDetail {
                held: core.held(client) as u32,
                waiting: core.waiting(client) as u32,
                acquired: counters.acquired as f64,
                contended: counters.contended as f64,
                timed_out: counters.timed_out as f64,
                aborted: counters.aborted as f64,
                lost: counters.lost as f64,
                extended: counters.extended as f64,
                renewed_late: counters.renewed_late as f64,
                released: counters.released as f64,
                nodes,
            }
        })
    }

    fn node_detail(&self, node: usize) -> NodeDetail {
        let (p50, p99) = self.engine.round_trip(node);
        let closed = self.engine.is_closed();
        self.engine.read(|core, now| {
            let fault = core.fault(now, node);
            let state = match &fault {
                _ if closed => "closed",
                _ if core.is_connecting(node) => "connecting",
                None => "up",
                Some(fault) if fault.code == FaultCode::Quarantined => "quarantined",
                Some(_) => "down",
            };
            let told = fault.filter(|_| state == "down" || state == "quarantined");
            let (code, message) = told.as_ref().map_or((None, None), code_and_message);
            NodeDetail { state: state.to_owned(), code, message, p50: ms(p50), p99: ms(p99) }
        })
    }

    #[napi]
    pub fn locks(&self) -> Vec<HeldDetail> {
        let held = self.engine.read(|core, now| core.held_keys(now, self.engine.client()));
        let detail = |row: crate::lock::HeldKey| HeldDetail {
            key: row.key.strip_prefix(self.prefix.as_str()).unwrap_or(&row.key).to_owned(),
            id: row.id.hex(&mut [0; HEX_LENGTH]).to_owned(),
            since: ms(self.engine.unix_time(row.granted_at)).floor(),
            remaining: ms(row.remaining),
            waiting: row.waiting as u32,
        };
        held.into_iter().map(detail).collect()
    }

    #[napi]
    pub fn is_quiet(&self) -> bool {
        self.engine.is_quiet()
    }

    #[napi]
    pub fn close(&self) {
        self.engine.close();
        self.engine.stop_watching();
    }

    /// The process exits: gives everything back, and waits for the answers at most so long.
    #[napi]
    pub fn shutdown(&self, limit: f64) {
        self.engine.shut_down(span(limit).min(Duration::from_secs(1)));
    }
}
