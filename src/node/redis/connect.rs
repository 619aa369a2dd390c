//! From an address to a live link: socket, TLS, handshake, and a look at who answers.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisConnectionInfo, Value};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::line::Line;
#[cfg(unix)]
use super::line::LineStream;
use super::link::{self, Link};
use super::options::{Address, Options};
use super::script::{Form, OwnRelease, SCRIPTS};
use super::socket::{Manners, Socket};
use super::{fault, tls};
use crate::node::{Fault, FaultCode, Identity};

pub(crate) struct Connected {
    pub(crate) link: Link,
    /// What tells this server from others, where it says so.
    pub(crate) identity: Identity,
    /// Rights that the server's ACL withholds, in words; the feature that needs them goes without.
    pub(crate) warning: Option<String>,
}

/// Batches that may wait in redis-rs' queue: more than can be in flight before a link counts as silent.
const QUEUE: usize = 4096;
/// Silence after which TCP asks whether the other side is still there, and between two such questions.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Bytes without acknowledgement close the connection after this long.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects, or says why not. The caller limits the time.
pub(crate) async fn connect(options: &Options, password: Option<&str>) -> Result<Connected, Fault> {
    match &options.address {
        #[cfg(not(unix))]
        Address::Unix { .. } => Err(Fault::new(FaultCode::Connect, "this platform has no unix sockets")),
        #[cfg(unix)]
        Address::Unix { path } => {
            let stream = UnixStream::connect(path).await.map_err(|error| fault::from_io(&error, "connect"))?;
            greet_on_line(options, password, Line::unix(stream)).await
        }
        Address::Tcp { host, port } => {
            let stream = dial(host, *port).await?;
            match &options.tls {
                #[cfg(not(unix))]
                None => greet(options, password, stream, None).await,
                #[cfg(unix)]
                None => greet_on_line(options, password, Line::tcp(stream)).await,
                Some(settings) => greet(options, password, tls::wrap(settings, host, stream).await?, None).await,
            }
        }
    }
}

pub(super) async fn dial(host: &str, port: u16) -> Result<TcpStream, Fault> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| fault::from_io(&error, "connect"))?;
    tune(&stream).map_err(|error| fault::from_io(&error, "set socket options"))?;
    Ok(stream)
}

fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    Ok(())
}

#[cfg(unix)]
async fn greet_on_line(options: &Options, password: Option<&str>, line: Arc<Line>) -> Result<Connected, Fault> {
    greet(options, password, LineStream(line.clone()), Some(line)).await
}

async fn greet<S>(
    options: &Options,
    password: Option<&str>,
    stream: S,
    line: Option<Arc<Line>>,
) -> Result<Connected, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (socket, manners) = Socket::new(stream);
    let hands = shake_hands(options, password, socket, manners.clone(), line).await;
    hands.map_err(|fault| if manners.are_alien() { link::alien() } else { fault })
}

pub(super) fn credentials(options: &Options, password: Option<&str>) -> RedisConnectionInfo {
    let mut info = RedisConnectionInfo::default().set_db(options.db).set_skip_set_lib_name();
    if let Some(username) = &options.username {
        info = info.set_username(username);
    }
    if let Some(password) = password {
        info = info.set_password(password);
    }
    info
}

/// The Redis handshake, and the questions that are asked once for each connection.
async fn shake_hands<S>(
    options: &Options,
    password: Option<&str>,
    stream: S,
    manners: Arc<Manners>,
    line: Option<Arc<Line>>,
) -> Result<Connected, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The library's name is told among the questions: redis-rs would overlook that the answer to it is not RESP.
    let info = credentials(options, password);
    // No response timeout of its own: the lock core has one for each request, and a late answer is still news.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUE);
    let connected = MultiplexedConnection::new_with_config(&info, stream, config).await;
    let (mut connection, driver) = connected.map_err(|error| fault::from_connection(&error))?;
    let mut driver: BoxFuture<'static, ()> = Box::pin(driver);
    let questions = questions(options);
    let answers = tokio::select! {
        biased;
        () = &mut driver => return Err(Fault::new(FaultCode::Connect, "the connection was closed in the handshake")),
        answers = connection.send_packed_commands(&questions, 0, questions.len()) => answers,
    };
    let answers = answers.map_err(|error| fault::from_connection(&error))?;
    let (identity, warning) = look(&answers)?;
    let form = Form { own_release: own_release(&answers), ..Form::default() };
    Ok(Connected { link: Link::new(connection, driver, manners, line, form), identity, warning })
}

