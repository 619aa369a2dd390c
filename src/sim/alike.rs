//! When the answers of two servers say the same.

use crate::node::{Command, FaultCode, Reply, Request};

/// Acquires that share a script all see the keys as they were before it: what an earlier one was granted then, a later
/// one may be told to outbid, where by itself it would be told that the key is held. It gets nothing in either case.
pub(super) fn competes(earlier: &Request, later: &Request) -> bool {
    let is_fenced = |request: &Request| matches!(request.command, Command::Acquire { .. }) && request.tokens.is_some();
    is_fenced(earlier) && is_fenced(later) && earlier.keys.iter().any(|key| later.keys.iter().any(|other| other == key))
}

pub(super) fn is_refused(request: &Request, reply: &Reply) -> bool {
    match reply {
        Reply::Voted { yes, fault: None, .. } => *yes != request.keys.mask(),
        Reply::Outbid { .. } | Reply::Untimely { .. } => true,
        _ => false,
    }
}

/// Faults are told in the server's words: their codes must be the same.
pub(super) fn is_same(one: &Reply, other: &Reply) -> bool {
    let code = |reply: &Reply| -> Option<FaultCode> {
        match reply {
            Reply::Voted { fault, .. } => fault.as_ref().map(|fault| fault.code),
            _ => None,
        }
    };
    match (one, other) {
        (Reply::Voted { yes, no, .. }, Reply::Voted { yes: other_yes, no: other_no, .. }) => {
            (yes, no, code(one)) == (other_yes, other_no, code(other))
        }
        _ => one == other,
    }
}
