//! Finds out what became of payment attempts nobody waits for any more, and settles them.

use tracing::{Span, field};

use super::{
    answer::CheckoutRefused,
    collect::Debt,
    crash::CrashPoint,
    desk::Checkout,
    record::operation,
    saga::{Assessed, Attempt, Ended, GatewayAnswer, Saga, Verdict},
    session::Session,
};
use crate::{
    base::Money,
    ledger::{
        entry::KeyWrite,
        row::{
            AttemptRow, AttemptState, OperationKind, OperationRow, OperationState, SessionState,
        },
    },
    payment::{Authorized, Found},
    telemetry::metrics::{self, Settlement},
};

impl Checkout {
    /// Settles the attempt that pins this session, once its deadline has passed: an authorization
    /// becomes the order, a decline or "never heard of it" reopens the session. Whoever waits with
    /// an idempotency key finds the answer under it. While the gateway says nothing, nothing
    /// changes.
    pub async fn recover(&self, session: &mut Session) -> Result<(), CheckoutRefused> {
        let Some(id) = session.attempt.filter(|_| session.state == SessionState::Completing) else {
            return Ok(());
        };
        let Some(row) = self.store.find_attempt(id).await? else { return Ok(()) };
        if row.state != AttemptState::Pending || self.now() < row.deadline {
            return Ok(());
        }
        self.probe.reach(CrashPoint::InRecovery);
        Span::current().record("attempt.id", field::display(id));
        let attempt = self.attempted(&row).await?;
        let found = match self.ask_what_became(&attempt).await {
            GatewayAnswer::Granted(granted) => Ok(granted),
            GatewayAnswer::Refused(verdict) => Err(verdict),
            GatewayAnswer::Unknown => {
                metrics::reconciled(Settlement::Unanswered);
                return Ok(());
            }
        };
        tracing::info!(attempt.id = %id, checkout.id = %session.id, ?found, "recovered an attempt");
        metrics::reconciled(match &found {
            Ok(_) => Settlement::Sold,
            Err(Verdict::Unheard) => Settlement::Unheard,
            Err(_) => Settlement::Declined,
        });
        // Judged before this process began perhaps: a second look and velocity need it again.
        let assessed = Assessed(self.fraud.judged_before(session.id, id).await?);
        let mut saga = Saga { desk: self, session };
        let ended = match found {
            Ok(granted) => saga.finish(&assessed, &attempt, &granted).await?,
            Err(verdict) => saga.settle(&assessed, &attempt, verdict.into()).await?,
        };
        match ended {
            // Whoever waits finds the answer under the key.
            Ended::Replied(_) | Ended::NobodyWaits => Ok(()),
        }
    }

    /// Asks about an attempt the gateway had never heard of. A late call may have acted since: its
    /// authorization is let go.
    pub async fn watch(&self, row: &AttemptRow) -> Result<(), CheckoutRefused> {
        let found = match self.find(&row.gateway, &row.into()).await {
            Ok(found) => found,
            Err(fault) => {
                tracing::warn!(attempt.id = %row.id, %fault, "the gateway tells nothing");
                return Ok(());
            }
        };
        let Found::Answered {
            answer: Authorized::Approved { authorization, .. },
            voided: false,
            ..
        } = found
        else {
            return Ok(());
        };
        tracing::warn!(attempt.id = %row.id, "a late authorization was found; voiding it");
        metrics::reconciled(Settlement::Voided);
        let amount = Money::from_minor(row.amount_minor, row.currency);
        let owed = OperationRow {
            operation: operation(row.id, OperationKind::Void, &authorization, amount),
            state: OperationState::Due,
            currency: row.currency,
            order: row.order,
        };
        self.owe(Debt { row: owed, gateway: Some(row.gateway.clone()) }).await
    }

    /// The attempt with the request that waits for it, as its key tells.
    async fn attempted(&self, row: &AttemptRow) -> Result<Attempt, CheckoutRefused> {
        let mut waiting = None;
        if let Some((caller, name)) = &row.waiting {
            let stored = self.store.find_key(caller, name).await?;
            waiting = stored.filter(|stored| stored.answer.is_none()).map(|stored| KeyWrite {
                caller: caller.clone(),
                key: name.clone(),
                fingerprint: stored.fingerprint,
                dialect: stored.dialect,
                answer: None,
                now: self.now(),
            });
        }
        let amount = Money::from_minor(row.amount_minor, row.currency);
        Ok(Attempt {
            id: row.id,
            order: row.order,
            amount,
            gateway: row.gateway.clone(),
            deadline: row.deadline,
            waiting,
        })
    }
}
