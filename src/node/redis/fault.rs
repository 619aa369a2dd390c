//! Errors of the server and of the connection, as faults of a vote. No text of ours or theirs has a password in it.

use std::io;

use redis::{ErrorKind, RedisError, ServerError};

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

pub(super) fn from_server(error: &ServerError) -> Fault {
    let details = error.details().unwrap_or_default();
    let text = format!("{} {details}", error.code());
    // Redis 7.0 says so of a command that a script calls.
    let code =
        if details.contains("user executing the script can't") { FaultCode::NoPerm } else { code_of(error.code()) };
    Fault::new(code, text.trim_end())
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
