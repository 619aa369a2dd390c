//! States from which there is no point in going on.

use super::state::{CLIENTS, Stage, World};

impl World {
    /// No promise can be broken any more, whatever happens. Two handles are valid only while both clients hold one; a
    /// token is looked at when it is granted; and a handle is valid again only after an extension, since nothing else
    /// moves its deadline.
    pub(super) fn is_settled(&self) -> bool {
        let may_be_granted = |client: usize| {
            self.rest.budgets.acquires[client] > 0 || matches!(self.rest.stages[client], Stage::Waits(_))
        };
        let may_hold = |client: usize| may_be_granted(client) || self.rest.stages[client] != Stage::Idle;
        let may_be_extended = |client: usize| {
            let holds = matches!(self.rest.stages[client], Stage::Holds(_));
            (holds && self.rest.are_extended[client]) || (may_hold(client) && self.rest.budgets.extends > 0)
        };
        let mut clients = 0..CLIENTS;
        !clients.clone().all(may_hold)
            && !clients.clone().any(|client| self.rest.is_fenced && may_be_granted(client))
            && !clients.any(may_be_extended)
    }

    /// An answer has changed nothing at its client, who has done nothing: it might as well have been lost. The state
    /// before it has all that follows from this one, since a message need not arrive.
    pub(super) fn is_as_before(&self, before: &Self) -> bool {
        let clients = |world: &Self| world.clients.each_ref().map(|client| client.print());
        clients(self) == clients(before) && self.requests.len() == before.requests.len()
    }
}
