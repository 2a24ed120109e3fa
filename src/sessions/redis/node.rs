//! One Redis server: a connection to it, and patience that ends.

use redis::{
    Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::time::Instant;

use super::home::Patience;
use crate::{
    base::{Chain, Clock},
    sessions::circuit::Circuit,
};

/// One server.
pub(super) struct Node {
    client: Client,
    connection: Mutex<Option<ConnectionManager>>,
    circuit: Circuit,
    patience: Patience,
}

/// Why a server did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum NodeFault {
    /// Nobody asked it: it failed a moment ago.
    #[error("it failed a moment ago and is not asked")]
    Resting,
    /// It did not answer, and is not asked for a while.
    #[error("{0}")]
    Silent(String),
    /// It did not answer in time, which alone is no reason to give it up.
    #[error("{0}")]
    Late(String),
    /// It answered, only not what we wished: it lives.
    #[error("{0}")]
    Answered(RedisError),
}

impl Node {
    /// The server at `url`. Connects on first use, so that it may be down now.
    pub(super) fn new(
        url: &str,
        patience: Patience,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let circuit = Circuit::new(patience.pause, patience.late_max, clock);
        Ok(Self { client, connection: Mutex::new(None), circuit, patience })
    }

    /// Whether it answered when it was last asked.
    pub(super) fn is_up(&self) -> bool {
        self.circuit.is_closed()
    }

    /// Asks it until a moment, unless it failed shortly before. `asking` is for what another node
    /// of its cluster is handing over to it.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        command: &Cmd,
        asking: bool,
        until: Instant,
    ) -> Result<T, NodeFault> {
        self.until(until, self.send(command, asking)).await
    }

    /// Asks several things at once, in their order; each has an answer of its own.
    pub(super) async fn ask_each(
        &self,
        commands: impl Iterator<Item = &Cmd>,
        asking: bool,
        until: Instant,
    ) -> Result<Vec<RedisResult<Value>>, NodeFault> {
        let mut all = redis::pipe();
        for command in commands {
            if asking {
                all.cmd("ASKING").ignore();
            }
            all.add_command(command.clone());
        }
        all.ignore_errors();
        self.until(until, self.send_all(&all)).await
    }

    async fn until<T>(
        &self,
        until: Instant,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, NodeFault> {
        if !self.circuit.lets_through() {
            return Err(NodeFault::Resting);
        }
        let (why, late) = match tokio::time::timeout_at(until, asked).await {
            Ok(Ok(answer)) => {
                self.circuit.succeeded();
                return Ok(answer);
            }
            Ok(Err(error)) if is_alive(&error) => {
                self.circuit.succeeded();
                return Err(NodeFault::Answered(error));
            }
            Ok(Err(error)) => (Chain(&error).to_string(), error.is_timeout()),
            Err(_) => (format!("no answer within {:?}", self.patience.wait), true),
        };
        if late && self.circuit.bears_a_late_one() {
            return Err(NodeFault::Late(why));
        }
        self.circuit.failed();
        // A connection that went silent may stay so for a quarter of an hour before TCP notices.
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Err(NodeFault::Silent(why))
    }

    async fn send_all(&self, all: &Pipeline) -> Result<Vec<RedisResult<Value>>, RedisError> {
        all.query_async(&mut self.connection()?).await
    }

    async fn send<T: FromRedisValue>(&self, command: &Cmd, asking: bool) -> Result<T, RedisError> {
        let mut connection = self.connection()?;
        if !asking {
            return command.query_async(&mut connection).await;
        }
        let mut both = redis::pipe();
        both.cmd("ASKING").ignore().add_command(command.clone());
        let (answer,) = both.query_async(&mut connection).await?;
        Ok(answer)
    }

    /// The connection, made when there is none; it connects with its first command.
    fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.patience.wait))
            .set_response_timeout(Some(self.patience.wait))
            // The circuit says when to try again.
            .set_number_of_retries(0)
            .set_pipeline_buffer_size(1024);
        let made = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(connection.insert(made).clone())
    }
}

/// Words with which a server refuses every write: it follows another, its memory is full, its disk
/// fails, it still reads its own, or too few follow it.
const REFUSES_WRITES: [&str; 6] =
    ["READONLY", "OOM", "MISCONF", "LOADING", "NOREPLICAS", "MASTERDOWN"];

/// Whether a server that said this is worth asking again at once. One that refuses writes is as
/// good as gone: it is left, so that the next connection finds whoever has taken over.
fn is_alive(error: &RedisError) -> bool {
    let refuses = error.code().is_some_and(|code| REFUSES_WRITES.contains(&code));
    !refuses && !error.is_io_error() && !error.is_unrecoverable_error()
}
