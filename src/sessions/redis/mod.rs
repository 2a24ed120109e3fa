//! Hot copies in Redis, where every replica sees them: on one server or on a cluster.
//!
//! Redis may vanish at any time. A call waits for it at most a fifth of a second; after a failure
//! nobody asks that server for a second, then one caller tries again with a fresh connection.

mod address;
mod cluster;
mod crowd;
pub mod home;
mod node;
mod slots;

use async_trait::async_trait;
use redis::{Script, ServerErrorKind};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

use self::{
    address::Address,
    home::{Home, NodeFault, Patience},
};
use super::{HotCopy, HotFault, HotSessions};
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
    home: Home,
    put: Script,
    limits: RedisLimits,
}

impl RedisSessions {
    /// Copies in the Redis at `url`. Connects on first use, so that it may be down now.
    ///
    /// # Errors
    /// When the address is malformed.
    pub fn new(url: &str, limits: RedisLimits, clock: Arc<dyn Clock>) -> Result<Self, HotFault> {
        // A late answer costs a shopper as much as none.
        let patience = Patience { wait: limits.wait, pause: limits.pause, late_max: 0 };
        let home = Home::new(url, patience, clock).map_err(HotFault)?;
        Ok(Self { home, put: Script::new(PUT), limits })
    }

    fn patience(&self) -> Instant {
        Instant::now() + self.limits.wait
    }
}

/// Whether an address can be used, with a way out if not. The reason repeats no part of it.
///
/// # Errors
/// When it is malformed.
pub fn check_address(url: &str) -> Result<(), String> {
    Address::parse(url).map(drop)
}

fn fault(fault: NodeFault) -> HotFault {
    HotFault(home::told(&fault))
}

/// One hash slot, whatever else a key may carry some day.
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
        let key = key(checkout);
        let mut get = redis::cmd("GET");
        get.arg(&key);
        let stored: Option<Vec<u8>> =
            self.home.ask(&key, &get, self.patience()).await.map_err(fault)?;
        Ok(stored.and_then(|stored| parse(&stored)))
    }

    async fn put(&self, checkout: CheckoutId, copy: HotCopy) -> Result<(), HotFault> {
        let ttl = u64::try_from(self.limits.ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let version = format!("{:0width$}", copy.version, width = VERSION_DIGITS);
        let key = key(checkout);
        let run = |how, script| {
            let mut run = redis::cmd(how);
            run.arg(script).arg(1).arg(&key).arg(&version).arg(&copy.body).arg(ttl);
            run
        };
        let until = self.patience();
        let known = run("EVALSHA", self.put.get_hash());
        let done = match self.home.ask::<i64>(&key, &known, until).await {
            Err(NodeFault::Answered(error)) if home::is(&error, ServerErrorKind::NoScript) => {
                self.home.ask(&key, &run("EVAL", PUT), until).await
            }
            done => done,
        };
        done.map(drop).map_err(fault)
    }

    async fn ping(&self) -> Result<(), HotFault> {
        self.home.ping(self.patience()).await.map_err(HotFault)
    }
}
