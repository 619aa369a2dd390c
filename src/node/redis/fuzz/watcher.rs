//! The connection that hears of releases, against a peer.

use std::sync::Arc;

use super::super::RedisWatcher;
use super::link::{PIPE, options};
use super::peer::Peer;
use super::source::Source;
use crate::node::Watch;

const ROUNDS: usize = 12;
/// So many turns in which nothing comes: nothing will.
const PATIENCE: usize = 200;

pub(super) async fn run(seed: u64) -> Result<(), String> {
    let mut source = Source::new(seed);
    let (ours, theirs) = tokio::io::duplex(PIPE + source.below(1 << 16));
    let (peer, log) = Peer::new(theirs, Source::new(source.bits()));
    let (options, password) = options(&mut source);
    let client = async {
        let Ok(mut watcher) = RedisWatcher::greet(&options, password, ours).await else { return };
        for _ in 0..source.below(ROUNDS) {
            let watches = (0..source.below(6)).map(|_| watch(&mut source)).collect();
            let is_over = tokio::select! {
                biased;
                sightings = watcher.ask(watches) => sightings.is_err(),
                () = patience() => true,
            };
            let is_over = is_over
                || tokio::select! {
                    biased;
                    sightings = watcher.next() => sightings.is_none(),
                    () = patience() => false,
                };
            if is_over {
                return;
            }
        }
    };
    let ((), ()) = tokio::join!(peer.serve(), client);
    if log.lock().unwrap().swallowed {
        return Err("an answer without an end was read on and on".to_owned());
    }
    Ok(())
}

fn watch(source: &mut Source) -> Watch {
    let key: Arc<str> = format!("key {}", source.below(3)).into();
    match source.below(3) {
        0 => Watch::Arm(key),
        1 => Watch::Count(key),
        _ => Watch::Drop(key),
    }
}

async fn patience() {
    for _ in 0..PATIENCE {
        tokio::task::yield_now().await;
    }
}
