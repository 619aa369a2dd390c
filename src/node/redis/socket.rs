//! A stream that notices when the other side does not keep to the protocol. redis-rs drops the connection then, and
//! says no more than that it is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a reply may begin with, in RESP2 and RESP3.
const REPLY_TYPES: &[u8] = b"+-:$*_#,(!=%~>|";

/// What has been seen of the other side's manners.
#[derive(Default)]
pub(super) struct Manners {
    /// What should have been the beginning of a reply was none.
    alien: AtomicBool,
    bytes_read: AtomicU64,
}

impl Manners {
    pub(super) fn are_alien(&self) -> bool {
        self.alien.load(Ordering::Relaxed)
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

pub(super) struct Socket<S> {
    stream: S,
    /// What has been read so far may be whole replies: it ends where a reply can end.
    at_boundary: bool,
    manners: Arc<Manners>,
}

impl<S> Socket<S> {
    pub(super) fn new(stream: S) -> (Self, Arc<Manners>) {
        let manners = Arc::<Manners>::default();
        (Self { stream, at_boundary: true, manners: manners.clone() }, manners)
    }

    fn look(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first() {
            // Looked at only once the connection has failed, so that a read which begins inside a reply does no harm.
            let alien = self.at_boundary && !REPLY_TYPES.contains(first);
            self.manners.alien.store(alien, Ordering::Relaxed);
            self.manners.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            self.at_boundary = bytes.ends_with(b"\r\n");
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(bytes) = buffer.filled().get(before..) {
            self.look(bytes);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn is_alien(bytes: &'static [u8]) -> bool {
        let (mut socket, manners) = Socket::new(bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(socket.read_to_end(&mut Vec::new())).unwrap();
        manners.are_alien()
    }

    #[test]
    fn tells_resp_from_what_is_not() {
        assert!(!is_alien(b"-ERR no\r\n"));
        assert!(!is_alien(b"%1\r\n"));
        assert!(!is_alien(b""));
        assert!(is_alien(b"HTTP/1.1 400 Bad Request\r\n"));
        assert!(is_alien(b"\x15\x03\x01"));
    }
}
