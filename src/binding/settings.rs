//! What `js/` says of a new engine. It has been validated there; here it only takes other shapes.

use std::time::Duration;

use napi_derive::napi;

use crate::driver::{NodeSettings, Password};
use crate::lock::{Config, RestartGuard, Retry};
use crate::node::{Address, Options, TlsOptions};

#[napi(object)]
pub struct TlsConfig {
    pub ca: Option<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
    pub servername: Option<String>,
    pub reject_unauthorized: bool,
}

#[napi(object)]
pub struct NodeConfig {
    pub memory: Option<String>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub path: Option<String>,
    pub username: Option<String>,
    pub password: Option<String>,
    pub ask_password: Option<bool>,
    pub db: Option<u32>,
    pub tls: Option<TlsConfig>,
}

#[napi(object)]
pub struct EngineConfig {
    pub nodes: Vec<NodeConfig>,
    pub key_prefix: String,
    pub quorum: u32,
    pub drift_factor: f64,
    pub retry_count: u32,
    pub retry_delay: f64,
    pub retry_delay_max: f64,
    pub wait: Option<f64>,
    pub node_timeout: f64,
    pub connect_timeout: f64,
    pub max_ttl: f64,
    pub max_hold: f64,
    pub stall_limit: f64,
    pub handover_limit: u32,
    pub fencing: bool,
    /// 0 off, 1 observed, 2 strict.
    pub restart_guard: u32,
    pub client_name: Option<String>,
}

#[napi(object)]
pub struct RetryConfig {
    pub wait: Option<f64>,
    pub retry_count: u32,
    pub retry_delay: f64,
    pub retry_delay_max: f64,
}

/// Longer than any process lives; keeps sums of spans from overflowing.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub(super) fn span(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).map_or(LONGEST, |span| span.min(LONGEST))
}

impl From<RetryConfig> for Retry {
    fn from(config: RetryConfig) -> Self {
        let (delay, delay_max) = (span(config.retry_delay), span(config.retry_delay_max));
        Self::new(config.wait.map(span), config.retry_count, delay, delay_max)
    }
}

impl EngineConfig {
    pub(super) fn lock(&self) -> Config {
        Config {
            nodes: self.nodes.len(),
            quorum: self.quorum as usize,
            drift_factor: self.drift_factor,
            node_timeout: span(self.node_timeout),
            connect_timeout: span(self.connect_timeout),
            max_hold: span(self.max_hold),
            stall_limit: span(self.stall_limit),
            handover_limit: self.handover_limit,
            fencing: self.fencing,
            max_ttl: span(self.max_ttl),
            restart_guard: match self.restart_guard {
                1 => RestartGuard::Observed,
                2 => RestartGuard::Strict,
                _ => RestartGuard::Off,
            },
        }
    }

    pub(super) fn retry(&self) -> Retry {
        let (delay, delay_max) = (span(self.retry_delay), span(self.retry_delay_max));
        Retry::new(self.wait.map(span), self.retry_count, delay, delay_max)
    }
}

impl NodeConfig {
    pub(super) fn settings(self, client_name: Option<&str>) -> NodeSettings {
        if let Some(name) = self.memory {
            return NodeSettings::Memory { name };
        }
        let address = match self.path {
            Some(path) => Address::Unix { path: path.into() },
            None => Address::Tcp { host: self.host.unwrap_or_default(), port: self.port.unwrap_or(6379) },
        };
        let password = match self.password {
            _ if self.ask_password == Some(true) => Password::Asked,
            Some(password) => Password::Fixed(password),
            None => Password::None,
        };
        let options = Options {
            address,
            username: self.username,
            db: self.db.unwrap_or(0).into(),
            client_name: client_name.map(str::to_owned),
            tls: self.tls.map(TlsOptions::from),
        };
        NodeSettings::Redis { options, password }
    }
}

impl From<TlsConfig> for TlsOptions {
    fn from(config: TlsConfig) -> Self {
        Self {
            ca: config.ca,
            cert: config.cert,
            key: config.key,
            servername: config.servername,
            accept_any: !config.reject_unauthorized,
        }
    }
}
