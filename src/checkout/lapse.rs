//! Authorizations that nobody captures: told before they lapse, and let go when they do.

use serde_json::json;
use std::time::Duration;

use super::{change::ChangeWish, desk::Checkout, record::event};
use crate::{
    base::{AttemptId, ChangeId, EventId, Timestamp},
    ledger::{
        Entry, EntryId, Fact, LedgerFault,
        entry::MoneyWish,
        review::CaseState,
        row::{AttemptRow, OrderRow},
    },
};

/// So long before an authorization lapses one may have begun that a process that has just started
/// has not told of yet; and so long ago one may have lapsed while none ran.
pub const LOOK_BACK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Checkout {
    /// Tells of the authorizations that were asked for in this time and are not captured yet:
    /// they lapse soon. Each is told once, whoever looks. Returns how many.
    ///
    /// # Errors
    /// When the ledger cannot be reached; those told stay told.
    pub async fn tell_expiring(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<usize, LedgerFault> {
        let mut told = 0;
        for (attempt, row) in self.uncaptured(from, until, limit).await? {
            let (order, at) = (row.id, self.now());
            let lapses_at = attempt.id.begun_at().plus(self.terms.authorization_ttl);
            let body = json!({ "order": order, "lapses_at": lapses_at,
                "amount_minor": row.funds().capturable(), "currency": row.currency });
            let expiring =
                event(EventId::new(at, &*self.chance), order, "payment.expiring", &body, at);
            let name = ChangeId::named(order, "authorization expires");
            let wish = ChangeWish::of(name, order, at);
            let mut change = self.change(wish, self.sale(&row).await?, None);
            change.events = vec![expiring];
            let entry = Entry::new(EntryId::of(name), Fact::Change(Box::new(change)));
            told += usize::from(self.writer.write(entry).await?.is_ok());
        }
        Ok(told)
    }

    /// Lets go of the authorizations that were asked for in this time and are not captured: the
    /// issuer keeps them no longer. Returns how many.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round tries again.
    pub async fn void_lapsed(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<usize, LedgerFault> {
        let mut voided = 0;
        for (_, row) in self.uncaptured(from, until, limit).await? {
            let name = ChangeId::named(row.id, "authorization lapsed");
            let (money, reason) = (MoneyWish::Void, "the authorization lapsed".to_owned());
            let wish = ChangeWish { money, reason, ..ChangeWish::of(name, row.id, self.now()) };
            // Whoever captured or let it go meanwhile was first.
            let outcome = self.change_order(wish, None).await?;
            tracing::info!(order.id = %row.id, ?outcome, "an authorization lapsed uncaptured");
            voided += usize::from(outcome.is_ok());
        }
        Ok(voided)
    }

    /// Orders with money to capture whose attempt began in this time. Those in review are left to
    /// their case, which ends by time before.
    async fn uncaptured(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AttemptRow, OrderRow)>, LedgerFault> {
        let (after, until) = (AttemptId::least(from), AttemptId::least(until));
        let mut found = Vec::new();
        for attempt in self.store.list_uncaptured(after, until, limit).await? {
            let Some(row) = self.store.find_order(attempt.order).await? else { continue };
            let waits = row.case == Some(CaseState::Open);
            if !waits && row.attempt == attempt.id && row.funds().capturable() > 0 {
                found.push((attempt, row));
            }
        }
        Ok(found)
    }
}
