//! T1: the attempt is written and the holds are pinned, before the gateway hears of it.

use super::{
    answer::{Asked, CheckoutRefused, Reply, Tender},
    assess::{merged, risk, tried},
    count,
    crash::CrashPoint,
    desk::Checkout,
    open::stale,
    record::session_write,
    reopen::{Reopened, short_notices},
    saga::{Attempted, Saga, Stop},
    session::Session,
};
use crate::{
    base::{AttemptId, OrderId},
    fraud::Judged,
    ledger::{
        LedgerRefused, Outcome, Shortage,
        entry::{KeyWrite, NewAttempt},
        row::SessionState,
    },
};

/// How often T1 is decided again when grants close under it; the second time goes direct.
const DECISIONS_MAX: u32 = 4;

/// The gateway of an attempt that pays nothing.
const NO_GATEWAY: &str = "none";

impl Saga<'_> {
    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        self.reach(CrashPoint::BeforeBegin);
        let (Some(asked), Some(tender)) = (self.asked, self.tender.as_ref()) else {
            return Err(Stop::Later(CheckoutRefused::KeyInFlight));
        };
        let after = completing(self.desk, self.session, tender, self.judged.as_ref());
        let key = asked.write(None, self.desk.now());
        let judged = self.judged.as_ref();
        match self.desk.write_attempt(self.session, &after, &key, judged).await? {
            Ok(_) => {}
            Err(LedgerRefused::KeyTaken(row)) => {
                return Err(Stop::Answered(self.desk.replay(asked, *row).await?));
            }
            Err(LedgerRefused::Short(short)) => {
                count::short(&short);
                return Err(Stop::Answered(self.sold_out(asked, short).await?));
            }
            Err(refused) => return Err(Stop::Later(stale(&refused))),
        }
        self.attempt = after.attempt.map(|id| Attempted {
            id,
            amount: after.totals.total,
            deadline: self.desk.now().plus(self.desk.terms.gateway_deadline),
            key: Some(key),
        });
        *self.session = after;
        self.reach(CrashPoint::AfterBegin);
        Ok(())
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
        key: &KeyWrite,
        judged: Option<&Judged>,
    ) -> Result<Outcome, CheckoutRefused> {
        let mut claim = self.claim(before).await?;
        let personal = before.version == 0 || before.person != after.person;
        let assessment = judged.map(|judged| self.assessment(after, judged, after.attempt));
        for decision in 0.. {
            let attempt = self.new_attempt(after);
            let holds = claim.holds.clone();
            let key = Some(key.clone());
            let mut write = session_write(after, holds, personal, attempt, key, self.now());
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

    fn new_attempt(&self, session: &Session) -> Option<NewAttempt> {
        Some(NewAttempt {
            id: session.attempt?,
            order: OrderId::of(session.id),
            number: session.attempts,
            amount_minor: session.totals.total.minor(),
            currency: session.currency,
            gateway: session.due().map_or(NO_GATEWAY, |_| self.gateway.name()).to_owned(),
            deadline: self.now().plus(self.terms.gateway_deadline),
        })
    }
}

/// The session with a new payment attempt under way.
fn completing(
    desk: &Checkout,
    before: &Session,
    tender: &Tender,
    judged: Option<&Judged>,
) -> Session {
    let now = desk.now();
    let mut after = before.clone();
    after.version += 1;
    after.state = SessionState::Completing;
    after.attempts += 1;
    after.attempt = Some(AttemptId::new(now, &*desk.chance));
    after.instrument = tender.means.as_ref().map(|means| means.instrument.clone());
    after.challenge_url = None;
    after.notices.clear();
    desk.renew_lapsed(&mut after);
    after.person = merged(&before.person, &tender.person);
    after.risk = None;
    if let Some(judged) = judged {
        tried(&mut after, judged, now);
        after.risk = risk(&after, judged.outcome, &judged.assessment);
    }
    after
}
