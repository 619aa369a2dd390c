//! The real connection, from the handshake to the end of the link, against a peer; and whether each vote that it
//! counted stands in the peer's bytes.

use std::collections::BTreeMap;

use super::super::RedisNode;
use super::super::connect::greet;
use super::meeting::meet;
use super::peer::Log;
use super::reference::{Said, replies};
use super::server::{Call, answers_in_a_list, call_of};
use super::source::Source;
use crate::node::id::HEX_LENGTH;
use crate::node::{Answer, Command, Fault, FaultCode, Id, Keys, Moment, Node, Reply, Request, Side, Tag, Tokens};

const ROUNDS: usize = 12;
/// So many turns without an answer: there will be none.
const PATIENCE: usize = 100_000;

pub(super) async fn run(seed: u64) -> Result<(), String> {
    let meeting = meet(seed, async |options, password, stream, source| {
        let Ok(connected) = greet(options, password, stream, None).await else { return Ok(Vec::new()) };
        let node = RedisNode::new(options);
        node.install(connected.link);
        use_link(&node, source).await
    });
    let (log, outcome) = meeting.await?;
    judge(&log, &outcome?)
}

/// Rounds of requests of all kinds, each pumped until all are answered; then the link is taken away.
async fn use_link(node: &RedisNode, source: &mut Source) -> Result<Vec<(Request, Reply)>, String> {
    let mut requests = Vec::new();
    let mut replies = BTreeMap::new();
    for _ in 0..source.below(ROUNDS) {
        let first = requests.len();
        for _ in 0..source.below(8) {
            requests.push(request(source, requests.len() as u32));
        }
        // The last round may be left without its answers.
        let mut patience = if source.percent(5) { 0 } else { PATIENCE };
        let mut waiting = requests[first..].to_vec();
        loop {
            let mut answers = Vec::new();
            node.pump(Side::IoThread, Moment::default(), &mut |buffer| buffer.append(&mut waiting), &mut answers);
            collect(&mut replies, answers)?;
            if node.death().is_some() {
                let mut answers = Vec::new();
                node.fail(&Fault::new(FaultCode::Connect, "dead"), &mut answers);
                collect(&mut replies, answers)?;
            }
            if replies.len() == requests.len() || patience == 0 {
                break;
            }
            patience -= 1;
            tokio::task::yield_now().await;
        }
        if replies.len() < requests.len() && patience == 0 {
            break;
        }
    }
    let mut answers = Vec::new();
    node.fail(&Fault::new(FaultCode::Connect, "over"), &mut answers);
    collect(&mut replies, answers)?;
    let pairs = requests.into_iter().map(|request| {
        let reply = replies.remove(&request.tag.slot);
        reply.map(|reply| (request, reply)).ok_or("a request was never answered".to_owned())
    });
    pairs.collect()
}

fn collect(replies: &mut BTreeMap<u32, Reply>, answers: Vec<Answer>) -> Result<(), String> {
    for Answer { tag, reply } in answers {
        if replies.insert(tag.slot, reply).is_some() {
            return Err(format!("request {} was answered twice", tag.slot));
        }
    }
    Ok(())
}

fn request(source: &mut Source, slot: u32) -> Request {
    let ttl_ms = 1 + source.bits() % 60_000;
    let command = match source.below(8) {
        0..=3 => Command::Acquire { ttl_ms },
        4 | 5 => Command::Release,
        6 => Command::Extend { ttl_ms },
        _ => Command::Probe,
    };
    let key = |index: usize| format!("key {slot} {index}").into_boxed_str();
    let count = if source.percent(70) { 1 } else { 1 + source.below(5) };
    let is_fenced = command != Command::Probe && source.percent(30);
    Request {
        tag: Tag { slot, generation: 0, round: 0 },
        command,
        keys: Keys::many((0..count).map(key).collect()),
        id: Id::from_bits(source.bits(), source.bits()),
        tokens: is_fenced.then(|| Tokens::propose(1_750_000_000_000_000, 0)),
    }
}

/// Each vote must stand in the bytes: at the place of its command, if no answer is missing and none came on top.
fn judge(log: &Log, outcomes: &[(Request, Reply)]) -> Result<(), String> {
    let said = replies(&log.sent);
    for (request, reply) in outcomes {
        let Reply::Voted { yes, no, .. } = reply else { continue };
        let strange = |what: &str| Err(format!("{what}: {request:?} was answered {reply:?}"));
        if yes & no != 0 || (yes | no) >> request.keys.len() != 0 {
            return strange("votes that contradict each other, or are for no key");
        }
        for (index, key) in request.keys.iter().enumerate().filter(|(index, _)| yes >> index & 1 == 1) {
            let stands = log.commands.iter().enumerate().any(|(place, words)| {
                let Some(part) = part(words, request, key) else { return false };
                let places = if log.strays { 0..said.len() } else { place..said.len().min(place + 1) };
                said[places].iter().any(|said| may_be(request, said, &part))
            });
            if !stands {
                return strange(&format!("nothing that was said makes key {index} a yes"));
            }
        }
    }
    Ok(())
}

/// Where a command that serves this key of this request has its answer: alone, or in a list.
struct Part {
    of_list: Option<(usize, usize)>,
}

fn part(words: &[Vec<u8>], request: &Request, key: &str) -> Option<Part> {
    let mut buffer = [0; HEX_LENGTH];
    let id = request.id.hex(&mut buffer).as_bytes();
    if !words.iter().any(|word| word == id) {
        return None;
    }
    let alone = Part { of_list: None };
    match (request.command, &*words[0]) {
        (Command::Acquire { .. }, b"SET") if words[1] == key.as_bytes() => return Some(alone),
        (Command::Release, b"DELIFEQ" | b"DELEX") if words[1] == key.as_bytes() => return Some(alone),
        (_, b"EVALSHA" | b"EVAL") => {}
        _ => return None,
    }
    let serves = matches!(
        (request.command, call_of(&words[1])?, request.tokens.is_some()),
        (Command::Acquire { .. }, Call::AcquireFenced, true)
            | (Command::Extend { .. }, Call::Extend, false)
            | (Command::Extend { .. }, Call::ExtendFenced, true)
            | (Command::Release, Call::Release, false)
            | (Command::Release, Call::ReleaseFenced, true)
    );
    let keys: usize = str::from_utf8(&words[2]).ok()?.parse().ok()?;
    let place = words[3..3 + keys].iter().position(|word| word == key.as_bytes()).filter(|_| serves)?;
    let each = if request.tokens.is_some() { 2 } else { 1 };
    let list = answers_in_a_list(&words[1]).then_some((place / each, keys / each));
    Some(Part { of_list: list })
}

fn may_be(request: &Request, said: &Said, part: &Part) -> bool {
    let is_release = request.command == Command::Release;
    let is_wrong_type = |said: &Said| matches!(said, Said::Error(text) if text.split(' ').next() == Some("WRONGTYPE"));
    match (part.of_list, said) {
        (Some((place, length)), Said::List(list)) if list.len() == length => {
            list[place] == Said::Int(1) || (is_release && (list[place] == Said::Int(0) || is_wrong_type(&list[place])))
        }
        // A script that fails says so once, for all of its keys.
        (Some(_), said) => is_release && is_wrong_type(said),
        (None, Said::Okay) => matches!(request.command, Command::Acquire { .. }),
        (None, Said::Int(1)) => !matches!(request.command, Command::Acquire { .. }),
        (None, said) => is_release && (*said == Said::Int(0) || is_wrong_type(said)),
    }
}
