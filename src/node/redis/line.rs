//! A socket whose readiness is watched either by the I/O thread or by an event loop of the embedder.
//!
//! Bytes move on whichever thread pumps the connection. Who is told that bytes have come is a matter of its own, and
//! changes while the connection lives: see `RedisNode`.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use socket2::{SockRef, Socket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Handle;

use crate::node::Watched;

/// The socket, registered with the I/O thread's reactor or with nothing.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Bare {
        socket: Socket,
        is_unix: bool,
    },
    /// A change failed half-way.
    Gone,
}

pub(crate) struct Line {
    stream: Mutex<Stream>,
    handle: Handle,
    /// The event loop watches. Written under the lock of `stream`.
    on_loop: AtomicBool,
    /// There may be something to read that no reactor reports.
    readable: AtomicBool,
    /// The kernel took no more bytes: only the I/O thread can be told when it does.
    blocked: AtomicBool,
}

impl Line {
    fn new(stream: Stream) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(stream),
            handle: Handle::current(),
            on_loop: AtomicBool::new(false),
            readable: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
        })
    }

    /// Watched by the I/O thread, on which it is made.
    pub(super) fn tcp(stream: TcpStream) -> Arc<Self> {
        Self::new(Stream::Tcp(stream))
    }

    pub(super) fn unix(stream: UnixStream) -> Arc<Self> {
        Self::new(Stream::Unix(stream))
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A descriptor of its own for whoever watches: closing the line makes it readable, and does not pull it away.
    pub(super) fn descriptor(&self) -> io::Result<Watched> {
        match &*self.stream() {
            Stream::Tcp(stream) => stream.as_fd().try_clone_to_owned(),
            Stream::Unix(stream) => stream.as_fd().try_clone_to_owned(),
            Stream::Bare { socket, .. } => socket.as_fd().try_clone_to_owned(),
            Stream::Gone => Err(gone()),
        }
    }

    pub(crate) fn is_on_loop(&self) -> bool {
        self.on_loop.load(Ordering::SeqCst)
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::SeqCst)
    }

    /// The event loop has found it readable.
    pub(crate) fn note_readable(&self) {
        self.readable.store(true, Ordering::SeqCst);
    }

    /// From now on the event loop watches; by the level, so that nothing which came before is missed.
    pub(super) fn give_to_loop(&self) -> io::Result<()> {
        if self.is_on_loop() || self.is_blocked() {
            return Ok(());
        }
        let mut stream = self.stream();
        *stream = match std::mem::replace(&mut *stream, Stream::Gone) {
            Stream::Tcp(stream) => Stream::Bare { socket: stream.into_std()?.into(), is_unix: false },
            Stream::Unix(stream) => Stream::Bare { socket: stream.into_std()?.into(), is_unix: true },
            other => other,
        };
        self.on_loop.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// From now on the I/O thread watches. The next pump looks for what came before.
    pub(super) fn give_to_io_thread(&self) -> io::Result<()> {
        if !self.is_on_loop() {
            return Ok(());
        }
        let mut stream = self.stream();
        let _context = self.handle.enter();
        *stream = match std::mem::replace(&mut *stream, Stream::Gone) {
            Stream::Bare { socket, is_unix: false } => Stream::Tcp(TcpStream::from_std(socket.into())?),
            Stream::Bare { socket, is_unix: true } => Stream::Unix(UnixStream::from_std(socket.into())?),
            other => other,
        };
        self.on_loop.store(false, Ordering::SeqCst);
        self.readable.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Ends the connection for both sides, whoever still has a descriptor of it.
    pub(super) fn close(&self) {
        self.on_loop.store(false, Ordering::SeqCst);
        // Fails where the other side was faster.
        let _ = match &*self.stream() {
            Stream::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Both),
            Stream::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Both),
            Stream::Bare { socket, .. } => socket.shutdown(Shutdown::Both),
            Stream::Gone => Ok(()),
        };
    }

    /// A read that asks no reactor first; `None` when there is nothing yet.
    fn read_now(&self, mut source: impl Read, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        while self.readable.load(Ordering::SeqCst) {
            let space = buffer.initialize_unfilled();
            match source.read(space) {
                Ok(count) => {
                    // Less than there was space for was all that there was; only the end of the stream stays.
                    self.readable.store(count == space.len() || count == 0, Ordering::SeqCst);
                    buffer.advance(count);
                    return Some(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable.store(false, Ordering::SeqCst),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

/// A write that asks no reactor.
fn write_now(mut socket: &Socket, bytes: &[u8]) -> Poll<io::Result<usize>> {
    loop {
        match socket.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            result => return Poll::Ready(result),
        }
    }
}

/// The end that redis-rs reads and writes.
pub(super) struct LineStream(pub(super) Arc<Line>);

impl AsyncRead for LineStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = &self.0;
        let mut stream = line.stream();
        let now = match &*stream {
            Stream::Tcp(stream) => line.read_now(&*SockRef::from(stream), buffer),
            Stream::Unix(stream) => line.read_now(&*SockRef::from(stream), buffer),
            Stream::Bare { socket, .. } => line.read_now(socket, buffer),
            Stream::Gone => Some(Err(gone())),
        };
        match (now, &mut *stream) {
            (Some(result), _) => Poll::Ready(result),
            (None, Stream::Tcp(stream)) => Pin::new(stream).poll_read(cx, buffer),
            (None, Stream::Unix(stream)) => Pin::new(stream).poll_read(cx, buffer),
            (None, Stream::Bare { .. } | Stream::Gone) => Poll::Pending,
        }
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = match &mut *self.0.stream() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Bare { socket, .. } => write_now(socket, bytes),
            Stream::Gone => Poll::Ready(Err(gone())),
        };
        self.0.blocked.store(result.is_pending(), Ordering::SeqCst);
        result
    }

    /// Nothing is held back.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.0.stream() {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Bare { socket, .. } => Poll::Ready(socket.shutdown(Shutdown::Write)),
            Stream::Gone => Poll::Ready(Err(gone())),
        }
    }
}
