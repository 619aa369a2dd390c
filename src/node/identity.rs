//! Who answers at an address.

use std::sync::Arc;
use std::time::Duration;

/// What a server says of itself when it has been reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    /// Tells servers, and the lives of one server, apart: its `run_id`. Unknown where it does not say.
    pub(crate) run: Option<Arc<str>>,
    /// For how long it has been running, in whole seconds.
    pub(crate) uptime: Option<Duration>,
}
