//! T1: the attempt is written and the holds are pinned, before the gateway hears of it.

use super::{
    answer::{Asked, CheckoutRefused, Reply, Tender},
    count,
    crash::CrashPoint,
    desk::Checkout,
    open::{merge, stale},
    quote::shortage_notice,
    record::session_write,
    saga::{Attempted, Saga, Stop},
    session::Session,
};
use crate::{
    base::{AttemptId, OrderId, Sku},
    ledger::{
        LedgerRefused, Outcome, Shortage,
        entry::{HoldWanted, KeyWrite, NewAttempt, Source},
        row::SessionState,
    },
};

/// How often T1 is decided again when grants close under it; the second time goes direct.
const DECISIONS_MAX: u32 = 4;

impl Saga<'_> {
    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        self.reach(CrashPoint::BeforeBegin);
        let (Some(asked), Some(tender)) = (self.asked, self.tender.as_ref()) else {
            return Err(Stop::Later(CheckoutRefused::KeyInFlight));
        };
        let after = completing(self.desk, self.session, tender);
        let key = asked.write(None, self.desk.now());
        match self.desk.write_attempt(self.session, &after, &key).await? {
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
    /// and says so; the express lane leaves nothing. Another hold may lapse meanwhile: it is then
    /// named as well.
    async fn sold_out(
        &mut self,
        asked: &Asked,
        mut shortages: Vec<Shortage>,
    ) -> Result<Reply, CheckoutRefused> {
        for _ in 0..DECISIONS_MAX {
            let after = self.without(&shortages);
            if after.express {
                return Ok(self.desk.nothing(asked, &after.notices, Some(after.currency)).await?.1);
            }
            let keep = |(sku, quantity): &(Sku, u32)| HoldWanted {
                sku: sku.clone(),
                quantity: *quantity,
                source: Source::Direct,
            };
            let holds = after.held.iter().map(keep).collect();
            let key = self.desk.answered(&asked.write(None, self.desk.now()), &after);
            let answer = key.answer.clone();
            let write = session_write(&after, holds, false, None, Some(key), self.desk.now());
            match self.desk.commit(write).await? {
                Ok(_) => {
                    count::told(&after.notices);
                    *self.session = after;
                    return answer.map(Reply::Done).ok_or(CheckoutRefused::KeyInFlight);
                }
                Err(LedgerRefused::Short(more)) => {
                    count::short(&more);
                    merge(&mut shortages, more);
                }
                Err(LedgerRefused::KeyTaken(row)) => return self.desk.replay(asked, *row).await,
                Err(refused) => return Err(stale(&refused)),
            }
        }
        Err(CheckoutRefused::Busy)
    }

    /// The session as it stands without what it can no longer have, one version on.
    fn without(&self, shortages: &[Shortage]) -> Session {
        let is_short = |sku: &Sku| shortages.iter().find(|short| short.sku == *sku);
        let notices = self.session.lines.iter().filter_map(|line| {
            let short = is_short(&line.sku)?;
            Some(shortage_notice(line, short.available.min(line.quantity.saturating_sub(1))))
        });
        let mut after = self.session.clone();
        after.notices = notices.collect();
        after.version += 1;
        after.hold_until = self.desk.now().plus(self.desk.terms.hold_ttl);
        after.held.retain(|(sku, _)| is_short(sku).is_none());
        after
    }
}

impl Checkout {
    /// Commits the attempt with the session it pins. Lapsed holds are taken again in the same fact.
    async fn write_attempt(
        &self,
        before: &Session,
        after: &Session,
        key: &KeyWrite,
    ) -> Result<Outcome, CheckoutRefused> {
        let mut claim = self.claim(before).await?;
        let personal = before.version == 0 || before.person != after.person;
        for decision in 0.. {
            let attempt = self.new_attempt(after);
            let holds = claim.holds.clone();
            let key = Some(key.clone());
            let write = session_write(after, holds, personal, attempt, key, self.now());
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
            gateway: self.gateway.name().to_owned(),
            deadline: self.now().plus(self.terms.gateway_deadline),
        })
    }
}

/// The session with a new payment attempt under way.
fn completing(desk: &Checkout, before: &Session, tender: &Tender) -> Session {
    let now = desk.now();
    let mut after = before.clone();
    after.version += 1;
    after.state = SessionState::Completing;
    after.attempts += 1;
    after.attempt = Some(AttemptId::new(now, &*desk.chance));
    after.instrument = Some(tender.instrument.clone());
    after.challenge_url = None;
    after.notices.clear();
    after.hold_until = now.plus(desk.terms.hold_ttl);
    let given = &tender.person;
    let person = &mut after.person;
    person.buyer = given.buyer.clone().or(person.buyer.take());
    person.billing = given.billing.clone().or(person.billing.take());
    person.shipping = given.shipping.clone().or(person.shipping.take());
    person.ip = given.ip.clone().or(person.ip.take());
    after
}
