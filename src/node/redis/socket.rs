//! A stream that notices when the other side does not speak RESP. redis-rs drops the connection then, and says no more
//! than that it is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a reply may begin with, in RESP2 and RESP3.
const REPLY_TYPES: &[u8] = b"+-:$*_#,(!=%~>|";

pub(super) struct Socket<S> {
    stream: S,
    /// Nothing has been read yet.
    fresh: bool,
    alien: Arc<AtomicBool>,
}

impl<S> Socket<S> {
    /// The stream, and whether it has turned out not to speak RESP.
    pub(super) fn new(stream: S) -> (Self, Arc<AtomicBool>) {
        let alien = Arc::new(AtomicBool::new(false));
        (Self { stream, fresh: true, alien: alien.clone() }, alien)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.fresh
            && let Some(first) = buffer.filled().get(before)
        {
            self.fresh = false;
            self.alien.store(!REPLY_TYPES.contains(first), Ordering::Relaxed);
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
        let (mut socket, alien) = Socket::new(bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(socket.read_to_end(&mut Vec::new())).unwrap();
        alien.load(Ordering::Relaxed)
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
