//! Reads a session back: the hot copy when it is current, else the ledger.

use super::{
    answer::CheckoutRefused,
    desk::Checkout,
    record::{document, from_row},
    session::Session,
};
use crate::{
    base::{CheckoutId, Sealed, Sku},
    ledger::row::{HoldRow, SessionRow},
    sessions::{HotCopy, HotSessions},
};

impl Checkout {
    /// A session as it stands now.
    pub async fn load(&self, checkout: CheckoutId) -> Result<Option<Session>, CheckoutRefused> {
        if let Some(session) = self.load_hot(checkout).await {
            return Ok(Some(session));
        }
        let row = self.store.find_session(checkout).await?;
        Ok(row.map(from_row).transpose()?)
    }

    /// The hot copy, if the ledger still stands at its version. Any trouble here means: ask the
    /// ledger.
    async fn load_hot(&self, checkout: CheckoutId) -> Option<Session> {
        let copy = self.shared_copies()?.find(checkout).await.ok()??;
        let current = self.store.find_version(checkout).await.ok()?;
        if current != Some(copy.version) {
            return None;
        }
        let row: SessionRow = serde_json::from_slice(&copy.body).ok()?;
        from_row(row).ok()
    }

    /// Whether this copy is the session as it stands. Alone on the database, memory is.
    pub async fn is_current(&self, session: &Session) -> Result<bool, CheckoutRefused> {
        if self.store.is_exclusive() {
            return Ok(true);
        }
        Ok(self.store.find_version(session.id).await? == Some(session.version))
    }

    /// The hot copies, where another replica could read them. Alone on the database, memory and the
    /// ledger are all there is.
    fn shared_copies(&self) -> Option<&dyn HotSessions> {
        self.hot.as_deref().filter(|_| !self.store.is_exclusive())
    }

    /// Keeps a hot copy of a session that may still change. Losing it costs a read.
    pub async fn keep_hot(&self, session: &Session) {
        let Some(hot) = self.shared_copies().filter(|_| !session.state.is_final()) else { return };
        let hold = |(sku, quantity): &(Sku, u32)| HoldRow {
            checkout: session.id,
            sku: sku.clone(),
            quantity: *quantity,
            expires_at: session.hold_until,
            pinned_by: None,
        };
        let row = SessionRow {
            checkout: session.id,
            version: session.version,
            state: session.state,
            expires_at: session.expires_at,
            body: document(session),
            personal: Some(Sealed::seal_json(&session.person)),
            holds: session.held.iter().map(hold).collect(),
        };
        let Ok(body) = serde_json::to_vec(&row) else { return };
        // A fault is counted where it happens; the copy is only for speed.
        let _gone = hot.put(session.id, HotCopy { version: session.version, body }).await;
    }
}
