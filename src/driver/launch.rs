//! A circuit's beginning: what it knows at first, and what runs for it on the I/O thread.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::circuit::Circuit;
use super::node_set::{NodeSet, NodeSettings};
use super::registry::Terms;
use super::{acquaintances, supervisor, timer, watcher};
use crate::lock::{Core, Event, Status};
use crate::node::Identity;

pub(super) fn prepare(terms: &Terms) -> Arc<Circuit> {
    Arc::new(Circuit::new(begin(terms), NodeSet::new(&terms.nodes)))
}

/// A core that knows what this process does of its nodes.
fn begin(terms: &Terms) -> Core {
    let mut core = Core::new(terms.config.clone());
    for (node, settings) in terms.nodes.iter().enumerate() {
        if let NodeSettings::Redis { options, .. } = settings {
            core.recall(node, acquaintances::recall(&options.address, core.quarantine()));
        }
    }
    core
}

/// Starts connecting. Whoever is to hear of it has joined already.
pub(super) fn start(circuit: &Arc<Circuit>, terms: &Terms, handle: &Handle) {
    let (connect_timeout, node_timeout) = (terms.config.connect_timeout, terms.config.node_timeout);
    let mut tasks = circuit.tasks();
    tasks.push(handle.spawn(timer::run(circuit.clone())).abort_handle());
    for (node, settings) in terms.nodes.iter().cloned().enumerate() {
        let options = match settings {
            NodeSettings::Memory { .. } => {
                // It has been there for ever: memory does not restart.
                let identity = Identity { uptime: Some(Duration::MAX), ..Identity::default() };
                circuit.step(Event::Node { node, status: Status::Up(identity) });
                None
            }
            NodeSettings::Redis { options, password } => {
                let task = supervisor::Supervisor {
                    circuit: circuit.clone(),
                    node,
                    options: options.clone(),
                    password,
                    connect_timeout,
                    node_timeout,
                };
                // Nothing here runs for long between two waits: tokio's budget would only add wake-ups.
                let task = tokio::task::coop::unconstrained(task.run());
                tasks.push(handle.spawn(task).abort_handle());
                Some(options)
            }
        };
        let watcher = watcher::WatcherTask { circuit: circuit.clone(), node, options, timeout: connect_timeout };
        tasks.push(handle.spawn(watcher.run()).abort_handle());
    }
}
