//! What waits for the JavaScript thread, and whether it has been told.

use std::collections::VecDeque;

use super::entropy::RandomPool;
use crate::lock::{Change, ClientId, Core, Grant, Kind, Slot};
use crate::node::Moment;

/// One thing that happened to a call.
pub(crate) struct Mail {
    pub(crate) slot: Slot,
    pub(crate) event: MailEvent,
}

pub(crate) enum MailEvent {
    Granted(Grant),
    Turned(Kind),
    /// There are words to be read.
    Words,
}

/// Something about a node rather than about a call.
#[derive(Clone)]
pub(crate) enum Word {
    Changed(Change),
    Warning {
        node: usize,
        code: &'static str,
        message: String,
    },
    /// The node's password is to be asked for.
    Password {
        node: usize,
    },
}

#[derive(Default)]
pub(super) struct Mailbox {
    words: VecDeque<Word>,
    /// The JavaScript thread has been told, and has not come yet.
    told: bool,
    /// It has been told that there are words.
    words_told: bool,
}

impl Mailbox {
    pub(super) fn post(&mut self, word: Word) {
        self.words.push_back(word);
        self.words_told = false;
    }

    /// True for whoever is to tell the JavaScript thread: there is something, and nobody has told it yet.
    pub(super) fn claim(&mut self, core: &Core, client: ClientId) -> bool {
        let news = !self.told && (core.has_news(client) || !self.words.is_empty());
        self.told |= news;
        news
    }

    /// The JavaScript thread has come.
    pub(super) fn open(&mut self) {
        self.told = false;
    }

    pub(super) fn next(
        &mut self,
        core: &mut Core,
        entropy: &mut RandomPool,
        now: Moment,
        client: ClientId,
    ) -> Option<Mail> {
        while let Some(notice) = core.next_notice(client) {
            let slot = notice.slot;
            if notice.kind != Kind::Granted {
                return Some(Mail { slot, event: MailEvent::Turned(notice.kind) });
            }
            if let Some(grant) = core.accept(now, entropy, notice) {
                return Some(Mail { slot, event: MailEvent::Granted(grant) });
            }
        }
        if core.has_changes(client) || (!self.words.is_empty() && !self.words_told) {
            while let Some(change) = core.next_change(client) {
                self.words.push_back(Word::Changed(change));
            }
            self.words_told = true;
            return Some(Mail { slot: 0, event: MailEvent::Words });
        }
        None
    }

    pub(super) fn next_word(&mut self, core: &mut Core, client: ClientId) -> Option<Word> {
        self.words.pop_front().or_else(|| core.next_change(client).map(Word::Changed))
    }
}
