//! What happened, as a number that the same history always gives, and in words when somebody wants to read it.

use super::clock::{MS, Time};
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Id, Request, Tokens};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

pub(crate) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(is_read: bool) -> Self {
        Self { hash: OFFSET, lines: is_read.then(Vec::new) }
    }

    pub(crate) fn note(&mut self, now: Time, words: [u64; 3], text: impl FnOnce() -> String) {
        for word in [now, words[0], words[1], words[2]] {
            self.hash = (self.hash ^ word).wrapping_mul(PRIME).rotate_left(29);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>12.6} ms  {}", now as f64 / MS as f64, text()));
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

/// A request in few words: the first digits of its id tell it from others.
pub(crate) fn told(request: &Request) -> String {
    let command = match request.command {
        Command::Acquire { ttl_ms } => format!("acquire for {ttl_ms} ms"),
        Command::Extend { ttl_ms } => format!("extend to {ttl_ms} ms"),
        Command::Release => "release".to_owned(),
        Command::Probe => "probe".to_owned(),
    };
    let keys: Vec<&str> = request.keys.iter().collect();
    let tokens = request.tokens.map(|Tokens { first, last }| format!(" {first}..={last}")).unwrap_or_default();
    format!("{command} {} {}{tokens}", keys.join("+"), short(request.id))
}

pub(crate) fn short(id: Id) -> String {
    let mut buffer = [0; HEX_LENGTH];
    id.hex(&mut buffer)[..8].to_owned()
}
