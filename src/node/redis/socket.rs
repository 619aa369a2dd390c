//! A stream that notices when the other side does not keep to the protocol, or sends more than any answer is long. redis-rs
//! drops the connection then, and says no more than that it is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame::{Breach, Frames};
use crate::node::{Fault, FaultCode};

/// Bytes that a server may send at any time, whatever it was asked for: INFO, pushes, texts of errors.
const BASE: u64 = 1 << 20;
/// Bytes that one value may have, of those that we ask for.
const PER_VALUE: u64 = 4096;

/// What has been seen of the other side's manners.
pub(super) struct Manners {
    alien: AtomicBool,
    /// More was sent, or announced, than can have been wanted.
    excessive: AtomicBool,
    bytes_read: AtomicU64,
    /// What the values that are owed may take.
    slack: AtomicU64,
    /// So many bytes may have been read; redis-rs keeps them all until they make a whole reply.
    limit: AtomicU64,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            alien: AtomicBool::new(false),
            excessive: AtomicBool::new(false),
            bytes_read: AtomicU64::new(0),
            slack: AtomicU64::new(BASE),
            limit: AtomicU64::new(BASE),
        }
    }
}

impl Manners {
    /// Why the connection failed, where that is the other side's manners.
    pub(super) fn complaint(&self) -> Option<Fault> {
        let text = if self.alien.load(Ordering::Relaxed) {
            "whatever answers there does not speak the Redis protocol"
        } else if self.excessive.load(Ordering::Relaxed) {
            "the server sent more than it was asked for"
        } else {
            return None;
        };
        Some(Fault::new(FaultCode::Protocol, text))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// So many values more are owed.
    pub(super) fn expect(&self, values: usize) {
        let bytes = PER_VALUE * values as u64;
        self.slack.fetch_add(bytes, Ordering::Relaxed);
        self.limit.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many values less are owed: whatever has been read for them is no longer kept.
    pub(super) fn receive(&self, values: usize) {
        let bytes = PER_VALUE * values as u64;
        let slack = self.slack.fetch_sub(bytes, Ordering::Relaxed) - bytes;
        self.limit.store(self.bytes_read() + slack, Ordering::Relaxed);
    }

    /// Takes note of what has been read.
    fn look(&self, frames: &mut Frames, bytes: &[u8]) -> io::Result<()> {
        let read = self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        let scanned = frames.scan(bytes, self.slack.load(Ordering::Relaxed));
        let breach = match scanned {
            Ok(()) if read <= self.limit.load(Ordering::Relaxed) => return Ok(()),
            Err(Breach::Alien) => &self.alien,
            Ok(()) | Err(Breach::Excessive) => &self.excessive,
        };
        breach.store(true, Ordering::Relaxed);
        Err(io::ErrorKind::InvalidData.into())
    }
}

pub(super) struct Socket<S> {
    stream: S,
    frames: Frames,
    manners: Arc<Manners>,
}

impl<S> Socket<S> {
    pub(super) fn new(stream: S) -> (Self, Arc<Manners>) {
        let manners = Arc::<Manners>::default();
        (Self { stream, frames: Frames::default(), manners: manners.clone() }, manners)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, frames, manners } = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(stream).poll_read(cx, buffer);
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        if let Err(error) = manners.look(frames, bytes) {
            buffer.set_filled(before);
            return Poll::Ready(Err(error));
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

    fn read(bytes: &[u8], prepare: impl FnOnce(&Manners)) -> Arc<Manners> {
        let (mut socket, manners) = Socket::new(bytes);
        prepare(&manners);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _ = runtime.block_on(socket.read_to_end(&mut Vec::new()));
        manners
    }

    #[test]
    fn tells_resp_from_what_is_not() {
        let is_alien = |bytes: &[u8]| read(bytes, |_| {}).complaint().is_some();
        assert!(!is_alien(b"-ERR no\r\n"));
        assert!(!is_alien(b"%1\r\n"));
        assert!(!is_alien(b""));
        assert!(is_alien(b"HTTP/1.1 400 Bad Request\r\n"));
        assert!(is_alien(b"\x15\x03\x01"));
    }

    #[test]
    fn what_is_none_goes_no_further() {
        let (mut socket, _) = Socket::new(&b"x+OK\r\n"[..]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut passed = Vec::new();
        assert!(runtime.block_on(socket.read_to_end(&mut passed)).is_err());
        assert_eq!(passed, b"");
    }

    #[test]
    fn no_more_is_read_than_the_answers_can_be_long() {
        let endless = vec![b'+'; 4 * BASE as usize];
        let most = |prepare: fn(&Manners)| {
            let manners = read(&endless, prepare);
            assert!(manners.complaint().is_some_and(|fault| fault.message.contains("more than")));
            manners.bytes_read()
        };
        // What one read brings comes on top.
        assert!((BASE..=2 * BASE).contains(&most(|_| {})));
        let more = BASE + 100 * PER_VALUE;
        assert!((more..=2 * more).contains(&most(|manners| manners.expect(100))));
        assert!(
            most(|manners| {
                manners.expect(100);
                manners.receive(100);
            }) <= 2 * BASE
        );
    }

    #[test]
    fn what_has_been_answered_does_not_count() {
        let mut frames = Frames::default();
        let manners = Manners::default();
        let megabyte = vec![b'+'; BASE as usize];
        manners.look(&mut frames, &megabyte).unwrap();
        manners.receive(0);
        manners.look(&mut frames, &megabyte).unwrap();
        assert!(manners.look(&mut frames, b"+").is_err());
        assert!(manners.complaint().is_some());
    }

    #[test]
    fn an_announcement_of_too_much_is_enough() {
        assert!(read(b"$536870912\r\nx", |_| {}).complaint().is_some_and(|fault| fault.message.contains("more than")));
        assert!(read(b"$1000\r\nx", |_| {}).complaint().is_none());
    }
}
