//! Looks into what gateways have told: a notification is a hint, and what is true the gateway says
//! when it is asked. So early, late, repeated and reordered ones all end in the same state.

use std::{sync::Arc, time::Duration};

use super::registry::Carts;
use crate::{
    base::{Money, Timestamp},
    checkout::{Checkout, CheckoutRefused, Debt},
    ledger::{
        LedgerFault,
        row::{AttemptRow, AttemptState, OperationKind, OperationRow, OperationState},
    },
    payment::{
        About, Dispute, Lookup, Named, Warning,
        inbox::{Inbox, NotificationRow},
    },
};

/// Notifications looked into in one round.
const PAGE: u32 = 200;

/// A hint about a payment that is still open is followed so often: in a minute the gateway has
/// made up its mind, or tells once more.
const TRIES_MAX: u32 = 6;

/// The first pause before a hint is followed again; doubles.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks into notifications.
pub struct Notifications {
    /// What was told.
    pub inbox: Inbox,
    /// The live carts.
    pub carts: Arc<Carts>,
    /// The checkout.
    pub desk: Arc<Checkout>,
}

/// What looking into a notification came to.
enum Looked {
    /// All that it tells is known.
    Into(&'static str),
    /// Not everything is known yet.
    Again(&'static str),
}

impl Notifications {
    /// Looks into what is in this inbox.
    pub fn of(inbox: &Inbox, carts: &Arc<Carts>, desk: &Arc<Checkout>) -> Self {
        Self { inbox: inbox.clone(), carts: carts.clone(), desk: desk.clone() }
    }

    /// Looks into everything that is due. Returns how many notifications that were.
    ///
    /// # Errors
    /// When the ledger cannot be reached; what is left stays due.
    pub async fn round(&self) -> Result<usize, LedgerFault> {
        let due = self.inbox.list_due(self.desk.now(), PAGE).await?;
        for row in &due {
            let (outcome, again) = match self.look_into(row).await {
                Ok(Looked::Into(outcome)) => (outcome, false),
                Ok(Looked::Again(outcome)) => (outcome, true),
                Err(refused) => {
                    tracing::warn!(
                        gateway = row.gateway, event.id = row.id, %refused,
                        "a notification could not be looked into"
                    );
                    ("fault", true)
                }
            };
            let again = again.then(|| self.next(row)).flatten();
            self.inbox.settle(row, outcome, again).await?;
        }
        Ok(due.len())
    }

    fn next(&self, row: &NotificationRow) -> Option<Timestamp> {
        let pause = PAUSE.saturating_mul(1 << row.tries.min(TRIES_MAX));
        (row.tries < TRIES_MAX).then(|| self.desk.now().plus(pause))
    }

    async fn look_into(&self, row: &NotificationRow) -> Result<Looked, CheckoutRefused> {
        let Some(named) = row.about.payment() else {
            return Ok(Looked::Into("not about a payment"));
        };
        let Some(attempt) = self.attempt_of(row, named).await? else {
            return Ok(Looked::Into("of no payment of ours"));
        };
        if !is_ours(row, named, &attempt) {
            return Ok(Looked::Into("foreign"));
        }
        match &row.about {
            About::Dispute(dispute) => self.dispute(row, &attempt, dispute).await,
            About::Warning(warning) => self.warning(row, &attempt, warning).await,
            // Who waits for its end asks by itself.
            About::Accepted { .. } => Ok(Looked::Into("accepted")),
            // What ended a payment that is not settled yet.
            About::Moved { .. } if attempt.state == AttemptState::Pending => {
                self.tend(&attempt).await
            }
            About::Moved { kind, part, amount, ended, .. } => {
                let order = self.desk.store.find_order(attempt.order).await?;
                let operations = order.into_iter().flat_map(|order| order.operations);
                let mut due = operations.filter(|due| due.state == OperationState::Due);
                let of_part = |due: &OperationRow| {
                    let operation = &due.operation;
                    operation.attempt == attempt.id
                        && operation.kind == *kind
                        && operation.part() == *part
                };
                let Some(due) = due.find(of_part) else { return Ok(Looked::Into("known")) };
                if *kind != OperationKind::Void && amount.is_some_and(|told| told != owed(&due)) {
                    let operation = due.operation.id;
                    tracing::error!(
                        gateway = row.gateway, event.id = row.id, operation.id = %operation,
                        told = ?amount, owed = %owed(&due),
                        "a notification tells of another amount than is owed"
                    );
                    return Ok(Looked::Into("of another amount"));
                }
                let (gateway, ended) = (Some(attempt.gateway), Some(ended.clone()));
                self.desk.collector.collect(Debt { row: due, gateway, ended });
                Ok(Looked::Again("moved"))
            }
            About::Payment(_) | About::Answered { .. } | About::Other => self.tend(&attempt).await,
        }
    }

    /// Lets the cart ask what became of it.
    async fn tend(&self, attempt: &AttemptRow) -> Result<Looked, CheckoutRefused> {
        match attempt.state {
            AttemptState::Pending => {}
            AttemptState::Authorized => return Ok(Looked::Into("known")),
            // It came to nothing, and the gateway tells of it: what is late is let go.
            AttemptState::Declined | AttemptState::Challenged | AttemptState::Unheard => {
                self.desk.watch(attempt).await?;
                return Ok(Looked::Into("ended"));
            }
        }
        self.carts.tend(attempt.checkout).await?;
        let now = self.desk.store.find_attempt(attempt.id).await?;
        let is_open = now.is_some_and(|attempt| attempt.state == AttemptState::Pending);
        Ok(if is_open { Looked::Again("still open") } else { Looked::Into("settled") })
    }

    async fn warning(
        &self,
        row: &NotificationRow,
        attempt: &AttemptRow,
        warning: &Warning,
    ) -> Result<Looked, CheckoutRefused> {
        let Some(order) = self.desk.store.find_order(attempt.order).await? else {
            return Ok(Looked::Into("of no order"));
        };
        self.desk.warned(&row.gateway, &order, warning).await?;
        Ok(Looked::Into("warned"))
    }

    async fn dispute(
        &self,
        row: &NotificationRow,
        attempt: &AttemptRow,
        dispute: &Dispute,
    ) -> Result<Looked, CheckoutRefused> {
        let Some(order) = self.desk.store.find_order(attempt.order).await? else {
            return Ok(Looked::Into("of no order"));
        };
        self.desk.dispute(&row.gateway, &order, dispute).await?;
        Ok(Looked::Into("disputed"))
    }

    /// The attempt a notification is about: by our name, else by the one that the gateway tells us
    /// for its own.
    async fn attempt_of(
        &self,
        row: &NotificationRow,
        named: &Named,
    ) -> Result<Option<AttemptRow>, CheckoutRefused> {
        let reference = match (named.reference, &named.id) {
            (Some(reference), _) => Some(reference),
            (None, Some(id)) => match self.desk.gateways.named(&row.gateway) {
                Some(gateway) => gateway.reference_of(id).await.map_err(|fault| {
                    CheckoutRefused::Ledger(LedgerFault::Unreachable(fault.to_string()))
                })?,
                None => None,
            },
            (None, None) => None,
        };
        match reference {
            Some(reference) => Ok(self.desk.store.find_attempt(reference).await?),
            None => Ok(None),
        }
    }
}

/// What a debt is of.
const fn owed(due: &OperationRow) -> Money {
    Money::from_minor(due.operation.amount_minor, due.currency)
}

/// Whether it tells of this attempt: one that went to this gateway, for this amount, under the name
/// that it is known by.
fn is_ours(row: &NotificationRow, named: &Named, attempt: &AttemptRow) -> bool {
    let Lookup { amount, known, .. } = attempt.into();
    let is_amount = named.amount.is_none_or(|told| told == amount);
    let is_known = known.is_none() || named.id.is_none() || known == named.id;
    let is_ours = attempt.gateway == row.gateway && is_amount && is_known;
    if !is_ours {
        tracing::error!(
            gateway = row.gateway, event.id = row.id, kind = row.kind, attempt.id = %attempt.id,
            told = ?named.amount, asked = %amount,
            "a notification names a payment of ours and tells of another one"
        );
    }
    is_ours
}
