//! Requests as Redis commands, and Redis values as replies.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::{Cmd, Pipeline, Script, Value};

use super::fault;
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Fault, FaultCode, Holding, Reply, Request};

static EXTEND: LazyLock<Script> = LazyLock::new(|| Script::new(EXTEND_SOURCE));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(RELEASE_SOURCE));

pub(super) const EXTEND_SOURCE: &str = include_str!("scripts/extend.lua");
pub(super) const RELEASE_SOURCE: &str = include_str!("scripts/release.lua");

/// Bytes of a value that are read of a held key: an id and one more, which tells a longer value from an id.
const PROBE_END: usize = HEX_LENGTH;

/// How a script is named to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptForm {
    Hash,
    /// The server does not know the hash (any more): the text goes along, and is known from then on.
    Source,
}

/// Values that the server sends back for one request.
pub(super) fn value_count(request: &Request) -> usize {
    match request.command {
        Command::Probe => request.keys.len() * 2,
        _ => request.keys.len(),
    }
}

pub(super) fn pack(request: &Request, form: ScriptForm, pipeline: &mut Pipeline) {
    let mut buffer = [0; HEX_LENGTH];
    let id = request.id.hex(&mut buffer);
    for key in request.keys.iter() {
        match request.command {
            Command::Acquire { ttl_ms } => {
                let mut cmd = Cmd::with_capacity(6, key.len() + 64);
                cmd.arg("SET").arg(key).arg(id).arg("NX").arg("PX").arg(ttl_ms);
                pipeline.add_command(cmd);
            }
            Command::Extend { ttl_ms } => {
                let mut cmd = script(&EXTEND, EXTEND_SOURCE, form, key, id);
                cmd.arg(ttl_ms);
                pipeline.add_command(cmd);
            }
            Command::Release => {
                pipeline.add_command(script(&RELEASE, RELEASE_SOURCE, form, key, id));
            }
            Command::Probe => {
                pipeline.cmd("GETRANGE").arg(key).arg(0).arg(PROBE_END).cmd("PTTL").arg(key);
            }
        }
    }
}

fn script(script: &Script, source: &str, form: ScriptForm, key: &str, id: &str) -> Cmd {
    let mut cmd = Cmd::with_capacity(6, key.len() + 128);
    match form {
        ScriptForm::Hash => cmd.arg("EVALSHA").arg(script.get_hash()),
        ScriptForm::Source => cmd.arg("EVAL").arg(source),
    };
    cmd.arg(1).arg(key).arg(id);
    cmd
}

/// The server does not know the script: the request must be sent again, with its text.
pub(super) fn lacks_script(values: &[Value]) -> bool {
    values.iter().any(|value| matches!(value, Value::ServerError(error) if error.code() == "NOSCRIPT"))
}

/// Reads one request's values. What does not fit the command never counts as a vote.
pub(super) fn read(request: &Request, values: &[Value]) -> Reply {
    if request.command == Command::Probe {
        return Reply::Probed(values.chunks(2).map(read_holding).collect());
    }
    let (mut yes, mut no, mut fault) = (0, 0, None);
    for (index, value) in values.iter().enumerate() {
        match read_vote(request.command, value) {
            Ok(true) => yes |= 1 << index,
            Ok(false) => no |= 1 << index,
            Err(error) => fault = Some(error),
        }
    }
    Reply::Voted { yes, no, fault }
}

fn read_vote(command: Command, value: &Value) -> Result<bool, Fault> {
    match (command, value) {
        (_, Value::ServerError(error)) => Err(fault::from_server(error)),
        (Command::Acquire { .. }, Value::Okay) => Ok(true),
        (Command::Acquire { .. }, Value::Nil) => Ok(false),
        (Command::Extend { .. }, Value::Int(1)) => Ok(true),
        (Command::Extend { .. }, Value::Int(0)) => Ok(false),
        // Whether it still held the lock makes no difference: it does not now.
        (Command::Release, Value::Int(0 | 1)) => Ok(true),
        _ => Err(unexpected(command)),
    }
}

