//! A Redis Cluster: each key is asked of the node that has its slot.
//!
//! Each node has a connection and a circuit of its own, so that one that is lost takes its third of
//! the copies with it and nothing else. (The driver's own cluster connection repairs its map under
//! one lock: while it waits for a silent master, nobody's command moves.)
//!
//! No command waits for the map. Who has an unknown slot, any node tells in place of an answer;
//! when a node falls silent, its slots are unknown again, and the others tell who has taken them
//! over. Each ping draws the map anew.

use redis::{Cmd, ErrorKind, FromRedisValue, ServerErrorKind, Value};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};
use tokio::time::Instant;

use super::{
    address::Nodes,
    home::Patience,
    node::{Node, NodeFault},
    slots::{Slots, node_named, slot_of},
};
use crate::base::Clock;

/// Nodes one command is sent to at most: one that knows, one that moved on, one that takes over.
pub(super) const HOPS_MAX: usize = 3;

/// Nodes remembered at most: the specification recommends a thousand. Beyond, all but those of the
/// configuration are forgotten: a cluster whose nodes change their addresses meets this in time.
const NODES_MAX: usize = 1024;

/// The cluster.
pub(super) struct Cluster {
    pub(super) named: Nodes,
    /// Those of the configuration come first.
    nodes: RwLock<Vec<Arc<Member>>>,
    pub(super) slots: Slots,
    /// Whom to ask next when nobody is known.
    pub(super) turn: AtomicUsize,
    patience: Patience,
    clock: Arc<dyn Clock>,
}

/// A node under its name.
pub(super) struct Member {
    /// `host:port`
    name: String,
    pub(super) node: Node,
}

/// A node sends somebody to another one.
pub(super) struct Redirect {
    pub(super) to: String,
    /// Whether the other one has the slot for good.
    pub(super) moved: bool,
}

impl Cluster {
    /// The cluster to which these nodes belong. Connects on first use.
    pub(super) fn new(
        named: Nodes,
        patience: Patience,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NodeFault> {
        let nodes = RwLock::default();
        let (slots, turn) = (Slots::unknown(), AtomicUsize::new(0));
        let cluster = Self { named, nodes, slots, turn, patience, clock };
        for name in &cluster.named.known {
            cluster.number_of(name)?;
        }
        Ok(cluster)
    }

    /// Asks the node that has this key.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        key: &str,
        command: &Cmd,
        until: Instant,
    ) -> Result<T, NodeFault> {
        let slot = slot_of(key);
        let mut next = self.slots.owner(slot).and_then(|number| Some((number, self.at(number)?)));
        let mut asking = false;
        for _ in 0..HOPS_MAX {
            let (number, answer) = match next {
                None => self.ask_anybody(command, until).await?,
                Some((number, member)) => (number, member.node.ask(command, asking, until).await),
            };
            let redirect = match answer {
                Ok(answer) if asking => return Ok(answer),
                Ok(answer) => {
                    self.slots.learn(slot, number);
                    return Ok(answer);
                }
                Err(fault) => self.redirect(number, fault)?,
            };
            let number = self.number_of(&redirect.to)?;
            if redirect.moved {
                self.slots.learn(slot, number);
            }
            asking = !redirect.moved;
            next = self.at(number).map(|member| (number, member));
        }
        Err(NodeFault::Silent("the nodes send one another in a circle".to_owned()))
    }

    /// Draws the map anew, and asks every node that has slots. Returns what they say.
    pub(super) async fn ping(
        &self,
        command: &Cmd,
        until: Instant,
    ) -> Result<Vec<String>, NodeFault> {
        self.draw(until).await?;
        let owners = self.slots.owners().into_iter();
        let members = owners.filter_map(|number| Some((number, self.at(number)?)));
        let asked = members.map(|(number, member)| async move {
            let answer = member.node.ask(command, false, until).await;
            answer.map_err(|fault| self.heard(number, fault))
        });
        futures_util::future::join_all(asked).await.into_iter().collect()
    }

