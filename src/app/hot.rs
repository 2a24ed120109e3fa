//! The hot copies of sessions that replicas share.

use std::sync::Arc;

use crate::{
    base::Clock,
    config::Config,
    sessions::{HotSessions, RedisLimits, RedisSessions},
};

/// Hot copies in Redis; `None` without one: each session is in its cart's memory alone.
pub(super) fn open(
    config: &Config,
    limits: RedisLimits,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Arc<dyn HotSessions>>> {
    let Some(url) = &config.storage.redis else { return Ok(None) };
    let sessions = RedisSessions::new(url.expose(), limits, clock.clone())?;
    Ok(Some(Arc::new(sessions)))
}
