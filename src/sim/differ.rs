//! The simulated server beside a real one: the same requests, by the real wire, at the same time of a clock that stands
//! still; the answers and what is kept must be the same.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::alike::{competes, is_refused, is_same};
use super::call::KEYS;
use super::rng::Rng;
use super::server::{Entry, Server, Value};
use crate::lock::Mutant;
use crate::node::tokens::BLOCK;
use crate::node::{
    Address, Answer, Command, Eye, Id, Keys, Moment, Node, Options, RedisNode, Reply, Request, Side, Tag, Tokens,
    connect,
};

/// Where a history begins, in microseconds since 1970.
const BEGIN: u64 = 1_763_000_000_123_456;
const ROLLOVER: u64 = 999_999_995_000_000;
const STEPS: usize = 30;
const IDS: u64 = 4;

/// The clock of the real server: its file is what `__test__/support/clock-shim.c` says.
struct Clock {
    file: File,
    now: u64,
    version: i64,
}

impl Clock {
    fn set(&mut self, now: u64) -> io::Result<()> {
        const FROZEN: i64 = 1;
        const RATE: i64 = 1_000_000;
        self.now = now;
        self.version += 2;
        let put = |word: u64, value: i64| self.file.write_all_at(&value.to_le_bytes(), word * 8);
        put(4, self.version - 1)?;
        put(0, FROZEN)?;
        put(1, now as i64)?;
        put(2, RATE)?;
        put(3, 0)?;
        put(4, self.version)
    }
}

struct Pair {
    real: RedisNode,
    eye: Eye,
    model: Server,
    clock: Clock,
    moment: u64,
}

/// `<socket> <clock file> <histories> <first seed>`; how many histories agreed, or where the first did not.
pub(super) fn main(words: [&str; 4], mutant: Option<Mutant>) -> ExitCode {
    let [socket, clock, count, first] = words;
    let number = |word: &str| word.parse::<u64>().unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            let mut pair = Pair::open(socket, clock).await?;
            for seed in number(first)..number(first) + number(count) {
                pair.history(seed, mutant).await.map_err(|text| format!("seed {seed}: {text}"))?;
            }
            Ok(())
        })
    });
    match outcome {
        Ok(()) => {
            println!("{count} histories: the simulated server and the real one agree");
            ExitCode::SUCCESS
        }
        Err(text) => {
            println!("{text}");
            ExitCode::FAILURE
        }
    }
}

impl Pair {
    async fn open(socket: &str, clock: &str) -> Result<Self, String> {
        let file = File::options().write(true).open(clock).map_err(|error| format!("{clock}: {error}"))?;
        let address = Address::Unix { path: PathBuf::from(socket) };
        let options = Options { address, username: None, db: 0, client_name: None, tls: None };
        let connected = connect(&options, None).await.map_err(|fault| fault.message.to_string())?;
        let real = RedisNode::new(&options);
        real.install(connected.link);
        Ok(Self {
            real,
            eye: Eye::open(socket)?,
            model: Server::default(),
            clock: Clock { file, now: BEGIN, version: 0 },
            moment: 1,
        })
    }

    async fn history(&mut self, seed: u64, mutant: Option<Mutant>) -> Result<(), String> {
        let rng = &mut Rng::new(seed, 7);
        self.eye.set_full(false)?;
        self.eye.flush()?;
        self.model = Server::new(mutant);
        // Every other one where the time gets one digit more.
        let begin = if seed.is_multiple_of(2) { BEGIN } else { ROLLOVER };
        self.clock.set(begin + rng.below(1_000_000)).map_err(|error| error.to_string())?;
        for _ in 0..STEPS {
            let now = self.clock.now + draw_span(rng);
            self.clock.set(now).map_err(|error| error.to_string())?;
            self.model.expire(now);
            if rng.percent(15) {
                self.meddle(rng)?;
            }
            // What several share in a script depends on what the others do, when there is no memory.
            let most = if self.model.full > 0 { 1 } else { 4 };
            // No call asks twice at once.
            let first = rng.below(IDS);
            let batch: Vec<Request> = (0..rng.between(1, most))
                .map(|slot| self.draw_request(rng, slot as u32, Id::from_bits((first + slot) % IDS, 7)))
                .collect();
            let expected: Vec<Reply> = batch.iter().map(|request| self.model.run(now, request)).collect();
            let found = self.ask(batch.clone()).await;
            for (index, (expected, found)) in expected.iter().zip(&found).enumerate() {
                let request = &batch[index];
                let is_late = batch[..index].iter().any(|earlier| competes(earlier, request));
                let is_alike = is_late && is_refused(request, expected) && is_refused(request, found);
                if !is_alike && !is_same(expected, found) {
                    return Err(format!("{request:?}: {found:?}, and simulated {expected:?}"));
                }
            }
            self.compare().map_err(|text| format!("after {batch:?}: {text}"))?;
        }
        Ok(())
    }

