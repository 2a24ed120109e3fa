//! Asking a Redis, alone or a cluster, with patience that ends: for whoever keeps there what may be
//! lost.

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

pub use super::node::NodeFault;
use super::{address::Address, cluster::Cluster, node::Node, slots::part_of};
use crate::base::Clock;

/// How long a Redis is waited for, and when it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a call waits, connecting included.
    pub wait: Duration,
    /// How long nobody asks a server after it failed.
    pub pause: Duration,
    /// Late answers in a row that are no failure of the server yet. Who waits only a few
    /// milliseconds would otherwise take its own busy moment for a dead neighbor.
    pub late_max: u32,
}

/// A command, and the key whose owner is to be asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The key.
    pub key: String,
    /// The command.
    pub command: Cmd,
}

/// Where a Redis is: one server or a cluster.
pub struct Home(Kind);

enum Kind {
    Alone(Node),
    Cluster(Cluster),
}

impl Home {
    /// The Redis at `url`. Connects on first use, so that it may be down now.
    ///
    /// # Errors
    /// When the address is malformed. The reason repeats no part of it: it may hold a password.
    pub fn new(url: &str, patience: Patience, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let kind = match Address::parse(url)? {
            Address::Alone(url) => Kind::Alone(
                Node::new(&url, patience, clock)
                    .map_err(|error| NodeFault::Answered(error).to_string())?,
            ),
            Address::Cluster(nodes) => Kind::Cluster(
                Cluster::new(nodes, patience, clock).map_err(|fault| fault.to_string())?,
            ),
        };
        Ok(Self(kind))
    }

    /// Asks whoever has this key, unless they failed a moment ago.
    ///
    /// # Errors
    /// When they did not answer, or not what was wished.
    pub async fn ask<T: FromRedisValue>(
        &self,
        key: &str,
        command: &Cmd,
        until: Instant,
    ) -> Result<T, NodeFault> {
        match &self.0 {
            Kind::Alone(node) => node.ask(command, false, until).await,
            Kind::Cluster(cluster) => cluster.ask(key, command, until).await,
        }
    }

    /// Asks whoever has each key, all at once: what goes to one server goes in one round trip, in
    /// the order given. Each command has an answer of its own.
    ///
    /// # Errors
    /// When a server did not answer. The others may have done their part.
    pub async fn ask_each(
        &self,
        asked: &[Asked],
        until: Instant,
    ) -> Result<Vec<RedisResult<Value>>, NodeFault> {
        match &self.0 {
            Kind::Alone(node) => {
                node.ask_each(asked.iter().map(|asked| &asked.command), false, until).await
            }
            Kind::Cluster(cluster) => cluster.ask_each(asked, until).await,
        }
    }

    /// Whether it is a cluster.
    pub const fn is_cluster(&self) -> bool {
        matches!(self.0, Kind::Cluster(_))
    }

    /// Which of so many parts of its keys a key is in; a server on its own has one.
    pub fn part_of(&self, key: &str, parts: usize) -> usize {
        if self.is_cluster() { part_of(key, parts) } else { 0 }
    }

    /// Whether every server known of answered when it was last asked.
    pub fn is_up(&self) -> bool {
        match &self.0 {
            Kind::Alone(node) => node.is_up(),
            Kind::Cluster(cluster) => cluster.is_up(),
        }
    }

    /// Asks whether it lives, is what its address says and takes writes; in a cluster, of every
    /// server.
    ///
    /// # Errors
    /// In words, with a way out where the configuration is to blame.
    pub async fn ping(&self, until: Instant) -> Result<(), String> {
        self.lives(until).await?;
        let write = |number: usize| {
            let key = format!("{{doorbuster:probe:{number}}}");
            let mut command = redis::cmd("SET");
            command.arg(&key).arg(1).arg("PX").arg(PROBE_MS);
            Asked { key, command }
        };
        let probes = if self.is_cluster() { PROBES } else { 1 };
        let probes: Vec<Asked> = (0..probes).map(write).collect();
        let said = self.ask_each(&probes, until).await.map_err(|fault| told(&fault))?;
        match said.into_iter().find_map(Result::err) {
            // Whoever may not write there is believed.
            Some(error) if !is(&error, ServerErrorKind::NoPerm) => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    async fn lives(&self, until: Instant) -> Result<(), String> {
        match &self.0 {
            Kind::Alone(node) => {
                let ping = node.ask::<String>(&redis::cmd("PING"), false, until).await;
                ping.map_err(|fault| told(&fault))?;
                let told =
                    node.ask::<String>(redis::cmd("INFO").arg("cluster"), false, until).await;
                // Whoever may not ask is believed.
                let one_of_many = told.is_ok_and(|told| told.contains("cluster_enabled:1"));
                if one_of_many { Err(ONE_OF_MANY.into()) } else { Ok(()) }
            }
            Kind::Cluster(cluster) => {
                match cluster.ping(redis::cmd("CLUSTER").arg("INFO"), until).await {
                    Ok(said) if said.iter().any(|said| said.contains("cluster_state:fail")) => {
                        Err("the cluster is down: nobody has some of its slots".into())
                    }
                    Err(NodeFault::Answered(error)) if is(&error, ServerErrorKind::NoPerm) => {
                        Ok(())
                    }
                    said => said.map(drop).map_err(|fault| told(&fault)),
                }
            }
        }
    }
}

/// What went wrong, with a way out where the configuration is to blame.
pub fn told(fault: &NodeFault) -> String {
    match fault {
        NodeFault::Answered(error) if is(error, ServerErrorKind::Moved) => ONE_OF_MANY.into(),
        NodeFault::Answered(error) if error.to_string().contains("cluster support disabled") => {
            ALONE.into()
        }
        _ => fault.to_string(),
    }
}

/// Whether a server's answer is an error of this kind.
pub fn is(error: &RedisError, kind: ServerErrorKind) -> bool {
    error.kind() == ErrorKind::Server(kind)
}

/// Keys written to see whether writes are taken: so many are spread over every server of a cluster.
const PROBES: usize = 64;

/// How long they stay, in milliseconds.
const PROBE_MS: u32 = 1_000;

const ONE_OF_MANY: &str = "the address is one node of a Redis Cluster, which has only some of the \
                           keys; write `redis-cluster://` instead of `redis://`, and a few of its \
                           nodes with commas between";

const ALONE: &str = "the address is no Redis Cluster but a server on its own; write `redis://` \
                     instead of `redis-cluster://`";
