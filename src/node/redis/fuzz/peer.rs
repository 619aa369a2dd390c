//! The other end of a connection: a correct server at first, perhaps, and then less and less of one.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::source::Source;
use super::{garbage, reference, server};

/// So many turns without a word from our side: it waits for us.
const QUIET: usize = 50;
/// More than is ever read of one answer.
const ENDLESS: usize = 8 << 20;

/// What went both ways.
#[derive(Default)]
pub(super) struct Log {
    pub(super) commands: Vec<Vec<Vec<u8>>>,
    pub(super) sent: Vec<u8>,
    /// An answer is missing, or something was said that answers nothing: answers may have moved.
    pub(super) strays: bool,
    /// An answer without an end was read to its end.
    pub(super) swallowed: bool,
}

pub(super) struct Peer {
    stream: DuplexStream,
    source: Source,
    log: Arc<Mutex<Log>>,
    /// So many answers are right.
    honest: usize,
    /// Of a hundred answers after that so many are wrong.
    wrong: usize,
    failed: bool,
}

enum Act {
    Say(Vec<u8>),
    Endless,
    Hang,
    Close,
}

impl Peer {
    pub(super) fn new(stream: DuplexStream, mut source: Source) -> (Self, Arc<Mutex<Log>>) {
        let log = Arc::<Mutex<Log>>::default();
        // The handshake is some twenty commands long.
        let honest = if source.percent(25) { source.below(20) } else { 20 + source.below(20) };
        let wrong = [5, 20, 60][source.below(3)];
        (Self { stream, source, log: log.clone(), honest, wrong, failed: false }, log)
    }

    /// Until our side hangs up, or nothing is left to be said.
    pub(super) async fn serve(mut self) {
        let mut pending = Vec::new();
        self.converse(&mut pending).await;
        self.overhear(pending).await;
    }

    async fn converse(&mut self, pending: &mut Vec<u8>) {
        let mut buffer = vec![0; 4096];
        loop {
            let count = tokio::select! {
                biased;
                count = self.stream.read(&mut buffer) => count.unwrap_or(0),
                () = quiet(), if self.failed => 0,
            };
            if count == 0 {
                return;
            }
            pending.extend_from_slice(&buffer[..count]);
            while let Some((words, rest)) = reference::command(pending) {
                *pending = rest.to_vec();
                let act = self.decide(&words);
                self.log.lock().unwrap().commands.push(words);
                if !self.act(act).await {
                    return;
                }
            }
        }
    }

    /// What our side had sent already, and may have taken an answer too many for the answer to.
    async fn overhear(&mut self, mut pending: Vec<u8>) {
        let mut buffer = vec![0; 4096];
        loop {
            while let Some((words, rest)) = reference::command(&pending) {
                pending = rest.to_vec();
                self.log.lock().unwrap().commands.push(words);
            }
            let count = tokio::select! {
                biased;
                count = self.stream.read(&mut buffer) => count.unwrap_or(0),
                () = std::future::ready(()) => 0,
            };
            if count == 0 {
                return;
            }
            pending.extend_from_slice(&buffer[..count]);
        }
    }

    fn decide(&mut self, words: &[Vec<u8>]) -> Act {
        let index = self.log.lock().unwrap().commands.len();
        let source = &mut self.source;
        let right = server::answer(source, words);
        if index < self.honest || !source.percent(self.wrong) {
            return Act::Say(right);
        }
        self.failed = true;
        let said = match source.below(20) {
            0..=6 => garbage::value(source, 0),
            7..=9 => garbage::corpus(source),
            10..=12 => garbage::mutate(source, right),
            13 => source.noise(200),
            14 => [garbage::value(source, 0), right].concat(),
            15 => [right, garbage::value(source, 0)].concat(),
            16 => right.repeat(2),
            17 => return Act::Endless,
            18 => return Act::Hang,
            _ => return Act::Close,
        };
        // Whatever is not one value for one command may move all that follow.
        self.log.lock().unwrap().strays |= reference::replies(&said).len() != 1;
        Act::Say(said)
    }

    async fn act(&mut self, act: Act) -> bool {
        match act {
            Act::Say(bytes) => self.say(&bytes).await,
            Act::Endless => {
                let head = self.source.pick(&[&b"+"[..], b"$536870912\r\n", b"*2147483647\r\n", b">9999999\r\n"]);
                let body = self.source.pick(&[&b"x"[..], b"_\r\n", b"$1\r\nx\r\n"]);
                let chunk = body.repeat(0x10000 / body.len());
                let mut open = self.say(head).await;
                let mut said = 0;
                while open && said < ENDLESS {
                    open = self.say(&chunk).await;
                    said += chunk.len();
                }
                self.log.lock().unwrap().swallowed |= open;
                open
            }
            Act::Hang => {
                self.log.lock().unwrap().strays = true;
                true
            }
            Act::Close => false,
        }
    }

    /// In pieces of any size. False when our side has hung up.
    async fn say(&mut self, bytes: &[u8]) -> bool {
        self.log.lock().unwrap().sent.extend_from_slice(bytes);
        let piece = if self.source.percent(50) { bytes.len() } else { 1 + self.source.below(bytes.len()) };
        for piece in bytes.chunks(piece.max(1)) {
            if self.stream.write_all(piece).await.is_err() {
                return false;
            }
        }
        true
    }
}

async fn quiet() {
    for _ in 0..QUIET {
        tokio::task::yield_now().await;
    }
}
