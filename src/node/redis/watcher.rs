//! A connection on which a server tells when keys are released: by the invalidations that RESP3 clients get of keys they
//! have read. Whoever waits for a key also subscribes to its channel, on which nothing is ever published: so that
//! holders can count who waits.

use std::collections::BTreeSet;
use std::str;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, ProtocolVersion, PushInfo, PushKind, Value};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::sync::mpsc::{self, Receiver};

use super::connect::{credentials, dial};
use super::options::{Address, Options};
use super::socket::{Manners, Socket};
use super::{fault, tls};
use crate::node::{Fault, FaultCode, Sighting, Watch};

pub(crate) struct RedisWatcher {
    connection: MultiplexedConnection,
    manners: Arc<Manners>,
    /// Keys that may be free, and nothing where all may be.
    freed: Receiver<Arc<str>>,
    /// The keys whose channels are subscribed to.
    present: BTreeSet<Arc<str>>,
    /// Why holders cannot count the processes that wait.
    refusal: Option<Arc<str>>,
}

const CHANNEL: &str = ":quorlock:wake";
/// Keys that may wait to be looked at again. A server that sends more at once is connected to anew, which looks at all.
const FREED: usize = 16_384;
/// Longest key that anybody waits for, in bytes: half of it may be the prefix. `js/` refuses longer ones.
const KEY_LENGTH: usize = 1024;
/// More processes that wait for a key than are reckoned with: who lets others go first stays out a millisecond for each.
const OTHERS_MAX: i64 = 256;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl RedisWatcher {
    /// Connects, or says why not. The caller limits the time.
    pub(crate) async fn connect(options: &Options, password: Option<&str>) -> Result<Self, Fault> {
        let stream: Box<dyn Stream> = match &options.address {
            #[cfg(not(unix))]
            Address::Unix { .. } => return Err(Fault::new(FaultCode::Connect, "this platform has no unix sockets")),
            #[cfg(unix)]
            Address::Unix { path } => {
                Box::new(UnixStream::connect(path).await.map_err(|error| fault::from_io(&error, "connect"))?)
            }
            Address::Tcp { host, port } => {
                let stream = dial(host, *port).await?;
                match &options.tls {
                    None => Box::new(stream),
                    Some(settings) => Box::new(tls::wrap(settings, host, stream).await?),
                }
            }
        };
        Self::greet(options, password, stream).await
    }

    pub(super) async fn greet<S>(options: &Options, password: Option<&str>, stream: S) -> Result<Self, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, manners) = Socket::new(stream);
        let (sender, freed) = mpsc::channel(FREED);
        // Dropped when there is no room, so that the receiver hears of an end.
        let (sender, listener) = (Mutex::new(Some(sender)), manners.clone());
        let hear = move |push: PushInfo| {
            listener.receive(0);
            pass_on(&push, &mut sender.lock().unwrap_or_else(PoisonError::into_inner));
            Ok::<(), ()>(())
        };
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None).set_push_sender(hear);
        let info = credentials(options, password).set_protocol(ProtocolVersion::RESP3);
        let connected = MultiplexedConnection::new_with_config(&info, stream, config).await;
        let (connection, driver) = connected.map_err(|error| fault::from_connection(&error))?;
        // Ends with the connection.
        tokio::spawn(driver);
        let mut watcher = Self { connection, manners, freed, present: BTreeSet::new(), refusal: None };
        let mut pipeline = Pipeline::new();
        pipeline.cmd("CLIENT").arg("TRACKING").arg("ON");
        if let Some(name) = &options.client_name {
            pipeline.cmd("CLIENT").arg("SETNAME").arg(name);
        }
        match watcher.send(&pipeline).await?.first() {
            Some(Value::Okay) => Ok(watcher),
            Some(Value::ServerError(error)) => Err(fault::from_server(error)),
            _ => Err(unexpected()),
        }
    }

    async fn send(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, Fault> {
        self.manners.expect(pipeline.len());
        let values = self.connection.send_packed_commands(pipeline, 0, pipeline.len()).await;
        self.manners.receive(pipeline.len());
        values.map_err(|error| fault::from_connection(&error))
    }

    /// Does what is asked, in one round trip. What could not be seen is left out.
    pub(crate) async fn ask(&mut self, watches: Vec<Watch>) -> Result<Vec<Sighting>, Fault> {
        let mut pipeline = Pipeline::new();
        let mut asked = Vec::new();
        for watch in watches {
            let subscribes = match &watch {
                Watch::Arm(key) => {
                    let subscribes = self.present.insert(key.clone());
                    if subscribes {
                        pipeline.cmd("SUBSCRIBE").arg(channel(key));
                    }
                    pipeline.cmd("PTTL").arg(&**key);
                    pipeline.cmd("PUBSUB").arg("NUMSUB").arg(channel(key));
                    subscribes
                }
                Watch::Count(key) => {
                    pipeline.cmd("PUBSUB").arg("NUMSUB").arg(channel(key));
                    false
                }
                Watch::Drop(key) => {
                    if !self.present.remove(key) {
                        continue;
                    }
                    pipeline.cmd("UNSUBSCRIBE").arg(channel(key));
                    false
                }
            };
            asked.push((watch, subscribes));
        }
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = self.send(&pipeline).await?.into_iter();
        let mut sightings = Vec::new();
        for (watch, subscribes) in asked {
            if subscribes {
                self.heed(values.next().as_ref());
            }
            match watch {
                Watch::Arm(key) => {
                    let (remaining, count) = (values.next(), values.next());
                    let others = self.others(&key, count.as_ref());
                    if let Some(Value::Int(ms)) = remaining {
                        // One without a time to live never lets go by itself: nothing is to be said of it.
                        let remaining = (ms >= 0).then(|| Duration::from_millis(ms.unsigned_abs()));
                        if ms != -1 {
                            sightings.push(Sighting::Armed { key, remaining, others });
                        }
                    }
                }
                Watch::Count(key) => {
                    let count = values.next();
                    let others = self.others(&key, count.as_ref());
                    if let Some(Value::Array(_) | Value::Map(_)) = count {
                        sightings.push(Sighting::Counted { key, others });
                    }
                }
                Watch::Drop(_) => self.heed(values.next().as_ref()),
            }
        }
        Ok(sightings)
    }

    fn heed(&mut self, answer: Option<&Value>) {
        if let Some(Value::ServerError(error)) = answer {
            self.refusal = Some(fault::from_server(error).message);
        }
    }

    fn others(&mut self, key: &Arc<str>, count: Option<&Value>) -> u32 {
        self.heed(count);
        let count = match count {
            Some(Value::Array(pair)) => pair.get(1).cloned(),
            Some(Value::Map(pairs)) => pairs.first().map(|(_, count)| count.clone()),
            _ => None,
        };
        let own = i64::from(self.refusal.is_none() && self.present.contains(key));
        match count {
            Some(Value::Int(count)) => count.saturating_sub(own).clamp(0, OTHERS_MAX) as u32,
            _ => 0,
        }
    }

    /// What holders cannot know because the server's ACL withholds it, in words; once.
    pub(crate) fn refusal(&self) -> Option<&Arc<str>> {
        self.refusal.as_ref()
    }

    /// The next releases of keys that were looked at. `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Vec<Sighting>> {
        let mut keys = Vec::new();
        let count = self.freed.recv_many(&mut keys, FREED).await;
        (count > 0).then(|| keys.into_iter().map(|key| Sighting::Freed { key }).collect())
    }
}

