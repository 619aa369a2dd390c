//! Single values, as redis-rs reads them, in place of every answer that is read.

use redis::Value;

use super::super::group::{groups, read, value_count};
use super::super::script::{Form, OwnRelease};
use super::super::{fault, handshake};
use super::source::Source;
use super::{garbage, server};
use crate::node::{Command, Id, Keys, Reply, Request, Tag, Tokens};

pub(super) fn run(seed: u64) -> Result<(), String> {
    let mut source = Source::new(seed);
    let values: Vec<Value> = (0..source.below(16)).filter_map(|_| value(&mut source)).collect();
    let _ = handshake::look(&values);
    let _ = handshake::own_release(&values);
    let _ = values.iter().map(fault::is_demotion).count();
    let requests: Vec<Request> = (0..1 + source.below(6)).map(|slot| request(&mut source, slot as u32)).collect();
    let own_release = source.percent(30).then_some(OwnRelease::Delex);
    let form = Form { source: source.percent(30), alone: source.percent(30), own_release };
    for group in groups(&requests, form) {
        let count = value_count(group, form).min(values.len());
        let mut answers = Vec::new();
        if read(group, form, &values[..count], &mut answers).is_some() {
            continue;
        }
        if answers.iter().map(|answer| answer.tag).ne(group.iter().map(|request| request.tag)) {
            return Err(format!("{group:?} was answered {answers:?}"));
        }
        for (request, answer) in group.iter().zip(answers) {
            let Reply::Voted { yes, no, .. } = answer.reply else { continue };
            if yes & no != 0 || (yes | no) >> request.keys.len() != 0 {
                return Err(format!("{request:?} was answered {:?}", answer.reply));
            }
            let is_plain = matches!(request.command, Command::Acquire { .. }) && request.tokens.is_none();
            let okays = values[..count].iter().filter(|value| **value == Value::Okay).count();
            if is_plain && yes.count_ones() as usize > okays {
                return Err(format!("{request:?} was granted by {values:?}"));
            }
        }
    }
    Ok(())
}

fn value(source: &mut Source) -> Option<Value> {
    let right = |source: &mut Source| {
        let words = [&["SET"][..], &["INFO", "server"], &["PTTL"], &["GETRANGE"], &["DELIFEQ"]][source.below(5)];
        let words: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        server::answer(source, &words)
    };
    let bytes = match source.below(6) {
        0 => garbage::corpus(source),
        1 => source.noise(60),
        2 => {
            let right = right(source);
            garbage::mutate(source, right)
        }
        3 => right(source),
        _ => garbage::value(source, 0),
    };
    redis::parse_redis_value(&bytes).ok()
}

fn request(source: &mut Source, slot: u32) -> Request {
    let command =
        [Command::Acquire { ttl_ms: 5000 }, Command::Extend { ttl_ms: 5000 }, Command::Release, Command::Probe]
            [source.below(4)];
    let keys = (0..1 + source.below(3)).map(|key| format!("{slot} {key}").into()).collect();
    let tokens = (command != Command::Probe && source.percent(30)).then(|| Tokens::propose(1000, 0));
    Request { tag: Tag { slot, generation: 0, round: 0 }, command, keys: Keys::many(keys), id: Id::NIL, tokens }
}
