//! What the lock protects: a number for each key that is read, and later written one larger.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Row {
    value: u64,
    fence: u64,
}

/// A number that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub(crate) key: u8,
    value: u64,
    token: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Done,
    /// Somebody else has written since the read.
    Overwritten,
    /// The store has seen a larger token.
    Refused,
}

#[derive(Default)]
pub(crate) struct Store {
    rows: BTreeMap<u8, Row>,
    /// The tokens that were given out, by key.
    tokens: BTreeMap<u8, BTreeSet<u64>>,
}

impl Store {
    /// `None` where the store has seen a larger token. 0 is none.
    pub(crate) fn read(&mut self, key: u8, token: u64) -> Option<Read> {
        let row = self.rows.entry(key).or_default();
        if token < row.fence {
            return None;
        }
        row.fence = token;
        Some(Read { key, value: row.value, token })
    }

    pub(crate) fn write(&mut self, read: Read) -> Write {
        let row = self.rows.entry(read.key).or_default();
        if read.token < row.fence {
            return Write::Refused;
        }
        let overwritten = row.value != read.value;
        row.value = read.value + 1;
        if overwritten { Write::Overwritten } else { Write::Done }
    }

    /// Notes that a holder has this token: whether it is larger than all before it, and whether nobody had it.
    pub(crate) fn give(&mut self, key: u8, token: u64) -> (bool, bool) {
        let tokens = self.tokens.entry(key).or_default();
        let is_larger = tokens.last().is_none_or(|last| token > *last);
        (is_larger, tokens.insert(token))
    }
}
