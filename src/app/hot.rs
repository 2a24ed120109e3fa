//! The hot copies of sessions that replicas share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    base::Clock,
    config::Config,
    sessions::{HotSessions, RedisLimits, RedisSessions},
    telemetry::metrics,
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

/// Sets the gauge, and logs when Redis goes and comes. Where there is none, nothing is missing.
pub(super) async fn look(hot: Option<&dyn HotSessions>, was_up: &AtomicBool) {
    let fault = match hot {
        Some(hot) => hot.ping().await.err(),
        None => None,
    };
    metrics::redis_up(fault.is_none());
    match (was_up.swap(fault.is_none(), Ordering::Relaxed), fault) {
        (true, Some(fault)) => tracing::warn!(%fault, "carts are read from the ledger: {fault}"),
        (false, None) => tracing::info!("Redis answers again"),
        _ => {}
    }
}
