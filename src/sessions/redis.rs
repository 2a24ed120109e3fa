//! Hot copies in Redis, where every replica sees them.
//!
//! Redis may vanish at any time. A call waits for it at most a fifth of a second; after a failure
//! nobody asks for a second, then one caller tries again with a fresh connection.

use ::redis::{
    Client, FromRedisValue, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use async_trait::async_trait;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{HotCopy, HotFault, HotSessions, circuit::Circuit};
use crate::base::{CheckoutId, Clock};

/// Digits in front of a stored body: its version, which the script compares and people can read.
const VERSION_DIGITS: usize = 10;

/// Keeps a copy unless a newer one stands.
const PUT: &str = r"
local kept = tonumber(redis.call('GETRANGE', KEYS[1], 0, 9)) or 0
if kept > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
";

/// How long copies are kept, and how long Redis is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisLimits {
    /// How long a copy is kept after it was written.
    pub ttl: Duration,
    /// How long a call waits, connecting included. Longer than a healthy Redis ever takes, shorter
    /// than a shopper notices.
    pub wait: Duration,
    /// How long nobody asks after a failure.
    pub pause: Duration,
}

impl Default for RedisLimits {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(6 * 60 * 60),
            wait: Duration::from_millis(200),
            pause: Duration::from_secs(1),
        }
    }
}

/// Hot copies in Redis.
pub struct RedisSessions {
    client: Client,
    connection: Mutex<Option<ConnectionManager>>,
    put: Script,
    circuit: Circuit,
    limits: RedisLimits,
}

impl RedisSessions {
    /// Copies in the Redis at `url`. Connects on first use, so that it may be down now.
    ///
    /// # Errors
    /// When the address is malformed.
    pub fn new(url: &str, limits: RedisLimits, clock: Arc<dyn Clock>) -> Result<Self, HotFault> {
        // The address may hold a password: it is not repeated.
        let client = Client::open(url).map_err(|error| {
            let told = error.detail().unwrap_or("malformed").to_owned();
            HotFault(format!("expected an address such as `redis://127.0.0.1:6379`: {told}"))
        })?;
        Ok(Self {
            client,
            connection: Mutex::new(None),
            put: Script::new(PUT),
            circuit: Circuit::new(limits.pause, clock),
            limits,
        })
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

    /// Asks Redis, unless it failed a moment ago.
    async fn ask<T, F>(&self, call: impl FnOnce(ConnectionManager) -> F) -> Result<T, HotFault>
    where
        T: FromRedisValue,
        F: Future<Output = Result<T, RedisError>>,
    {
        if !self.circuit.lets_through() {
            return Err(HotFault("it failed a moment ago and is not asked".into()));
        }
        let connection = self.connection().map_err(|error| HotFault(error.to_string()))?;
        let why = match tokio::time::timeout(self.limits.wait, call(connection)).await {
            Ok(Ok(answer)) => {
                self.circuit.succeeded();
                return Ok(answer);
            }
            // Redis answered, only not what we wished: it lives.
            Ok(Err(error)) if !error.is_io_error() && !error.is_unrecoverable_error() => {
                return Err(HotFault(error.to_string()));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.limits.wait),
        };
        self.circuit.failed();
        // A connection that went silent may stay so for a quarter of an hour before TCP notices.
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Err(HotFault(why))
    }
}

/// Braces make it one hash slot, whatever a cluster does with it later.
fn key(checkout: CheckoutId) -> String {
    format!("{{doorbuster:session:{checkout}}}")
}

/// A stored copy; `None` when the text is not one of ours.
fn parse(stored: &[u8]) -> Option<HotCopy> {
    let (digits, body) = stored.split_at_checked(VERSION_DIGITS)?;
    let version = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(HotCopy { version, body: body.to_vec() })
}

#[async_trait]
impl HotSessions for RedisSessions {
    async fn find(&self, checkout: CheckoutId) -> Result<Option<HotCopy>, HotFault> {
        let get = |mut connection| async move {
            ::redis::cmd("GET").arg(key(checkout)).query_async(&mut connection).await
        };
        let stored: Option<Vec<u8>> = self.ask(get).await?;
        Ok(stored.and_then(|stored| parse(&stored)))
    }

    async fn put(&self, checkout: CheckoutId, copy: HotCopy) -> Result<(), HotFault> {
        let ttl = u64::try_from(self.limits.ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let put = |mut connection| async move {
            self.put
                .key(key(checkout))
                .arg(format!("{:0width$}", copy.version, width = VERSION_DIGITS))
                .arg(copy.body)
                .arg(ttl)
                .invoke_async(&mut connection)
                .await
        };
        self.ask::<i64, _>(put).await.map(drop)
    }

    async fn ping(&self) -> Result<(), HotFault> {
        let ping =
            |mut connection| async move { ::redis::cmd("PING").query_async(&mut connection).await };
        self.ask::<String, _>(ping).await.map(drop)
    }
}