/// One section of INFO a command: servers before 7.0 take no more.
const SECTIONS: [&str; 3] = ["server", "replication", "memory"];
/// Scripts and `SELECT` need more than one slot.
const CLUSTER: &str = "the server runs in cluster mode: nodes are independent servers";

fn questions(options: &Options) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for section in SECTIONS {
        pipeline.cmd("INFO").arg(section);
    }
    for script in SCRIPTS {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(script.source);
    }
    // Called wrongly on purpose: a server that knows it complains of that, before it looks at any rights.
    OwnRelease::ALL.iter().for_each(|own| {
        pipeline.cmd(own.name());
    });
    for (field, value) in [("LIB-NAME", "quorlock"), ("LIB-VER", env!("CARGO_PKG_VERSION"))] {
        // Unknown before Redis 7.2, and perhaps denied: a name is only for people.
        pipeline.cmd("CLIENT").arg("SETINFO").arg(field).arg(value);
    }
    if let Some(name) = &options.client_name {
        pipeline.cmd("CLIENT").arg("SETNAME").arg(name);
    }
    pipeline
}

/// Reads the answers to [`questions`]: who it is, whether it may vote at all, and what it refused to say.
fn look(answers: &[Value]) -> Result<(Identity, Option<String>), Fault> {
    for answer in answers {
        // It cannot vote now, whatever it would say later.
        if let Value::ServerError(error) = answer
            && matches!(error.code(), "NOAUTH" | "WRONGPASS" | "LOADING" | "BUSY" | "MASTERDOWN")
        {
            return Err(fault::from_server(error));
        }
    }
    let server = info(answers.first())?;
    let replication = info(answers.get(1))?;
    if let Some(role) = field(&replication, "role")
        && role != "master"
    {
        return Err(Fault::new(FaultCode::NotMaster, format!("the server is a {role}: only a primary can vote")));
    }
    if field(&server, "redis_mode") == Some("cluster") {
        return Err(Fault::new(FaultCode::Protocol, CLUSTER));
    }
    let refused = |index: usize| matches!(answers.get(index), Some(Value::ServerError(_)));
    let mut warnings = Vec::new();
    if refused(0) || refused(1) {
        warnings.push(
            "the server refuses INFO (two addresses of one server, replicas and restarts go unnoticed)".to_owned(),
        );
    }
    if (SECTIONS.len()..SECTIONS.len() + SCRIPTS.len()).any(refused) {
        warnings
            .push("the server refuses SCRIPT LOAD (the first release and extend send the script's text)".to_owned());
    }
    let memory = info(answers.get(2))?;
    if let Some(policy) = field(&memory, "maxmemory_policy")
        && policy != "noeviction"
        && field(&memory, "maxmemory") != Some("0")
    {
        warnings.push(format!("the server evicts keys when it is full (maxmemory-policy {policy}): locks may be lost"));
    }
    let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
    let uptime = field(&server, "uptime_in_seconds").and_then(|seconds| seconds.parse().ok());
    let identity = Identity { run: field(&server, "run_id").map(Arc::from), uptime: uptime.map(Duration::from_secs) };
    Ok((identity, warning))
}

/// The command that releases without a script, where there is one.
fn own_release(answers: &[Value]) -> Option<OwnRelease> {
    let is_known = |answer: &Value| match answer {
        Value::ServerError(error) => error.details().is_some_and(|text| text.starts_with("wrong number of arg")),
        _ => false,
    };
    let answers = answers.get(SECTIONS.len() + SCRIPTS.len()..)?;
    OwnRelease::ALL.into_iter().zip(answers).find(|(_, answer)| is_known(answer)).map(|(own, _)| own)
}

