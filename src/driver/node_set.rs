//! The nodes of one service, of either kind, and the passwords that some of them ask for.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::node::memory::{MemoryNode, MemoryWatcher};
use crate::node::{Answer, Fault, Line, Moment, Node, Options, RedisNode, Watched};

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum NodeSettings {
    Memory { name: String },
    Redis { options: Options, password: Password },
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Password {
    None,
    Fixed(String),
    /// Asked for on every connect.
    Asked,
}

enum Member {
    Memory(MemoryNode),
    Redis(Arc<RedisNode>),
}

type Asker = oneshot::Sender<Result<String, String>>;

pub(super) struct NodeSet {
    members: Vec<Member>,
    askers: Vec<Mutex<Option<Asker>>>,
    /// With which each node was last connected.
    passwords: Vec<Mutex<Option<String>>>,
    /// Ring when something waits for a node's watcher.
    bells: Vec<Notify>,
}

impl NodeSet {
    pub(super) fn new(settings: &[NodeSettings]) -> Self {
        let member = |settings: &NodeSettings| match settings {
            NodeSettings::Memory { name } => Member::Memory(MemoryNode::named(name)),
            NodeSettings::Redis { options, .. } => Member::Redis(Arc::new(RedisNode::new(options))),
        };
        Self::of(settings.iter().map(member).collect())
    }

    /// These nodes, which others may use as well.
    pub(super) fn memory(nodes: &[MemoryNode]) -> Self {
        Self::of(nodes.iter().cloned().map(Member::Memory).collect())
    }

    fn of(members: Vec<Member>) -> Self {
        Self {
            askers: members.iter().map(|_| Mutex::default()).collect(),
            passwords: members.iter().map(|_| Mutex::default()).collect(),
            bells: members.iter().map(|_| Notify::new()).collect(),
            members,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn node(&self, node: usize) -> &dyn Node {
        match &self.members[node] {
            Member::Memory(memory) => memory,
            Member::Redis(redis) => &**redis,
        }
    }

    pub(super) fn redis(&self, node: usize) -> Option<Arc<RedisNode>> {
        match &self.members[node] {
            Member::Memory(_) => None,
            Member::Redis(redis) => Some(redis.clone()),
        }
    }

    /// Whether threads other than the I/O thread may pump it.
    pub(super) fn is_shared(&self, node: usize) -> bool {
        match &self.members[node] {
            Member::Memory(_) => true,
            Member::Redis(redis) => redis.is_shared(),
        }
    }

    pub(super) fn ring_watcher(&self, node: usize) {
        self.bells[node].notify_one();
    }

    /// Resolves when something waits for the node's watcher.
    pub(super) async fn watcher_rung(&self, node: usize) {
        self.bells[node].notified().await;
    }

    pub(super) fn memory_watcher(&self, node: usize) -> Option<MemoryWatcher> {
        match &self.members[node] {
            Member::Memory(memory) => Some(memory.watcher()),
            Member::Redis(_) => None,
        }
    }

    pub(super) fn keep_password(&self, node: usize, password: Option<String>) {
        *self.passwords[node].lock().unwrap_or_else(PoisonError::into_inner) = password;
    }

    pub(super) fn password(&self, node: usize) -> Option<String> {
        self.passwords[node].lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the event loop may watch of a node from now on.
    pub(super) fn attend(&self, node: usize, number: u32) -> Option<(Arc<Line>, Watched)> {
        match &self.members[node] {
            Member::Memory(_) => None,
            Member::Redis(redis) => redis.attend(number),
        }
    }

    /// The event loop has come around.
    pub(super) fn visit(&self, now: Moment) {
        for member in &self.members {
            if let Member::Redis(redis) = member {
                redis.visit(now);
            }
        }
    }

    /// The event loop watches no longer.
    pub(super) fn leave(&self, node: usize, number: u32) {
        if let Member::Redis(redis) = &self.members[node] {
            redis.leave(number);
        }
    }

    /// The I/O thread watches, until the event loop sends something.
    pub(super) fn take_over(&self, node: usize) {
        if let Member::Redis(redis) = &self.members[node] {
            redis.take_over();
        }
    }

    /// Leaves the pumping to the I/O thread.
    pub(super) fn ring(&self, node: usize) {
        if let Member::Redis(redis) = &self.members[node] {
            redis.ring();
        }
    }

    pub(super) fn fail(&self, node: usize, fault: &Fault, answers: &mut Vec<Answer>) {
        if let Member::Redis(redis) = &self.members[node] {
            redis.fail(fault, answers);
        }
    }

    /// Where the answer to a question for the password will come; an older question is forgotten.
    pub(super) fn ask_password(&self, node: usize) -> oneshot::Receiver<Result<String, String>> {
        let (sender, receiver) = oneshot::channel();
        *self.askers[node].lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    pub(super) fn answer_password(&self, node: usize, password: Result<String, String>) {
        let asker = self.askers.get(node);
        if let Some(asker) = asker.and_then(|asker| asker.lock().unwrap_or_else(PoisonError::into_inner).take()) {
            // Nobody waits for it any more when the time to connect is over.
            let _ = asker.send(password);
        }
    }
}
