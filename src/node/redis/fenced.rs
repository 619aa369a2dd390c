//! Calls of the fenced scripts: one for any number of keys, each beside its fence.

use redis::{Cmd, Value};

use super::script::{ACQUIRE_FENCED, EXTEND_FENCED, Form, RELEASE_FENCED};
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Reply, Request, Tokens};

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
            Command::Release => {
                cmd.arg(first);
            }
            Command::Probe => {}
        }
        cmd.arg(last).arg(last / 1000 + LIFE_MS);
    }
    Some(cmd)
}

/// What a server wants of the tokens that it has not taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wish {
    /// To lie beyond this one.
    pub(super) least: Option<u64>,
    /// To lie near this time.
    pub(super) clock: Option<u64>,
}

impl Wish {
    /// True when the value is one.
    pub(super) fn read(&mut self, value: &Value) -> bool {
        let Value::BulkString(digits) = value else { return false };
        let text = str::from_utf8(digits).unwrap_or_default();
        let (place, digits) = match text.strip_prefix('-') {
            Some(digits) => (&mut self.clock, digits),
            None => (&mut self.least, text),
        };
        let number = digits.parse().ok();
        *place = (*place).max(number);
        number.is_some()
    }

    pub(super) fn reply(self) -> Option<Reply> {
        let outbid = self.least.map(|least| Reply::Outbid { least });
        self.clock.map(|clock| Reply::Untimely { clock }).or(outbid)
    }
}
