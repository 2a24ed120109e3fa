//! One Redis server: a connection to it, and patience that ends.

use redis::{
    Client, Cmd, FromRedisValue, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

use super::RedisLimits;
use crate::{base::Clock, sessions::circuit::Circuit};

/// One server.
pub(super) struct Node {
    client: Client,
    connection: Mutex<Option<ConnectionManager>>,
    circuit: Circuit,
    limits: RedisLimits,
}

/// Why a server did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum NodeFault {
    /// Nobody asked it: it failed a moment ago.
    #[error("it failed a moment ago and is not asked")]
    Resting,
    /// It did not answer.
    #[error("{0}")]
    Silent(String),
    /// It answered, only not what we wished: it lives.
    #[error("{0}")]
    Answered(RedisError),
}

impl Node {
    /// The server at `url`. Connects on first use, so that it may be down now.
    pub(super) fn new(
        url: &str,
        limits: RedisLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let circuit = Circuit::new(limits.pause, clock);
        Ok(Self { client, connection: Mutex::new(None), circuit, limits })
    }

    /// Asks it until a moment, unless it failed shortly before. `asking` is for what another node
    /// of its cluster is handing over to it.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        command: &Cmd,
        asking: bool,
        until: Instant,
    ) -> Result<T, NodeFault> {
        if !self.circuit.lets_through() {
            return Err(NodeFault::Resting);
        }
        let why = match tokio::time::timeout_at(until, self.send(command, asking)).await {
            Ok(Ok(answer)) => {
                self.circuit.succeeded();
                return Ok(answer);
            }
            Ok(Err(error)) if !error.is_io_error() && !error.is_unrecoverable_error() => {
                self.circuit.succeeded();
                return Err(NodeFault::Answered(error));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.limits.wait),
        };
        self.circuit.failed();
        // A connection that went silent may stay so for a quarter of an hour before TCP notices.
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Err(NodeFault::Silent(why))
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
            .set_connection_timeout(Some(self.limits.wait))
            .set_response_timeout(Some(self.limits.wait))
            // The circuit says when to try again.
            .set_number_of_retries(0)
            .set_pipeline_buffer_size(1024);
        let made = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(connection.insert(made).clone())
    }
}