fn read_holding(values: &[Value]) -> Holding {
    match values {
        [Value::ServerError(error), _] if error.code() == "WRONGTYPE" => {
            Holding::NotALock("the key holds another type of value, which no lock wrote".into())
        }
        [Value::ServerError(error), _] | [_, Value::ServerError(error)] => Holding::Faulted(fault::from_server(error)),
        [_, Value::Int(-2)] => Holding::Free,
        [_, Value::Int(-1)] => {
            Holding::NotALock("the key has no time to live: whatever wrote it was not a lock".into())
        }
        [Value::BulkString(value), Value::Int(ms @ 0..)] => Holding::Held {
            value: String::from_utf8_lossy(value).into(),
            remaining: Duration::from_millis(ms.unsigned_abs()),
        },
        _ => Holding::Faulted(unexpected(Command::Probe)),
    }
}

fn unexpected(command: Command) -> Fault {
    let message: Arc<str> = format!("the server gave an answer that does not fit the request ({command:?})").into();
    Fault { code: FaultCode::Protocol, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Id, Keys, Tag};

    fn request(command: Command, keys: Keys) -> Request {
        Request { tag: Tag { slot: 0, generation: 0, round: 0 }, command, keys, id: Id::NIL }
    }

    fn packed(request: &Request, form: ScriptForm) -> String {
        let mut pipeline = Pipeline::new();
        pack(request, form, &mut pipeline);
        String::from_utf8(pipeline.get_packed_pipeline()).unwrap()
    }

    #[test]
    fn acquire_is_a_plain_set() {
        let text = packed(&request(Command::Acquire { ttl_ms: 5000 }, Keys::one("k")), ScriptForm::Hash);
        let id = "0".repeat(32);
        assert_eq!(
            text,
            format!("*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$32\r\n{id}\r\n$2\r\nNX\r\n$2\r\nPX\r\n$4\r\n5000\r\n")
        );
    }

    #[test]
    fn a_script_goes_by_its_hash_or_with_its_text() {
        let release = request(Command::Release, Keys::one("k"));
        assert!(packed(&release, ScriptForm::Hash).contains(RELEASE.get_hash()));
        assert!(packed(&release, ScriptForm::Source).contains("redis.call('DEL', KEYS[1])"));
    }

    #[test]
    fn every_key_has_its_own_bit() {
        let keys = Keys::many(vec!["a".into(), "b".into(), "c".into()]);
        let request = request(Command::Acquire { ttl_ms: 10 }, keys);
        assert_eq!(value_count(&request), 3);
        let reply = read(&request, &[Value::Okay, Value::Nil, Value::Okay]);
        assert_eq!(reply, Reply::Voted { yes: 0b101, no: 0b010, fault: None });
    }

    #[test]
    fn a_value_that_does_not_fit_is_a_fault_and_never_a_vote() {
        let fit = |command, value: &Value| matches!(command, Command::Release) && matches!(value, Value::Int(0 | 1));
        let values = [Value::Int(7), Value::SimpleString("yes".into()), Value::Array(vec![]), Value::Double(1.0)];
        for command in [Command::Acquire { ttl_ms: 10 }, Command::Extend { ttl_ms: 10 }, Command::Release] {
            for value in &values {
                assert!(!fit(command, value));
                let Reply::Voted { yes, no, fault } =
                    read(&request(command, Keys::one("k")), std::slice::from_ref(value))
                else {
                    panic!("a vote was expected")
                };
                assert_eq!((yes, no, fault.map(|fault| fault.code)), (0, 0, Some(FaultCode::Protocol)));
            }
        }
    }

    #[test]
    fn a_probe_tells_a_lock_from_what_is_none() {
        let bulk = Value::BulkString(b"id".to_vec());
        let held = Holding::Held { value: "id".into(), remaining: Duration::from_millis(7) };
        assert_eq!(read_holding(&[bulk.clone(), Value::Int(7)]), held);
        assert_eq!(read_holding(&[Value::BulkString(vec![]), Value::Int(-2)]), Holding::Free);
        assert!(matches!(read_holding(&[bulk, Value::Int(-1)]), Holding::NotALock(_)));
        assert!(matches!(read_holding(&[Value::Okay, Value::Okay]), Holding::Faulted(_)));
        assert!(matches!(read_holding(&[]), Holding::Faulted(_)));
    }
}
