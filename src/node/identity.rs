//! Who answers at an address.

use std::sync::Arc;
use std::time::Duration;

/// What a server says of itself when it has been reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    /// Tells servers, and the lives of one server, apart: its `run_id`. Unknown where it does not say.
    pub(crate) run: Option<Arc<str>>,
    /// Tells the promotions of one server apart: its `master_replid`, if it has been a replica in this life. A server
    /// forgets that it has, long after.
    pub(crate) promotion: Option<Arc<str>>,
    /// For how long it has been running, in whole seconds.
    pub(crate) uptime: Option<Duration>,
}

impl Identity {
    /// Whether its data may be another's than that of who answered before: it is another server, has restarted, or was
    /// a replica meanwhile. Unknown where that one did not say who it was.
    pub(crate) fn is_other_than(&self, before: &Self) -> bool {
        let is_promoted = self.promotion.is_some() && self.promotion != before.promotion;
        before.run.is_some() && (self.run != before.run || is_promoted)
    }
}