/// One section of INFO; nothing where the server refuses it. Whatever answers something else is no Redis.
fn info(answer: Option<&Value>) -> Result<String, Fault> {
    match answer {
        Some(Value::BulkString(bytes)) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Some(Value::VerbatimString { text, .. }) => Ok(text.clone()),
        Some(Value::ServerError(_)) => Ok(String::new()),
        _ => Err(Fault::new(FaultCode::Protocol, "the server does not answer INFO as a Redis server does")),
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn reads_identity_and_role() {
        let answers = [bulk("# Server\r\nrun_id:abc\r\nuptime_in_seconds:7\r\n"), bulk("role:master\r\n"), bulk("")];
        let identity = Identity { run: Some("abc".into()), uptime: Some(Duration::from_secs(7)) };
        assert_eq!(look(&answers), Ok((identity, None)));
    }

    #[test]
    fn a_server_in_cluster_mode_is_no_node() {
        let fault = look(&[bulk("redis_mode:cluster\r\n"), bulk("role:master\r\n"), bulk("")]).unwrap_err();
        assert!(fault.message.contains("cluster mode"), "{}", fault.message);
    }

    #[test]
    fn a_server_that_evicts_is_warned_about() {
        let warning = |memory: &str| look(&[bulk(""), bulk("role:master\r\n"), bulk(memory)]).unwrap().1;
        let text = warning("maxmemory:1000000\r\nmaxmemory_policy:allkeys-lru\r\n").unwrap();
        assert!(text.contains("allkeys-lru"), "{text}");
        assert_eq!(warning("maxmemory:1000000\r\nmaxmemory_policy:noeviction\r\n"), None);
        assert_eq!(warning("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n"), None);
    }

    #[test]
    fn a_replica_does_not_vote() {
        let fault = look(&[bulk("run_id:abc\r\n"), bulk("role:slave\r\n")]).unwrap_err();
        assert_eq!(fault.code, FaultCode::NotMaster);
    }

    #[test]
    fn a_server_that_refuses_to_say_is_taken_as_it_is_with_a_warning() {
        let refused = || match redis::parse_redis_value(b"-NOPERM no\r\n") {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        };
        let (identity, warning) = look(&[refused(), refused(), refused(), refused()]).unwrap();
        assert_eq!(identity, Identity::default());
        let warning = warning.unwrap();
        assert!(warning.contains("INFO") && warning.contains("SCRIPT LOAD"), "{warning}");
    }

    #[test]
    fn a_server_that_still_loads_does_not_vote_yet_and_is_not_accused_of_refusing() {
        let loading = redis::parse_redis_value(b"-LOADING Redis is loading the dataset in memory\r\n").unwrap();
        let fault = look(&[bulk("run_id:abc\r\n"), bulk("role:master\r\n"), loading]).unwrap_err();
        assert_eq!(fault.code, FaultCode::Loading);
    }

    #[test]
    fn a_server_that_complains_of_missing_arguments_knows_the_command() {
        let answer = |line: &[u8]| redis::parse_redis_value(line).unwrap();
        let knows =
            |last: [Value; 2]| own_release(&[vec![bulk(""); SECTIONS.len() + SCRIPTS.len()], last.to_vec()].concat());
        let wrong = answer(b"-ERR wrong number of arguments for 'delifeq' command\r\n");
        let unknown = answer(b"-ERR unknown command 'DELIFEQ', with args beginning with: \r\n");
        assert_eq!(knows([wrong.clone(), unknown.clone()]), Some(OwnRelease::Delifeq));
        assert_eq!(knows([unknown.clone(), wrong]), Some(OwnRelease::Delex));
        assert_eq!(knows([unknown.clone(), unknown]), None);
        assert_eq!(own_release(&[]), None);
    }

    #[test]
    fn what_says_ok_to_everything_is_no_redis() {
        for answers in [&[Value::Okay, Value::Okay][..], &[Value::Int(3)], &[]] {
            assert_eq!(look(answers).unwrap_err().code, FaultCode::Protocol);
        }
    }
}
