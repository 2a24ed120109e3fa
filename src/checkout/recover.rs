//! Finds out what became of payment attempts nobody waits for any more, and settles them.

use super::{
    answer::CheckoutRefused,
    crash::CrashPoint,
    desk::Checkout,
    record::operation,
    saga::{Attempted, Saga, Step, Stop, Verdict},
    session::Session,
};
use crate::{
    base::{Money, Verification},
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
        let attempt = self.attempted(&row).await?;
        let Some(found) = self.ask_what_became(&attempt).await else {
            metrics::reconciled(Settlement::Unanswered);
            return Ok(());
        };
        tracing::info!(attempt = %id, checkout = %session.id, ?found, "recovered an attempt");
        metrics::reconciled(match &found {
            Ok(_) => Settlement::Sold,
            Err(Verdict::Unheard) => Settlement::Unheard,
            Err(_) => Settlement::Declined,
        });
        // Judged before this process began perhaps: a second look and velocity need it again.
        let judged = self.fraud.judged_before(session.id, id).await?;
        let mut saga = Saga {
            desk: self,
            session,
            asked: None,
            tender: None,
            attempt: Some(attempt),
            authorization: None,
            judged,
            verification: Verification::default(),
            second_look: None,
            reply: None,
        };
        let settled = match found {
            Ok(granted) => {
                saga.granted(granted);
                saga.run(Step::Place).await
            }
            Err(verdict) => saga.stop_before(Step::Authorize, Stop::Verdict(verdict)).await,
        };
        match settled {
            // No key waits, so there is no answer; the session is settled all the same.
            Ok(_) | Err(CheckoutRefused::KeyInFlight) => Ok(()),
            Err(refused) => Err(refused),
        }
    }

    /// Asks about an attempt the gateway had never heard of. A late call may have acted since: its
    /// authorization is let go.
    pub async fn watch(&self, row: &AttemptRow) -> Result<(), CheckoutRefused> {
        let found = match self.gateway.find(row.id).await {
            Ok(found) => found,
            Err(fault) => {
                tracing::warn!(attempt = %row.id, %fault, "the gateway tells nothing");
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
        tracing::warn!(attempt = %row.id, "a late authorization was found; voiding it");
        metrics::reconciled(Settlement::Voided);
        let amount = Money::from_minor(row.amount_minor, row.currency);
        self.owe(OperationRow {
            operation: operation(row.id, OperationKind::Void, &authorization, amount),
            state: OperationState::Due,
            currency: row.currency,
            order: row.order,
        })
        .await
    }

    /// The attempt with the request that waits for it, as its key tells.
    async fn attempted(&self, row: &AttemptRow) -> Result<Attempted, CheckoutRefused> {
        let mut key = None;
        if let Some((caller, name)) = &row.waiting {
            let stored = self.store.find_key(caller, name).await?;
            key = stored.filter(|stored| stored.answer.is_none()).map(|stored| KeyWrite {
                caller: caller.clone(),
                key: name.clone(),
                fingerprint: stored.fingerprint,
                dialect: stored.dialect,
                answer: None,
                now: self.now(),
            });
        }
        let amount = Money::from_minor(row.amount_minor, row.currency);
        Ok(Attempted { id: row.id, amount, deadline: row.deadline, key })
    }
}
