//! States from which there is no point in going on.

use super::kept::Kept;
use super::state::{CLIENTS, Message, Stage, World};
use crate::node::{Command, Request};

impl World {
    /// No promise can be broken any more, whatever happens. Two handles are valid only while both clients hold one; a
    /// token is looked at when it is granted; and a handle is valid again only after an extension, since nothing else
    /// moves its deadline.
    pub(super) fn is_settled(&self) -> bool {
        let may_acquire = |client: usize| {
            self.rest.budgets.acquires[client] > 0 || matches!(self.rest.stages[client], Stage::Waits(_))
        };
        let may_hold = |client: usize| may_acquire(client) || self.rest.stages[client] != Stage::Idle;
        let may_be_granted =
            |client: usize| may_acquire(client) || (self.rest.budgets.handovers > 0 && may_hold(client));
        let may_be_extended = |client: usize| {
            let holds = matches!(self.rest.stages[client], Stage::Holds(_));
            (holds && self.rest.are_extended[client]) || (may_hold(client) && self.rest.budgets.extends > 0)
        };
        let mut clients = 0..CLIENTS;
        let may_two_hold = clients.clone().all(may_hold);
        let may_token_be_granted = clients.clone().any(|client| self.rest.is_fenced && may_be_granted(client));
        let may_haunt = self.rest.has_ghosts && self.may_haunt();
        !(may_two_hold || may_token_be_granted || clients.any(may_be_extended) || may_haunt)
    }

    /// A server may be asked to grant what it has released, or will have by then.
    fn may_haunt(&self) -> bool {
        self.requests.iter().any(|(node, message)| {
            let Request { command, id, .. } = message.what;
            let release = |(of, other): &(usize, Kept<Message<Request>>)| {
                of == node && other.what.id == id && other.what.command == Command::Release
            };
            matches!(command, Command::Acquire { .. })
                && (self.rest.stages[message.client] != Stage::Idle
                    || self.sites[*node].released.contains(&id)
                    || self.requests.iter().any(release))
        })
    }

    /// An answer has changed nothing at its client, who has done nothing: it might as well have been lost. The state
    /// before it has all that follows from this one, since a message need not arrive.
    pub(super) fn is_as_before(&self, before: &Self) -> bool {
        let clients = |world: &Self| world.clients.each_ref().map(|client| client.print());
        clients(self) == clients(before) && self.requests.len() == before.requests.len()
    }
}
