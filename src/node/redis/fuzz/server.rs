//! What a correct server answers, in whatever state its keys are.

use super::super::script::{
    ACQUIRE_FENCED, EXTEND, EXTEND_FENCED, EXTEND_MANY, OwnScript, RELEASE, RELEASE_FENCED, RELEASE_MANY,
};
use super::source::Source;

/// What a script call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Extend,
    Release,
    AcquireFenced,
    ExtendFenced,
    ReleaseFenced,
}

pub(super) fn call_of(script: &[u8]) -> Option<Call> {
    let is = |own: &OwnScript| script == own.hash().as_bytes() || script == own.source.as_bytes();
    let calls: [(&OwnScript, Call); 7] = [
        (&EXTEND, Call::Extend),
        (&EXTEND_MANY, Call::Extend),
        (&RELEASE, Call::Release),
        (&RELEASE_MANY, Call::Release),
        (&ACQUIRE_FENCED, Call::AcquireFenced),
        (&EXTEND_FENCED, Call::ExtendFenced),
        (&RELEASE_FENCED, Call::ReleaseFenced),
    ];
    calls.into_iter().find(|(own, _)| is(own)).map(|(_, call)| call)
}

/// Its script answers with a list, however many keys there are.
pub(super) fn answers_in_a_list(script: &[u8]) -> bool {
    [&EXTEND, &RELEASE].into_iter().all(|own| script != own.hash().as_bytes() && script != own.source.as_bytes())
}

pub(super) fn answer(source: &mut Source, words: &[Vec<u8>]) -> Vec<u8> {
    let word = |index: usize| words.get(index).map(|word| String::from_utf8_lossy(word)).unwrap_or_default();
    let error = |text: &str| format!("-{text}\r\n");
    let text = match &*word(0).to_uppercase() {
        "HELLO" => "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n".to_owned(),
        "INFO" => info(source, &word(1)),
        "SCRIPT" => bulk(&"0".repeat(40)),
        "DELIFEQ" | "DELEX" if words.len() > 1 => format!(":{}\r\n", source.below(2)),
        "DELIFEQ" if source.percent(50) => error("ERR wrong number of arguments for 'delifeq' command"),
        "DELIFEQ" | "DELEX" => error("ERR unknown command"),
        "SET" if source.percent(5) => error(source.pick(&["OOM command not allowed", "READONLY no", "NOPERM no"])),
        "SET" => (*source.pick(&["+OK\r\n", "$-1\r\n"])).to_owned(),
        "GETRANGE" => bulk(source.pick(&["", "0123456789abcdef0123456789abcdef"])),
        "PTTL" => format!(":{}\r\n", source.pick(&["-2", "-1", "5000"])),
        "PUBSUB" => format!("*2\r\n{}:1\r\n", bulk("channel")),
        "SUBSCRIBE" => format!(">3\r\n{}{}:1\r\n", bulk("subscribe"), bulk(&word(1))),
        "UNSUBSCRIBE" => format!(">3\r\n{}{}:0\r\n", bulk("unsubscribe"), bulk(&word(1))),
        "EVALSHA" | "EVAL" => script(source, words),
        // AUTH, SELECT, CLIENT
        _ => "+OK\r\n".to_owned(),
    };
    text.into_bytes()
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn info(source: &mut Source, section: &str) -> String {
    match section {
        "server" => bulk("# Server\r\nrun_id:abc\r\nuptime_in_seconds:7\r\n"),
        "replication" => bulk("role:master\r\nmaster_replid:ab\r\nmaster_replid2:00\r\n"),
        _ if source.percent(10) => "-NOPERM no\r\n".to_owned(),
        _ => bulk("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n"),
    }
}

fn script(source: &mut Source, words: &[Vec<u8>]) -> String {
    if words[0] == b"EVALSHA" && source.percent(5) {
        return "-NOSCRIPT No matching script. Please use EVAL.\r\n".to_owned();
    }
    let keys: usize = String::from_utf8_lossy(&words[2]).parse().unwrap();
    let call = call_of(&words[1]).expect("we call our own scripts only");
    let is_fenced = !matches!(call, Call::Extend | Call::Release);
    let mut one = || match call {
        Call::AcquireFenced if source.percent(20) => bulk("1750000000000000"),
        Call::AcquireFenced if source.percent(10) => bulk("-1750000000000000"),
        _ => format!(":{}\r\n", source.below(2)),
    };
    if !answers_in_a_list(&words[1]) {
        return one();
    }
    let count = if is_fenced { keys / 2 } else { keys };
    (0..count).fold(format!("*{count}\r\n"), |list, _| list + &one())
}