    /// By the real wire; the answers in the order of the requests.
    async fn ask(&mut self, batch: Vec<Request>) -> Vec<Reply> {
        let count = batch.len();
        let mut waiting = batch;
        let mut answers: Vec<Answer> = Vec::new();
        while answers.len() < count {
            self.moment += 1;
            let now = Moment::from_nanos(self.moment);
            self.real.pump(Side::IoThread, now, &mut |buffer| buffer.append(&mut waiting), &mut answers);
            if answers.len() < count {
                self.real.rung().await;
            }
        }
        answers.sort_by_key(|answer| answer.tag.slot);
        answers.into_iter().map(|answer| answer.reply).collect()
    }

    /// What other programs do, on both.
    fn meddle(&mut self, rng: &mut Rng) -> Result<(), String> {
        let key: Arc<str> = rng.pick(&KEYS).into();
        let fence = format!("{key}:quorlock:fence");
        let kind = rng.below(6);
        match kind {
            // A server out of memory takes nothing from others either.
            0..3 if self.model.full > 0 => {
                self.eye.set_full(false)?;
                self.model.full = 0;
            }
            0 => {
                let ttl = rng.between(1, 3000);
                self.eye.set(&key, "other", Some(ttl))?;
                self.model.set(&key, Value::Text("other".to_owned()), Some(self.clock.now / 1000 + ttl));
            }
            1 => {
                self.eye.set(&key, "other", None)?;
                self.model.set(&key, Value::Text("other".to_owned()), None);
            }
            2 => {
                self.eye.set_list(&key)?;
                self.model.set(&key, Value::List, None);
            }
            3 => {
                self.eye.delete(&key)?;
                self.model.delete(&key);
            }
            4 => {
                self.eye.delete(&fence)?;
                self.model.forget_fence(&key);
            }
            _ => {
                let is_full = self.model.full == 0;
                self.eye.set_full(is_full)?;
                self.model.full = u32::from(is_full);
            }
        }
        Ok(())
    }

    fn draw_request(&self, rng: &mut Rng, slot: u32, id: Id) -> Request {
        let keys = match rng.below(4) {
            0 => Keys::many(KEYS[..rng.between(2, 3) as usize].iter().map(|key| Box::from(*key)).collect()),
            _ => Keys::one(rng.pick(&KEYS)),
        };
        let ttl_ms = rng.between(1, 3000);
        let command = match rng.below(10) {
            0..5 => Command::Acquire { ttl_ms },
            5 | 6 => Command::Extend { ttl_ms },
            7 | 8 => Command::Release,
            _ => Command::Probe,
        };
        // As an extension that has nothing to extend, and a fence to raise: that is refused as a whole.
        let is_whole = self.model.full > 0 && matches!(command, Command::Extend { .. });
        let is_fenced = command != Command::Probe && !is_whole && rng.percent(60);
        let tokens = is_fenced.then(|| self.draw_tokens(rng, &keys));
        Request { tag: Tag { slot, generation: 0, round: 0 }, command, keys, id, tokens }
    }

    /// At every edge: of the fence, of what may lie beyond it, and of what the clock allows.
    fn draw_tokens(&self, rng: &mut Rng, keys: &Keys) -> Tokens {
        let fence = keys.iter().filter_map(|key| self.model.fence(key)).max().unwrap_or(self.clock.now);
        let now = self.clock.now;
        let near = rng.below(3);
        let first = match rng.below(7) {
            0 | 1 => fence + near - 1,
            2 => fence + 1_000_000 + near - 1,
            3 => now + near,
            4 => now - 5_000_000 + near - 1,
            5 => now + 5_000_000 + near - 1,
            _ => now + rng.below(20_000_000) - 10_000_000,
        };
        Tokens { first, last: first + BLOCK - 1 }
    }

    /// What both keep.
    fn compare(&mut self) -> Result<(), String> {
        let now = self.clock.now / 1000;
        for key in KEYS {
            let found = self.eye.entry(key)?;
            let expected = self.model.locks.get(key).map(told);
            let expected = expected.map(|(value, expiry)| (value, expiry.map_or(-1, |expiry| (expiry - now) as i64)));
            if found != expected {
                return Err(format!("{key} is {found:?}, and simulated {expected:?}"));
            }
            let found = self.eye.entry(&format!("{key}:quorlock:fence"))?;
            let expected = self.model.fence(key).map(|fence| {
                let expiry = self.model.fence_expiry(key).unwrap_or(0);
                (fence.to_string(), (expiry - now) as i64)
            });
            if found != expected {
                return Err(format!("the fence of {key} is {found:?}, and simulated {expected:?}"));
            }
        }
        Ok(())
    }
}

fn told(entry: &Entry) -> (String, Option<u64>) {
    let text = match &entry.value {
        Value::Id(id) => id.hex(&mut [0; crate::node::id::HEX_LENGTH]).to_owned(),
        Value::Text(text) => text.clone(),
        Value::List => "list".to_owned(),
    };
    (text, entry.expiry)
}

/// A span that matters: none, around a ttl, or so long that fences expire.
fn draw_span(rng: &mut Rng) -> u64 {
    match rng.below(10) {
        0..4 => 0,
        4..7 => rng.below(5_000),
        7 | 8 => rng.below(3_000_000),
        _ if rng.percent(10) => 3_600_000_000 + rng.below(6_000_000),
        _ => rng.below(10_000_000),
    }
}
