//! The hot copy's one door.

use async_trait::async_trait;

use crate::base::CheckoutId;

/// A copy of a session with the version it shows. May be stale, may be gone: the ledger decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotCopy {
    /// The version it shows.
    pub version: u32,
    /// The session, as its owner wrote it.
    pub body: Vec<u8>,
}

/// The copy could not be read or written. Never a reason to refuse anybody.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the session cache is unavailable: {0}")]
pub struct HotFault(pub String);

/// Keeps hot copies of sessions.
#[async_trait]
pub trait HotSessions: Send + Sync + 'static {
    /// The copy of a session, when there is one.
    async fn find(&self, checkout: CheckoutId) -> Result<Option<HotCopy>, HotFault>;

    /// Keeps a copy for a while, unless a newer version stands already.
    async fn put(&self, checkout: CheckoutId, copy: HotCopy) -> Result<(), HotFault>;

    /// Whether the copy's home answers.
    async fn ping(&self) -> Result<(), HotFault>;
}
