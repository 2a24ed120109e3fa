//! T1: the attempt is written and the holds are pinned, before the gateway hears of it.

use std::{ops::ControlFlow, sync::Arc};
use tracing::{Span, field};

use super::{
    answer::{Asked, CheckoutRefused, Reply},
    assess::{merged, risk, tried},
    count,
    crash::CrashPoint,
    desk::Checkout,
    open::stale,
    record::session_write,
    reopen::{Reopened, short_notices},
    saga::{Assessed, Attempt, Payment, Saga},
    session::Session,
};
use crate::{
    base::{AttemptId, OrderId},
    ledger::{LedgerRefused, Outcome, Shortage, entry::NewAttempt, row::SessionState},
    payment::Gateway,
};

/// How often T1 is decided again when grants close under it; the second time goes direct.
const DECISIONS_MAX: u32 = 4;

/// The gateway of an attempt that pays nothing.
const NO_GATEWAY: &str = "none";

impl Saga<'_> {
    pub(super) async fn begin(
        &mut self,
        payment: &Payment<'_>,
        assessed: &Assessed,
        gateway: Option<&Arc<dyn Gateway>>,
    ) -> Result<ControlFlow<Reply, Attempt>, CheckoutRefused> {
        self.reach(CrashPoint::BeforeBegin);
        let now = self.desk.now();
        let attempt = Attempt {
            id: AttemptId::new(now, &*self.desk.chance),
            order: OrderId::of(self.session.id),
            amount: self.session.totals.total,
            gateway: gateway.map_or(NO_GATEWAY, |gateway| gateway.name()).to_owned(),
            known: None,
            deadline: now.plus(self.desk.terms.gateway_deadline),
            waiting: Some(payment.asked.write(None, now)),
        };
        Span::current().record("attempt.id", field::display(attempt.id));
        let after = completing(self.desk, self.session, payment, assessed, &attempt);
        match self.desk.write_attempt(self.session, &after, &attempt, assessed).await? {
            Ok(_) => {}
            Err(LedgerRefused::KeyTaken(row)) => {
                return Ok(ControlFlow::Break(self.desk.replay(payment.asked, *row).await?));
            }
            Err(LedgerRefused::Short(short)) => {
                count::short(&short);
                return Ok(ControlFlow::Break(self.sold_out(payment.asked, short).await?));
            }
            Err(refused) => return Err(stale(&refused)),
        }
        *self.session = after;
        self.reach(CrashPoint::AfterBegin);
        Ok(ControlFlow::Continue(attempt))
    }

    /// A hold had lapsed and its units are gone. The session opens again with what it still has,
    /// and says so; the express lane leaves nothing.
    async fn sold_out(
        &mut self,
        asked: &Asked,
        shortages: Vec<Shortage>,
    ) -> Result<Reply, CheckoutRefused> {
        let session = self.session.clone();
        if session.express {
            let notices = short_notices(&session, &shortages);
            return Ok(self.desk.nothing(asked, &notices, Some(session.currency)).await?.1);
        }
        let reopened = Reopened { session, notices: Vec::new(), personal: false, assessment: None };
        let (after, reply) = self.desk.reopen(asked, reopened, shortages).await?;
        *self.session = after;
        Ok(reply)
    }
}

impl Checkout {
    /// Commits the attempt with the session it pins. Lapsed holds are taken again in the same fact.
    async fn write_attempt(
        &self,
        before: &Session,
        after: &Session,
        attempt: &Attempt,
        assessed: &Assessed,
    ) -> Result<Outcome, CheckoutRefused> {
        let mut claim = self.claim(before).await?;
        let personal = before.version == 0 || before.person != after.person;
        let judged = assessed.0.as_ref();
        let assessment = judged.map(|judged| self.assessment(after, judged, Some(attempt.id)));
        for decision in 0.. {
            let holds = claim.holds.clone();
            let (begun, key) = (Some(self.new_attempt(after, attempt)), attempt.waiting.clone());
            let mut write = session_write(after, holds, personal, begun, key, self.now());
            write.assessment.clone_from(&assessment);
            let outcome = self.commit(write).await;
            self.land(&mut claim).await;
            match outcome? {
                Err(LedgerRefused::GrantsClosed(_)) if decision < DECISIONS_MAX => claim.direct(),
                outcome => {
                    if outcome.is_ok() {
                        count::held(&claim.holds, &before.held);
                    }
                    return Ok(outcome);
                }
            }
        }
        Err(CheckoutRefused::Busy)
    }

    fn new_attempt(&self, session: &Session, attempt: &Attempt) -> NewAttempt {
        NewAttempt {
            id: attempt.id,
            order: OrderId::of(session.id),
            number: session.attempts,
            amount_minor: attempt.amount.minor(),
            currency: attempt.amount.currency(),
            gateway: attempt.gateway.clone(),
            deadline: attempt.deadline,
        }
    }
}

/// The session with a new payment attempt under way.
fn completing(
    desk: &Checkout,
    before: &Session,
    payment: &Payment<'_>,
    assessed: &Assessed,
    attempt: &Attempt,
) -> Session {
    let mut after = before.clone();
    after.version += 1;
    after.state = SessionState::Completing;
    after.attempts += 1;
    after.attempt = Some(attempt.id);
    after.instrument = payment.paying.means().map(|means| means.instrument.clone());
    after.challenge_url = None;
    after.challenge = None;
    after.notices.clear();
    desk.renew_lapsed(&mut after);
    after.person = merged(&before.person, &payment.person);
    after.risk = None;
    if let Some(judged) = &assessed.0 {
        tried(&mut after, judged, desk.now());
        let worth = desk.worth_in_judging(&after);
        after.risk = risk((&after, worth), judged.outcome, &judged.assessment);
    }
    after
}
