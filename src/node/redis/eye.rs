//! Looks into a real server past the lock's connection, and does there what other programs do. For the test that
//! compares it with a simulated one.

use redis::{Cmd, Connection, RedisError, RedisResult};

pub(crate) struct Eye(Connection);

impl Eye {
    /// By a Unix socket.
    pub(crate) fn open(socket: &str) -> Result<Self, String> {
        let connection = redis::Client::open(format!("unix:{socket}")).and_then(|client| client.get_connection());
        connection.map(Self).map_err(told)
    }

    /// What a key holds, or of which type it is, and its time to live as `PTTL` tells it.
    pub(crate) fn entry(&mut self, key: &str) -> Result<Option<(String, i64)>, String> {
        self.read(key).map_err(told)
    }

    fn read(&mut self, key: &str) -> RedisResult<Option<(String, i64)>> {
        let mut pipeline = redis::pipe();
        let (kind, ttl): (String, i64) = pipeline.cmd("TYPE").arg(key).cmd("PTTL").arg(key).query(&mut self.0)?;
        Ok(match kind.as_str() {
            "none" => None,
            "string" => Some((redis::cmd("GET").arg(key).query(&mut self.0)?, ttl)),
            _ => Some((kind, ttl)),
        })
    }

    pub(crate) fn flush(&mut self) -> Result<(), String> {
        self.run(&redis::cmd("FLUSHALL"))
    }

    pub(crate) fn set(&mut self, key: &str, value: &str, ttl_ms: Option<u64>) -> Result<(), String> {
        let mut cmd = redis::cmd("SET");
        cmd.arg(key).arg(value);
        if let Some(ttl_ms) = ttl_ms {
            cmd.arg("PX").arg(ttl_ms);
        }
        self.run(&cmd)
    }

    /// The key holds another type than a string.
    pub(crate) fn set_list(&mut self, key: &str) -> Result<(), String> {
        self.delete(key)?;
        self.run(redis::cmd("RPUSH").arg(key).arg("x"))
    }

    pub(crate) fn delete(&mut self, key: &str) -> Result<(), String> {
        self.run(redis::cmd("DEL").arg(key))
    }

    /// Out of memory, or as much as there is.
    pub(crate) fn set_full(&mut self, is_full: bool) -> Result<(), String> {
        let bytes = if is_full { "1" } else { "0" };
        self.run(redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes))
    }

    fn run(&mut self, cmd: &Cmd) -> Result<(), String> {
        cmd.exec(&mut self.0).map_err(told)
    }
}

fn told(error: RedisError) -> String {
    error.to_string()
}
