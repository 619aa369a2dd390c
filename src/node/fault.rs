//! Why a node cast no vote.

use std::sync::Arc;

/// The order is the wire order of the binding: a vote is `3 + code` in four bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FaultCode {
    Timeout,
    Connect,
    Tls,
    Auth,
    NoPerm,
    Oom,
    ReadOnly,
    Loading,
    Duplicate,
    NotMaster,
    Quarantined,
    NotALock,
    Protocol,
}

impl FaultCode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::Connect => "CONNECT",
            Self::Tls => "TLS",
            Self::Auth => "AUTH",
            Self::NoPerm => "NOPERM",
            Self::Oom => "OOM",
            Self::ReadOnly => "READONLY",
            Self::Loading => "LOADING",
            Self::Duplicate => "DUPLICATE",
            Self::NotMaster => "NOT_MASTER",
            Self::Quarantined => "QUARANTINED",
            Self::NotALock => "NOT_A_LOCK",
            Self::Protocol => "PROTOCOL",
        }
    }
}

/// A code for programs and a text for people; cheap to clone, since one fault stands for many votes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fault {
    pub(crate) code: FaultCode,
    pub(crate) message: Arc<str>,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, message: impl Into<Arc<str>>) -> Self {
        Self { code, message: message.into() }
    }
}
