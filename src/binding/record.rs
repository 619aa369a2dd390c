//! One record: what happened to one call, in thirteen 32-bit words.
//!
//! `[engine, slot, kind, attempts or code, votes low, votes high, id × 4, ttl, token low, token high]`. The kinds and codes are those of
//! `js/record.js`.

#![forbid(unsafe_code)]

use crate::driver::{Mail, MailEvent};
use crate::lock::{Kind, Lost, Released, Verdict};

pub(super) const WORDS: usize = 13;

pub(super) fn write(record: &mut [i32; WORDS], engine: u32, mail: &Mail) {
    *record = [0; WORDS];
    record[0] = engine.cast_signed();
    record[1] = mail.slot.cast_signed();
    (record[2], record[3]) = match &mail.event {
        MailEvent::Granted(grant) => {
            record[4] = (grant.votes as u32).cast_signed();
            record[5] = ((grant.votes >> 32) as u32).cast_signed();
            for (word, bytes) in record[6..10].iter_mut().zip(grant.id.as_bytes().as_chunks().0) {
                *word = i32::from_be_bytes(*bytes);
            }
            record[10] = grant.ttl_ms.cast_signed();
            record[11] = (grant.token as u32).cast_signed();
            record[12] = ((grant.token >> 32) as u32).cast_signed();
            (1, grant.attempts.cast_signed())
        }
        MailEvent::Turned(Kind::Extended { ttl_ms }) => {
            record[10] = ttl_ms.cast_signed();
            (5, 0)
        }
        MailEvent::Turned(kind) => turned(*kind),
        MailEvent::Words => (12, 0),
    };
}

fn turned(kind: Kind) -> (i32, i32) {
    match kind {
        Kind::Granted => (1, 0),
        Kind::Failed(Verdict::Contended) => (2, 0),
        Kind::Failed(Verdict::Unavailable) => (3, 0),
        Kind::Cancelled => (4, 0),
        Kind::Extended { .. } => (5, 0),
        Kind::ExtendFailed => (6, 0),
        Kind::Released(Released::Valid) => (7, 0),
        Kind::Released(Released::Expired) => (7, 1),
        Kind::Released(Released::Unknown) => (7, 2),
        Kind::Lost(Lost::Expired) => (8, 0),
        Kind::Lost(Lost::Gone) => (8, 1),
        Kind::Lost(Lost::MaxHold) => (8, 2),
        Kind::Lost(Lost::Stalled) => (8, 3),
        Kind::Connected => (9, 0),
        Kind::ConnectFailed => (10, 0),
        Kind::Inspected => (11, 0),
    }
}
