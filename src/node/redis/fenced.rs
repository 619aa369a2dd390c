//! Calls of the fenced scripts: one for any number of keys, each beside its fence.

use redis::{Cmd, Value};

use super::script::{ACQUIRE_FENCED, EXTEND_FENCED, Form, RELEASE_FENCED};
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Request, Tokens};

const FENCE: &str = ":quorlock:fence";
/// How long a fence outlives the tokens' own time. Longer than any clock that a server accepts is slow, so that tokens
/// without a fence lie beyond those that it last guarded.
const LIFE_MS: u64 = 3_600_000;

/// One key of one request.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) request: &'a Request,
    pub(super) key: &'a str,
}

/// Every key of every request.
pub(super) fn parts(group: &[Request]) -> Vec<Part<'_>> {
    group.iter().flat_map(|request| request.keys.iter().map(move |key| Part { request, key })).collect()
}

/// One call for keys of requests of one kind.
pub(super) fn pack(parts: &[Part<'_>], form: Form) -> Option<Cmd> {
    let bytes = parts.iter().map(|part| 2 * part.key.len() + FENCE.len() + HEX_LENGTH + 64).sum();
    let script = match parts.first()?.request.command {
        Command::Extend { .. } => &EXTEND_FENCED,
        Command::Release => &RELEASE_FENCED,
        Command::Acquire { .. } | Command::Probe => &ACQUIRE_FENCED,
    };
    let mut cmd = script.call(form, 2 * parts.len(), bytes);
    for part in parts {
        cmd.arg(part.key).arg([part.key, FENCE].concat());
    }
    let mut buffer = [0; HEX_LENGTH];
    for Part { request, .. } in parts {
        cmd.arg(request.id.hex(&mut buffer));
        let Some(Tokens { first, last }) = request.tokens else { continue };
        match request.command {
            Command::Acquire { ttl_ms } => {
                cmd.arg(ttl_ms).arg(first);
            }
            Command::Extend { ttl_ms } => {
                cmd.arg(ttl_ms);
            }
            Command::Release | Command::Probe => {}
        }
        cmd.arg(last).arg(last / 1000 + LIFE_MS);
    }
    Some(cmd)
}

/// The token beyond which the server wants others.
pub(super) fn read_outbid(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}
