//! Calls of the fenced scripts: one for any number of keys, each beside its fence.

use std::io::Write;

use redis::{Cmd, RedisWrite, ToRedisArgs, Value};

use super::script::{ACQUIRE_FENCED, EXTEND_FENCED, Form, RELEASE_FENCED};
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Reply, Request, Tokens};

const FENCE: &str = ":quorlock:fence";
/// How long a fence outlives the tokens' own time. Longer than any clock that a server accepts is slow, so that tokens
/// without a fence lie beyond those that it last guarded.
const LIFE_MS: u64 = 3_600_000;
/// Fences expire at moments that are so far apart, less one, so that those of one time share an argument of a call. One
/// second: the server has to forget them all at once.
const EXPIRY_BITS: u64 = 0x3ff;

/// The key of a fence, without a text of its own.
struct FenceOf<'a>(&'a str);

impl ToRedisArgs for FenceOf<'_> {
    fn write_redis_args<W: RedisWrite + ?Sized>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        // Into memory, which cannot fail.
        let _ = argument.write_all(self.0.as_bytes()).and_then(|()| argument.write_all(FENCE.as_bytes()));
    }
}

/// What one call says once for all its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shared {
    /// From the first token of a block to its last.
    span: u64,
    /// When the fences may expire, in milliseconds since 1970.
    expiry_ms: u64,
}

impl Shared {
    fn of(Tokens { first, last }: Tokens) -> Self {
        Self { span: last - first, expiry_ms: (last / 1000 + LIFE_MS) | EXPIRY_BITS }
    }
}

/// One call can carry both blocks.
pub(super) fn share_call(one: Tokens, other: Tokens) -> bool {
    Shared::of(one) == Shared::of(other)
}

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
    let Shared { span, expiry_ms } = Shared::of(parts.first()?.request.tokens?);
    let mut cmd = script.call(form, 2 * parts.len(), bytes);
    for part in parts {
        cmd.arg(part.key).arg(FenceOf(part.key));
    }
    cmd.arg(span).arg(expiry_ms);
    let mut buffer = [0; HEX_LENGTH];
    for Part { request, .. } in parts {
        cmd.arg(request.id.hex(&mut buffer));
        if let Command::Acquire { ttl_ms } | Command::Extend { ttl_ms } = request.command {
            cmd.arg(ttl_ms);
        }
        cmd.arg(request.tokens?.last);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Id, Keys, Tag};

    const NOW: Tokens = Tokens { first: 1_750_000_000_000_000, last: 1_750_000_000_000_063 };

    fn words(command: Command) -> Vec<String> {
        let keys = Keys::many(vec!["a".into(), "b".into()]);
        let tag = Tag { slot: 0, generation: 0, round: 0 };
        let group = [Request { tag, command, keys, id: Id::NIL, tokens: Some(NOW) }];
        let cmd = pack(&parts(&group), Form::default()).unwrap();
        let text = String::from_utf8(cmd.get_packed_command()).unwrap();
        text.split("\r\n").filter(|word| !word.is_empty() && !word.starts_with(['*', '$'])).map(str::to_owned).collect()
    }

    #[test]
    fn a_call_says_once_what_all_its_keys_share() {
        let (id, last) = ("0".repeat(32), NOW.last.to_string());
        let expiry = ((NOW.last / 1000 + 3_600_000) | 1023).to_string();
        let shared = ["4", "a", "a:quorlock:fence", "b", "b:quorlock:fence", "63", &expiry];
        let each = [&*id, "70", &*last];
        assert_eq!(words(Command::Acquire { ttl_ms: 70 })[2..], [&shared[..], &each, &each].concat());
        assert_eq!(words(Command::Extend { ttl_ms: 70 })[2..], [&shared[..], &each, &each].concat());
        let each = [&*id, &*last];
        assert_eq!(words(Command::Release)[2..], [&shared[..], &each, &each].concat());
    }

    #[test]
    fn blocks_share_a_call_that_are_of_one_length_and_of_one_time() {
        let later = |micros: u64| Tokens { first: NOW.first + micros, last: NOW.last + micros };
        let end = (Shared::of(NOW).expiry_ms - LIFE_MS) * 1000 + 999 - NOW.last;
        assert!(share_call(NOW, later(end)));
        assert!(!share_call(NOW, later(end + 1)));
        assert!(!share_call(NOW, Tokens { first: NOW.last, last: NOW.last }));
    }

    #[test]
    fn a_fence_outlives_its_tokens_by_an_hour_and_hardly_more() {
        for last in (NOW.last..NOW.last + 5_000_000).step_by(333_333) {
            let life = Shared::of(Tokens { last, ..NOW }).expiry_ms - last / 1000;
            assert!((LIFE_MS..LIFE_MS + 1024).contains(&life), "{life}");
        }
    }
}
