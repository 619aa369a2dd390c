//! One of our connections and its peer, both as a seed draws them.

use std::path::PathBuf;

use tokio::io::DuplexStream;

use super::super::{Address, Options};
use super::peer::{Log, Peer};
use super::source::Source;

/// As much as any socket takes: a handshake is written before its answers are read.
const PIPE: usize = 4096;

/// Lets our side use the connection until it has enough; what went both ways, and what our side makes of it.
pub(super) async fn meet<T>(
    seed: u64,
    ours: impl AsyncFnOnce(&Options, Option<&str>, DuplexStream, &mut Source) -> T,
) -> Result<(Log, T), String> {
    let mut source = Source::new(seed);
    let (stream, theirs) = tokio::io::duplex(PIPE + source.below(1 << 16));
    let (peer, log) = Peer::new(theirs, Source::new(source.bits()));
    let (options, password) = options(&mut source);
    let ((), outcome) = tokio::join!(peer.serve(), ours(&options, password, stream, &mut source));
    let log = std::mem::take(&mut *log.lock().unwrap());
    if log.swallowed {
        return Err("an answer without an end was read on and on".to_owned());
    }
    Ok((log, outcome))
}

fn options(source: &mut Source) -> (Options, Option<&'static str>) {
    let options = Options {
        address: Address::Unix { path: PathBuf::from("nowhere") },
        username: source.percent(30).then(|| "user".to_owned()),
        db: if source.percent(30) { 3 } else { 0 },
        client_name: source.percent(30).then(|| "name".to_owned()),
        tls: None,
    };
    (options, source.percent(50).then_some("password"))
}
