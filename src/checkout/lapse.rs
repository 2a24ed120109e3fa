//! Authorizations that nobody captures: told before they lapse, and let go when they do.

use serde_json::json;
use std::{collections::BTreeSet, time::Duration};

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

/// Uncaptured authorizations read at once.
const PAGE: u32 = 500;

/// Authorizations that were asked for in a span of time, and last equally long.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizedSpan {
    /// From then on.
    pub from: Timestamp,
    /// Before then.
    pub until: Timestamp,
    /// How long each can be captured.
    pub lasts: Duration,
}

impl Checkout {
    /// How long an authorization of this gateway can be captured: as it says, and no longer than
    /// is configured.
    pub(super) fn authorization_lasts(&self, gateway: &str) -> Duration {
        let said = self.gateways.named(gateway).and_then(|gateway| gateway.authorization_lasts());
        said.map_or(self.terms.authorization_ttl, |said| said.min(self.terms.authorization_ttl))
    }

    /// Every length of time that authorizations of this shop last.
    pub fn authorizations_last(&self) -> BTreeSet<Duration> {
        let mut all = BTreeSet::from([self.terms.authorization_ttl]);
        all.extend(self.gateways.all().map(|one| self.authorization_lasts(one.name())));
        all
    }

    /// Until when a person may decide about an order at this gateway: a seventh of the
    /// authorization's time is left to capture it, as of a week a day.
    pub(super) fn review_lasts(&self, gateway: &str) -> Duration {
        let lasts = self.authorization_lasts(gateway);
        self.terms.review_max.min(lasts - lasts / 7)
    }

    /// Tells of these authorizations that are not captured yet: they lapse soon. Each is told
    /// once, whoever looks. Returns how many.
    ///
    /// # Errors
    /// When the ledger cannot be reached; those told stay told.
    pub async fn tell_expiring(&self, asked: AuthorizedSpan) -> Result<usize, LedgerFault> {
        let mut told = 0;
        for (attempt, row) in self.uncaptured(asked).await? {
            let (order, at) = (row.id, self.now());
            let lapses_at = attempt.id.begun_at().plus(asked.lasts);
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

    /// Lets go of these authorizations that are not captured: nobody keeps them any longer. Returns
    /// how many.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round tries again.
    pub async fn void_lapsed(&self, asked: AuthorizedSpan) -> Result<usize, LedgerFault> {
        let mut voided = 0;
        for (_, row) in self.uncaptured(asked).await? {
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

    /// Orders with money to capture that such an authorization stands for. Those in review are left
    /// to their case, which ends by time before.
    async fn uncaptured(
        &self,
        asked: AuthorizedSpan,
    ) -> Result<Vec<(AttemptRow, OrderRow)>, LedgerFault> {
        let (mut after, until) = (AttemptId::least(asked.from), AttemptId::least(asked.until));
        let mut found = Vec::new();
        loop {
            let page = self.store.list_uncaptured(after, until, PAGE).await?;
            let Some(last) = page.last().map(|attempt| attempt.id) else { return Ok(found) };
            for attempt in page {
                if self.authorization_lasts(&attempt.gateway) != asked.lasts {
                    continue;
                }
                let Some(row) = self.store.find_order(attempt.order).await? else { continue };
                let waits = row.case == Some(CaseState::Open);
                if !waits && row.attempt == attempt.id && row.funds().capturable() > 0 {
                    found.push((attempt, row));
                }
            }
            after = last;
        }
    }
}
