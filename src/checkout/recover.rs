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
    payment::{Authorized, Found, Lookup},
    telemetry::metrics::{self, Settlement},
};

impl Checkout {
    /// Settles the attempt that pins this session, once its deadline has passed: an authorization
    /// becomes the order, a decline or "never heard of it" reopens the session. Whoever waits with
    /// an idempotency key finds the answer under it. While the gateway says nothing, nothing
    /// changes. One that waits for its buyer is asked about whenever somebody looks, and ended when
    /// its time is over.
    pub async fn recover(&self, session: &mut Session) -> Result<(), CheckoutRefused> {
        self.settle_pending(session, false).await
    }

    /// The same; `ends` what waits for its buyer at the gateway, which may find that the buyer was
    /// faster.
    pub(super) async fn settle_pending(
        &self,
        session: &mut Session,
        ends: bool,
    ) -> Result<(), CheckoutRefused> {
        let Some(id) = session.attempt.filter(|_| session.state == SessionState::Completing) else {
            return Ok(());
        };
        let Some(row) = self.store.find_attempt(id).await? else { return Ok(()) };
        let is_challenged = row.challenge.is_some();
        if row.state != AttemptState::Pending {
            // Another replica was faster.
            if let Some(now) = self.load(session.id).await? {
                *session = now;
            }
            return Ok(());
        }
        let is_over = self.now() >= row.deadline;
        if !is_over && !is_challenged {
            return Ok(());
        }
        self.probe.reach(CrashPoint::InRecovery);
        Span::current().record("attempt.id", field::display(id));
        let attempt = self.attempted(&row).await?;
        let answer = match (is_challenged, ends || is_over) {
            (true, true) => self.end_attempt(&attempt).await,
            (true, false) => self.resume(&attempt, None).await,
            (false, _) => match self.ask_what_became(&attempt).await {
                GatewayAnswer::Unknown if !self.can_find(&attempt) => {
                    self.end_attempt(&attempt).await
                }
                answer => answer,
            },
        };
        tracing::info!(attempt.id = %id, checkout.id = %session.id, ?answer, "asked about it");
        metrics::reconciled(match &answer {
            GatewayAnswer::Granted(_) => Settlement::Sold,
            GatewayAnswer::Refused(Verdict::Unheard) => Settlement::Unheard,
            GatewayAnswer::Refused(_) => Settlement::Declined,
            GatewayAnswer::Challenged(_) | GatewayAnswer::Unknown => Settlement::Unanswered,
        });
        // Judged before this process began perhaps: a second look and velocity need it again.
        let assessed = Assessed(self.fraud.judged_before(session.id, id).await?);
        let mut saga = Saga { desk: self, session };
        let ended = match answer {
            GatewayAnswer::Granted(granted) => saga.finish(&assessed, &attempt, &granted).await?,
            GatewayAnswer::Refused(verdict) => {
                saga.settle(&assessed, &attempt, verdict.into()).await?
            }
            // Its answer got lost, and the buyer has not heard of it yet.
            GatewayAnswer::Challenged(challenge) if !is_challenged => {
                saga.challenge(&attempt, challenge, None).await?
            }
            GatewayAnswer::Challenged(_) | GatewayAnswer::Unknown => return Ok(()),
        };
        match ended {
            // Whoever waits finds the answer under the key.
            Ended::Replied(_) | Ended::NobodyWaits => Ok(()),
        }
    }

    /// Asks about an attempt that has ended without an order. A late call, or a buyer who was late,
    /// may have acted since: that authorization is let go.
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
        self.owe(Debt { row: owed, gateway: Some(row.gateway.clone()), ended: None }).await
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
        Ok(Attempt { waiting, ..self.unasked(row) })
    }

    /// The attempt, which no request waits for.
    pub(super) fn unasked(&self, row: &AttemptRow) -> Attempt {
        Attempt {
            id: row.id,
            order: row.order,
            amount: Money::from_minor(row.amount_minor, row.currency),
            gateway: row.gateway.clone(),
            known: Lookup::from(row).known,
            deadline: row.deadline,
            waiting: None,
        }
    }
}
