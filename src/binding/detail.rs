//! Answers that are too rich for a record: why an acquire failed, what an inspection found, how the nodes are.

use std::time::Duration;

use napi_derive::napi;

use crate::driver::Word;
use crate::lock::{Failure, Found, VoteSeen};
use crate::node::{Fault, Holding};

pub(super) fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[napi(object)]
pub struct VoteDetail {
    pub node: u32,
    /// 0 granted, 1 refused, 2 faulted.
    pub vote: u32,
    pub code: Option<String>,
    pub message: Option<String>,
    pub remaining: Option<f64>,
}

#[napi(object)]
pub struct InspectionDetail {
    pub node: u32,
    pub held: bool,
    pub id: Option<String>,
    pub remaining: Option<f64>,
    pub error: Option<String>,
}

#[napi(object)]
#[derive(Default)]
pub struct Detail {
    pub attempts: u32,
    pub retry_after: Option<f64>,
    pub votes: Vec<VoteDetail>,
    pub inspections: Option<Vec<InspectionDetail>>,
}

#[napi(object)]
pub struct NoticeDetail {
    /// `nodeUp`, `nodeDown`, `warning` or `password`.
    #[napi(js_name = "type")]
    pub kind: String,
    pub node: u32,
    pub code: Option<String>,
    pub message: Option<String>,
}

#[napi(object)]
pub struct NodeDetail {
    pub state: String,
    pub code: Option<String>,
    pub message: Option<String>,
    pub p50: f64,
    pub p99: f64,
}

#[napi(object)]
pub struct StatsDetail {
    pub held: u32,
    pub waiting: u32,
    pub acquired: f64,
    pub contended: f64,
    pub timed_out: f64,
    pub aborted: f64,
    pub lost: f64,
    pub extended: f64,
    pub renewed_late: f64,
    pub released: f64,
    pub nodes: Vec<NodeDetail>,
}

#[napi(object)]
pub struct HeldDetail {
    pub key: String,
    pub id: String,
    pub since: f64,
    pub remaining: f64,
    pub waiting: u32,
}

pub(super) fn code_and_message(fault: &Fault) -> (Option<String>, Option<String>) {
    (Some(fault.code.name().to_owned()), Some(fault.message.to_string()))
}

fn vote(node: usize, seen: &VoteSeen) -> Option<VoteDetail> {
    let base = VoteDetail { node: node as u32, vote: 0, code: None, message: None, remaining: None };
    Some(match seen {
        VoteSeen::Pending => return None,
        VoteSeen::Granted => base,
        VoteSeen::Refused { remaining, not_a_lock } => VoteDetail {
            vote: 1,
            remaining: remaining.map(ms),
            code: not_a_lock.as_ref().map(|_| "NOT_A_LOCK".to_owned()),
            message: not_a_lock.as_ref().map(|why| why.to_string()),
            ..base
        },
        VoteSeen::Faulted(fault) => {
            let (code, message) = code_and_message(fault);
            VoteDetail { vote: 2, code, message, ..base }
        }
    })
}

impl From<Failure> for Detail {
    fn from(failure: Failure) -> Self {
        Self {
            attempts: failure.attempts,
            retry_after: failure.retry_after.map(ms),
            votes: failure.votes.iter().enumerate().filter_map(|(node, seen)| vote(node, seen)).collect(),
            inspections: None,
        }
    }
}

impl From<Vec<Found>> for Detail {
    fn from(found: Vec<Found>) -> Self {
        Self { inspections: Some(found.into_iter().map(InspectionDetail::from).collect()), ..Self::default() }
    }
}

impl From<Found> for InspectionDetail {
    fn from(found: Found) -> Self {
        let base = Self { node: found.node as u32, held: false, id: None, remaining: None, error: None };
        match found.holding {
            Holding::Free => base,
            Holding::Held { value, remaining } => {
                Self { held: true, id: Some(value.into()), remaining: Some(ms(remaining)), ..base }
            }
            Holding::NotALock(why) => Self { held: true, error: Some(format!("NOT_A_LOCK {why}")), ..base },
            Holding::Faulted(fault) => Self { error: Some(format!("{} {}", fault.code.name(), fault.message)), ..base },
        }
    }
}

impl From<Word> for NoticeDetail {
    fn from(word: Word) -> Self {
        let (kind, node, code, message) = match word {
            Word::Changed(change) => {
                let (code, message) = change.fault.as_ref().map_or((None, None), code_and_message);
                (if change.fault.is_some() { "nodeDown" } else { "nodeUp" }, change.node, code, message)
            }
            Word::Warning { node, code, message } => ("warning", node, Some(code.to_owned()), Some(message)),
            Word::Password { node } => ("password", node, None, None),
        };
        Self { kind: kind.to_owned(), node: node as u32, code, message }
    }
}
