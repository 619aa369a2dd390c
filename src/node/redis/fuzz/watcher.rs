//! The connection that hears of releases, against a peer.

use std::sync::Arc;

use super::super::RedisWatcher;
use super::meeting::meet;
use super::source::Source;
use crate::node::Watch;

const ROUNDS: usize = 12;
/// So many turns in which nothing comes: nothing will.
const PATIENCE: usize = 200;

pub(super) async fn run(seed: u64) -> Result<(), String> {
    let outcome = meet(seed, async |options, password, stream, source| {
        if let Ok(watcher) = RedisWatcher::greet(options, password, stream).await {
            use_watcher(watcher, source).await;
        }
    });
    outcome.await.map(|_| ())
}

async fn use_watcher(mut watcher: RedisWatcher, source: &mut Source) {
    for _ in 0..source.below(ROUNDS) {
        let watches = (0..source.below(6)).map(|_| watch(source)).collect();
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