    /// Draws the map of slots anew.
    pub(super) async fn draw(&self, until: Instant) -> Result<(), NodeFault> {
        let (by, map) = self.ask_anybody(redis::cmd("CLUSTER").arg("SLOTS"), until).await?;
        let by = self.at(by).map(|member| member.name.clone()).unwrap_or_default();
        for Share { first, last, owner } in shares(&map?, &by) {
            let number = self.number_of(&owner)?;
            (first..=last).for_each(|slot| self.slots.learn(slot, number));
        }
        Ok(())
    }

    /// Asks the first who can be asked, each time beginning with another one.
    async fn ask_anybody<T: FromRedisValue>(
        &self,
        command: &Cmd,
        until: Instant,
    ) -> Result<(u16, Result<T, NodeFault>), NodeFault> {
        let members: Vec<_> = self.read().iter().cloned().zip(0_u16..).collect();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % members.len().max(1);
        let mut last = NodeFault::Resting;
        for (member, number) in members[first..].iter().chain(&members[..first]) {
            match member.node.ask(command, false, until).await {
                Err(NodeFault::Resting) => {}
                // One that refuses the connection leaves time for another.
                Err(fault @ (NodeFault::Silent(_) | NodeFault::Late(_))) => {
                    last = self.heard(*number, fault);
                }
                answer => return Ok((*number, answer)),
            }
            if Instant::now() >= until {
                break;
            }
        }
        Err(last)
    }

    /// Where a node's answer leads, when it leads anywhere.
    pub(super) fn redirect(&self, number: u16, fault: NodeFault) -> Result<Redirect, NodeFault> {
        let NodeFault::Answered(error) = &fault else { return Err(self.heard(number, fault)) };
        let Some(by) = self.at(number) else { return Err(fault) };
        let named = error.redirect_node().and_then(|(address, _)| node_named(address, &by.name));
        let moved = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
        named.map(|to| Redirect { to, moved }).ok_or(fault)
    }

    /// A node that fell silent may have been replaced: others shall say by whom.
    pub(super) fn heard(&self, number: u16, fault: NodeFault) -> NodeFault {
        if matches!(fault, NodeFault::Silent(_)) {
            self.slots.forget(number);
        }
        fault
    }

    fn at(&self, number: u16) -> Option<Arc<Member>> {
        self.read().get(usize::from(number)).cloned()
    }

    /// The number of a node; one that is new is remembered.
    pub(super) fn number_of(&self, name: &str) -> Result<u16, NodeFault> {
        let known = |nodes: &[Arc<Member>]| {
            let at = nodes.iter().position(|member| member.name == name)?;
            u16::try_from(at).ok()
        };
        if let Some(number) = known(&self.read()) {
            return Ok(number);
        }
        let url = self.named.url(name);
        let node =
            Node::new(&url, self.patience, self.clock.clone()).map_err(NodeFault::Answered)?;
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known(&nodes) {
            return Ok(number);
        }
        if nodes.len() >= NODES_MAX.max(self.named.known.len() + 1) {
            nodes.truncate(self.named.known.len());
            (0..=u16::MAX).take(NODES_MAX).for_each(|number| self.slots.forget(number));
        }
        nodes.push(Arc::new(Member { name: name.to_owned(), node }));
        Ok(u16::try_from(nodes.len() - 1).unwrap_or(u16::MAX))
    }

    pub(super) fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Arc<Member>>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Slots in a row that one node has.
struct Share {
    first: u16,
    last: u16,
    owner: String,
}

/// The answer to `CLUSTER SLOTS`: for each share its first and last slot, its master and replicas.
/// What does not read is left out: the nodes tell it piece by piece.
fn shares(map: &Value, by: &str) -> Vec<Share> {
    let share = |share: &Value| {
        let [first, last, master, ..] = share.as_sequence()? else { return None };
        let [host, port, ..] = master.as_sequence()? else { return None };
        let host = redis::from_redis_value_ref::<Option<String>>(host).ok()?.unwrap_or_default();
        let port: u16 = redis::from_redis_value_ref(port).ok()?;
        let slot = |slot| redis::from_redis_value_ref(slot).ok();
        let owner = node_named(&format!("{host}:{port}"), by)?;
        Some(Share { first: slot(first)?, last: slot(last)?, owner })
    };
    map.as_sequence().unwrap_or_default().iter().filter_map(share).collect()
}