/// Takes the sender away when no more can be passed on.
fn pass_on(push: &PushInfo, sender: &mut Option<mpsc::Sender<Arc<str>>>) {
    match push.kind {
        PushKind::Disconnection => *sender = None,
        PushKind::Invalidate => {
            for key in freed(&push.data) {
                if sender.as_ref().is_some_and(|open| open.try_send(key).is_err()) {
                    *sender = None;
                }
            }
        }
        _ => {}
    }
}

fn channel(key: &str) -> String {
    [key, CHANNEL].concat()
}

/// A whole flush has no keys: then nothing is said, and who waits polls.
fn freed(data: &[Value]) -> impl Iterator<Item = Arc<str>> {
    let keys = match data.first() {
        Some(Value::Array(keys)) => keys.as_slice(),
        _ => &[],
    };
    let text = |value: &Value| match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok().map(Arc::from),
        Value::SimpleString(text) => Some(text.as_str().into()),
        _ => None,
    };
    keys.iter().filter_map(text).filter(|key: &Arc<str>| key.len() <= KEY_LENGTH)
}

fn unexpected() -> Fault {
    Fault::new(FaultCode::Protocol, "the server gave an answer that does not fit CLIENT TRACKING")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalidation_names_the_keys_that_may_be_free() {
        let named = |data: &[Value]| freed(data).collect::<Vec<_>>();
        let long = Value::BulkString(vec![b'a'; KEY_LENGTH + 1]);
        let keys = Value::Array(vec![Value::BulkString(b"a".to_vec()), Value::BulkString(vec![0xff]), long]);
        assert_eq!(named(&[keys]), [Arc::<str>::from("a")]);
        assert!(named(&[Value::Nil]).is_empty());
        assert!(named(&[]).is_empty());
    }

    #[test]
    fn more_releases_than_can_wait_end_the_connection() {
        let push = |count: usize| PushInfo {
            kind: PushKind::Invalidate,
            data: vec![Value::Array(vec![Value::BulkString(b"a".to_vec()); count])],
        };
        let (sender, mut receiver) = mpsc::channel(3);
        let mut sender = Some(sender);
        pass_on(&push(3), &mut sender);
        assert!(sender.is_some());
        pass_on(&push(1), &mut sender);
        assert!(sender.is_none());
        assert_eq!(std::iter::from_fn(|| receiver.try_recv().ok()).count(), 3);
        assert_eq!(receiver.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }
}
