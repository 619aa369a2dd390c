//! The circuits of this process, so that services with the same nodes, prefix and settings share one: its connections,
//! and the order in which their waiters come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::circuit::Circuit;
use super::node_set::{NodeSettings, Password};
use crate::lock::Config;

/// What services must agree in to share a circuit.
#[derive(Clone, PartialEq)]
pub(crate) struct Terms {
    pub(crate) config: Config,
    pub(crate) nodes: Vec<NodeSettings>,
    pub(crate) prefix: String,
}

impl Terms {
    /// Not where passwords are asked for: two functions cannot be compared.
    fn can_be_shared(&self) -> bool {
        !self.nodes.iter().any(|node| matches!(node, NodeSettings::Redis { password: Password::Asked, .. }))
    }
}

type Shared = (Terms, Weak<Circuit>);

static SHARED: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

/// Held while a service joins a circuit or leaves it: none is joined that is about to end.
pub(super) fn shared() -> MutexGuard<'static, Vec<Shared>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.retain(|(_, circuit)| circuit.upgrade().is_some_and(|circuit| !circuit.is_closed()));
    shared
}

/// The circuit of these terms that runs.
pub(super) fn running(shared: &[Shared], terms: &Terms) -> Option<Arc<Circuit>> {
    shared.iter().find(|(of, _)| of == terms).and_then(|(_, circuit)| circuit.upgrade())
}

/// Others may join it from now on.
pub(super) fn share(shared: &mut Vec<Shared>, terms: &Terms, circuit: &Arc<Circuit>) {
    if terms.can_be_shared() {
        shared.push((terms.clone(), Arc::downgrade(circuit)));
    }
}
