//! One request as Redis commands, and Redis values as its reply.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};

use super::fault;
use super::fenced::Wish;
use super::script::{EXTEND, Form, OwnRelease, RELEASE};
use crate::node::id::HEX_LENGTH;
use crate::node::{Command, Fault, FaultCode, Holding, Reply, Request};

/// Bytes of a value that are read of a held key: an id and one more, which tells a longer value from an id.
const PROBE_END: usize = HEX_LENGTH;

pub(super) fn pack(request: &Request, form: Form, pipeline: &mut Pipeline) {
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
                let mut cmd = EXTEND.call(form, 1, key.len() + 128);
                cmd.arg(key).arg(id).arg(ttl_ms);
                pipeline.add_command(cmd);
            }
            Command::Release => {
                let mut cmd = match form.own_release {
                    Some(own) => Cmd::with_capacity(4, key.len() + 64).arg(own.name()).take(),
                    None => RELEASE.call(form, 1, key.len() + 128),
                };
                cmd.arg(key);
                if form.own_release == Some(OwnRelease::Delex) {
                    cmd.arg("IFEQ");
                }
                cmd.arg(id);
                pipeline.add_command(cmd);
            }
            Command::Probe => {
                pipeline.cmd("GETRANGE").arg(key).arg(0).arg(PROBE_END).cmd("PTTL").arg(key);
            }
        }
    }
}

/// Reads the values of one request. What does not fit the command never counts as a vote.
pub(super) fn read(request: &Request, values: &[Value]) -> Reply {
    if request.command == Command::Probe {
        return Reply::Probed(values.chunks(2).map(read_holding).collect());
    }
    if values.is_empty() {
        return Reply::fault(unexpected(request.command));
    }
    let (mut yes, mut no, mut fault, mut wish) = (0, 0, None, Wish::default());
    for (index, value) in values.iter().enumerate() {
        if may_be_outbid(request) && wish.read(value) {
            continue;
        }
        match read_vote(request, value) {
            Ok(true) => yes |= 1 << index,
            Ok(false) => no |= 1 << index,
            Err(error) => fault = Some(error),
        }
    }
    match wish.reply() {
        Some(reply) if no == 0 && fault.is_none() => reply,
        _ => Reply::Voted { yes, no, fault },
    }
}

fn may_be_outbid(request: &Request) -> bool {
    request.tokens.is_some() && matches!(request.command, Command::Acquire { .. })
}

fn read_vote(request: &Request, value: &Value) -> Result<bool, Fault> {
    let (command, is_fenced) = (request.command, request.tokens.is_some());
    match (command, value) {
        (Command::Acquire { .. }, Value::Int(granted @ (0 | 1))) if is_fenced => Ok(*granted == 1),
        (Command::Release, Value::ServerError(error)) if error.code() == "WRONGTYPE" => Ok(true),
        (_, Value::ServerError(error)) => Err(fault::from_server(error)),
        (Command::Acquire { .. }, Value::Okay) if !is_fenced => Ok(true),
        (Command::Acquire { .. }, Value::Nil) if !is_fenced => Ok(false),
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
