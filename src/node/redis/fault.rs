//! Errors of the server and of the connection, as faults of a vote. No text of ours or theirs has a password in it.

use std::io;

use redis::{ErrorKind, RedisError, ServerError, Value};

use crate::node::{Fault, FaultCode};

fn code_of(code: &str) -> FaultCode {
    match code {
        "NOAUTH" | "WRONGPASS" => FaultCode::Auth,
        "NOPERM" => FaultCode::NoPerm,
        "OOM" => FaultCode::Oom,
        // The server takes no writes: a replica, a failed snapshot, too few replicas.
        "READONLY" | "MISCONF" | "NOREPLICAS" => FaultCode::ReadOnly,
        // It will take them in a while.
        "LOADING" | "BUSY" | "MASTERDOWN" | "TRYAGAIN" => FaultCode::Loading,
        "WRONGTYPE" => FaultCode::NotALock,
        _ => FaultCode::Protocol,
    }
}

/// Of a command that a script calls and the ACL withholds: Redis up to 7.0; Redis from 7.2 on, and Valkey.
const DENIED_IN_SCRIPT: [&str; 2] = ["user executing the script can't", "ACL failure in script"];

pub(super) fn from_server(error: &ServerError) -> Fault {
    let details = error.details().unwrap_or_default();
    let text = format!("{} {details}", error.code());
    let is_denied = DENIED_IN_SCRIPT.iter().any(|words| details.contains(words));
    let code = if is_denied { FaultCode::NoPerm } else { code_of(error.code()) };
    Fault::new(code, text.trim_end())
}

/// The server has become a replica since it was asked for its role. Redis 6.2 says so within the words of a script.
pub(super) fn is_demotion(value: &Value) -> bool {
    let Value::ServerError(error) = value else { return false };
    error.code() == "READONLY" || error.details().is_some_and(|details| details.contains("-READONLY "))
}

pub(super) fn demotion() -> Fault {
    Fault::new(FaultCode::ReadOnly, "the server has become a replica")
}

/// The connection failed, while it was made or later.
pub(super) fn from_connection(error: &RedisError) -> Fault {
    let code = match error.kind() {
        ErrorKind::AuthenticationFailed => FaultCode::Auth,
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => FaultCode::Protocol,
        _ if error.is_timeout() => FaultCode::Timeout,
        _ => error.code().map_or(FaultCode::Connect, code_of),
    };
    if error.is_connection_dropped() {
        return Fault::new(code, "the connection was closed");
    }
    Fault::new(code, error.to_string())
}

pub(super) fn from_io(error: &io::Error, doing: &str) -> Fault {
    let code = if error.kind() == io::ErrorKind::TimedOut { FaultCode::Timeout } else { FaultCode::Connect };
    Fault::new(code, format!("{doing}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_denied_to_a_script_is_a_missing_right_on_every_server() {
        let code = |line: &str| match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap() {
            Value::ServerError(error) => from_server(&error).code,
            other => panic!("{other:?}"),
        };
        let denied = [
            "ERR Error running script (call to f_1): @user_script:1: The user executing the script can't run this command",
            "ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:1.",
            "ERR ACL failure in script: User u has no permissions to run the 'time' command script: 1, on @user_script:1.",
            "NOPERM User u has no permissions to run the 'time' command",
        ];
        for line in denied {
            assert_eq!(code(line), FaultCode::NoPerm, "{line}");
        }
        assert_eq!(code("ERR unknown command 'TIME'"), FaultCode::Protocol);
    }

    #[test]
    fn a_demotion_is_told_from_other_reasons_to_take_no_writes() {
        let says = |line: &str| is_demotion(&redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap());
        assert!(says("READONLY You can't write against a read only replica."));
        assert!(says("ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write against"));
        assert!(!says("MISCONF Redis is configured to save RDB snapshots"));
        assert!(!says("NOREPLICAS Not enough good replicas to write."));
        assert!(!is_demotion(&Value::Okay));
    }
}
