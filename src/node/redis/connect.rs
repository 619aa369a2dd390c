//! From an address to a live link: socket, TLS, handshake, and a look at who answers.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::handshake::{Greeting, look, own_release, questions};
use super::line::Line;
#[cfg(unix)]
use super::line::LineStream;
use super::link::Link;
use super::options::{Address, Options};
use super::script::Form;
use super::socket::{Manners, Socket};
use super::{fault, tls};
use crate::node::{Fault, FaultCode};

pub(crate) struct Connected {
    pub(crate) link: Link,
    pub(crate) greeting: Greeting,
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

pub(super) async fn greet<S>(
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
    hands.map_err(|fault| manners.complaint().unwrap_or(fault))
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
    manners.receive(0);
    let questions = questions(options);
    let answers = tokio::select! {
        biased;
        () = &mut driver => return Err(Fault::new(FaultCode::Connect, "the connection was closed in the handshake")),
        answers = connection.send_packed_commands(&questions, 0, questions.len()) => answers,
    };
    let answers = answers.map_err(|error| fault::from_connection(&error))?;
    manners.receive(0);
    let greeting = look(&answers)?;
    let form = Form { own_release: own_release(&answers), ..Form::default() };
    let link = Link::new(connection, driver, manners, line, form, greeting.identity.run.is_some());
    Ok(Connected { link, greeting })
}
