//! Judges a payment before it begins, and once more on what the issuer said.

use std::{collections::BTreeSet, ops::ControlFlow};

use super::{
    answer::{Asked, CheckoutRefused, Declined, Reply, Shown},
    count,
    desk::{Checkout, unexpected},
    reopen::Reopened,
    saga::{Assessed, Attempt, Failed, Granted, Payment, Saga, Verdict},
    session::{Line, Notice, Risk, Session, Tried},
};
use crate::{
    base::{AssessmentId, AttemptId, OrderId, Person, Timestamp, Verification},
    catalog::{GroupId, StockPolicy},
    fraud::{
        Judged,
        assessment::{Assessment, Outcome},
        history::Past,
        rates::expected_loss,
        signals::{Discounts, Goods, Signals},
    },
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        review::{Assess, NewAssessment, NewCase},
    },
    payment::{Decline, DeclineCode},
};

/// Instruments of one cart that are remembered; who tries more is a card tester and known as that.
const TRIED_MAX: usize = 8;

/// Without a score an order in review comes before one with a low score and after one with a high
/// one.
const UNKNOWN_PROBABILITY: f64 = 0.5;

/// The category of gift cards, goods as good as money, in letters alone: that of the tax, or where
/// a shop has them.
const GIFT_CARDS: [&str; 4] = ["giftcard", "giftcards", "giftvoucher", "giftvouchers"];

/// A decline that was decided here: what a bank says most often, so that it tells a fraudster
/// nothing.
fn declined() -> Verdict {
    Verdict::Declined(Decline::new(DeclineCode::Declined, ""))
}

impl Saga<'_> {
    /// Declined, the request ends here and sounds as if a bank had said it. Else the outcome goes
    /// with the attempt: challenged, the gateway authenticates; in review, the money waits.
    pub(super) async fn assess(
        &mut self,
        payment: &Payment<'_>,
    ) -> Result<ControlFlow<Reply, Assessed>, CheckoutRefused> {
        let person = merged(&self.session.person, &payment.person);
        let means = payment.paying.means();
        let brand = means.and_then(|means| means.instrument.brand.clone());
        let signals = signals(self.desk.now(), self.session, person, brand);
        let tried: Vec<_> = self.session.tried.iter().map(|tried| (tried.key, tried.at)).collect();
        let Some(mut judged) = self.desk.fraud.assess(signals, &tried).await else {
            return Ok(ControlFlow::Continue(Assessed(None)));
        };
        judged.assessment = self.known(judged.assessment, payment.asked.request.as_deref());
        // Nobody authenticates a buyer who pays nothing: a person looks instead.
        if judged.outcome == Outcome::Challenge && means.is_none() {
            judged.outcome = Outcome::Review;
        }
        if judged.outcome == Outcome::Decline {
            return Ok(ControlFlow::Break(self.declined(payment, &judged).await?));
        }
        Ok(ControlFlow::Continue(Assessed(Some(judged))))
    }

    /// A judgement with what it is found by.
    fn known(&self, assessment: Assessment, request: Option<&str>) -> Assessment {
        let total = self.session.totals.total;
        Assessment {
            storefront: Some(self.session.caller.as_str().into()),
            request_id: request.map(Into::into),
            amount_minor: Some(total.minor()),
            currency: Some(total.currency()),
            ..assessment
        }
    }

    async fn declined(
        &mut self,
        payment: &Payment<'_>,
        judged: &Judged,
    ) -> Result<Reply, CheckoutRefused> {
        let asked = payment.asked;
        let notice = declined().notice();
        let assessment = self.desk.assessment(self.session, judged, None);
        if self.session.express {
            return self.leave_nothing(asked, notice, assessment).await;
        }
        let mut session = self.session.clone();
        session.person = merged(&session.person, &payment.person);
        session.instrument = payment.paying.means().map(|means| means.instrument.clone());
        session.declines += 1;
        tried(&mut session, judged, self.desk.now());
        let personal = session.person != self.session.person;
        let (notices, assessment) = (vec![notice], Some(assessment));
        let reopened = Reopened { session, notices, personal, assessment };
        let (after, reply) = self.desk.reopen(asked, reopened, Vec::new()).await?;
        *self.session = after;
        Ok(reply)
    }

    async fn leave_nothing(
        &self,
        asked: &Asked,
        notice: Notice,
        assessment: NewAssessment,
    ) -> Result<Reply, CheckoutRefused> {
        let notices = [notice];
        count::told(&notices);
        let currency = Some(self.session.currency);
        let declined = Declined { checkout: self.session.id, request: asked.request.as_deref() };
        let shown = Shown::Nothing { notices: &notices, currency, declined: Some(declined) };
        let answer = self.desk.render.render(asked.origin.protocol, shown);
        let key = asked.write(Some(answer.clone()), self.desk.now());
        let id = EntryId::of(format_args!("assessed/{}", assessment.id));
        let fact = Fact::Assess(Box::new(Assess { assessment, key }));
        match self.desk.writer.write(Entry::new(id, fact)).await? {
            Ok(_) => Ok(Reply::Done(answer)),
            Err(LedgerRefused::KeyTaken(row)) => self.desk.replay(asked, *row).await,
            Err(refused) => Err(unexpected(&refused)),
        }
    }

    /// The second look, on what the issuer said. It may only be stricter: a decline lets the
    /// authorization go and reopens the session, a review opens a case.
    pub(super) fn look_again(
        &mut self,
        assessed: &Assessed,
        attempt: &Attempt,
        granted: &Granted,
    ) -> Result<Option<NewAssessment>, Failed> {
        self.session.verification = granted.verification;
        let session = &*self.session;
        let brand = session.instrument.as_ref().and_then(|instrument| instrument.brand.clone());
        if granted.verification.is_empty() {
            return Ok(None);
        }
        let mut signals = signals(self.desk.now(), session, session.person.clone(), brand);
        signals.verification = granted.verification;
        let first = assessed.0.as_ref().map(|judged| &judged.assessment);
        let Some(mut again) = self.desk.fraud.look_again(signals, first) else { return Ok(None) };
        let request = first.and_then(|first| first.request_id.as_deref());
        again.assessment = self.known(again.assessment, request);
        let record = self.desk.assessment(session, &again, Some(attempt.id));
        if again.outcome == Outcome::Decline {
            let verdict = declined();
            return Err(Failed { verdict, second_look: Some(Box::new(record)) });
        }
        let worth = self.desk.worth_in_judging(session);
        let found = risk((session, worth), again.outcome, &again.assessment);
        self.session.risk = self.session.risk.or(found);
        Ok(Some(record))
    }

    /// The case of an order whose money waits for a person.
    pub(super) fn case(&self, attempt: &Attempt) -> Option<NewCase> {
        let risk = self.session.risk?;
        let (now, terms) = (self.desk.now(), self.desk.terms);
        Some(NewCase {
            order: OrderId::of(self.session.id),
            attempt: attempt.id,
            priority: risk.expected_loss_minor,
            due_at: now.plus(terms.review_due),
            expires_at: now.plus(self.desk.review_lasts(&attempt.gateway)),
            opened_at: now,
        })
    }

    /// A payment came to nothing: whoever took part is remembered for it.
    pub(super) async fn remember_failure(&self, assessed: &Assessed, verdict: &Verdict) {
        if let (Some(judged), Verdict::Declined(_)) = (&assessed.0, verdict) {
            self.desk.fraud.failed(judged).await;
        }
    }
}

impl Checkout {
    /// What a session costs, in minor units of the currency that judgements are made in.
    pub(super) fn worth_in_judging(&self, session: &Session) -> Option<i64> {
        self.fraud.bench().minor_worth(session.totals.total, self.now())
    }

    /// A judgement as the ledger keeps it.
    pub(super) fn assessment(
        &self,
        session: &Session,
        judged: &Judged,
        attempt: Option<AttemptId>,
    ) -> NewAssessment {
        let now = self.now();
        NewAssessment {
            id: AssessmentId::new(now, &*self.chance),
            checkout: session.id,
            attempt,
            outcome: judged.assessment.outcome.as_str(),
            score: judged.assessment.score,
            degraded: !judged.assessment.degraded.is_empty(),
            body: judged.document(),
            at: now,
        }
    }
}

/// What is known of a session that is to be paid for.
fn signals(at: Timestamp, session: &Session, person: Person, brand: Option<String>) -> Signals {
    Signals {
        at,
        cart: session.id,
        storefront: session.caller.clone(),
        amount: session.totals.total,
        goods: goods(&session.lines),
        discounts: discounts(session),
        person,
        brand,
        opened_at: (!session.express).then_some(session.created_at),
        declines: session.declines,
        verification: Verification::default(),
    }
}

fn goods(lines: &[Line]) -> Goods {
    fn once<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
        let set: BTreeSet<&str> = values.collect();
        set.into_iter().map(str::to_owned).collect()
    }
    let taxed = || lines.iter().filter_map(|line| line.category.as_deref());
    let product_categories =
        || lines.iter().flat_map(|line| &line.product_categories).map(String::as_str);
    Goods {
        lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        units: lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity)),
        gift_card: taxed().chain(product_categories()).any(is_gift_card),
        digital: lines.iter().all(|line| line.stock_policy == StockPolicy::Untracked),
        categories: once(taxed()),
        skus: once(lines.iter().map(|line| line.sku.as_str())),
        groups: once(lines.iter().filter_map(|line| line.group.as_ref()).map(GroupId::as_str)),
        product_categories: once(product_categories()),
        dearest_minor: lines.iter().map(|line| line.unit_price.minor()).max().unwrap_or(0),
    }
}

/// Whether a category, or a part of its path, is that of gift cards: `Gifts > Gift cards`.
fn is_gift_card(category: &str) -> bool {
    category.split('>').any(|part| {
        let letters = part.chars().filter(|letter| letter.is_ascii_alphanumeric());
        let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        GIFT_CARDS.contains(&name.as_str())
    })
}

fn discounts(session: &Session) -> Discounts {
    let Some(priced) = &session.priced else { return Discounts::default() };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Discounts {
        count: count(priced.applied.len()),
        codes: count(priced.applied.iter().filter(|applied| applied.code.is_some()).count()),
        tried: count(priced.codes.len()),
        minor: priced.applied.iter().fold(0, |sum, applied| sum.saturating_add(applied.minor)),
    }
}

/// What a recorded attempt's session and person still tell. None when the session is gone.
pub fn signals_of(past: &Past) -> Option<Signals> {
    let mut session: Session = serde_json::from_str(past.session.as_ref()?.get()).ok()?;
    let person = past.personal.as_ref().and_then(|sealed| sealed.open_json().ok());
    let brand = session.instrument.as_mut().and_then(|instrument| instrument.brand.take());
    Some(signals(past.at, &session, person.unwrap_or_default(), brand))
}

/// What is known of the person, with what came with the payment.
pub(super) fn merged(known: &Person, given: &Person) -> Person {
    Person {
        buyer: given.buyer.clone().or_else(|| known.buyer.clone()),
        billing: given.billing.clone().or_else(|| known.billing.clone()),
        shipping: given.shipping.clone().or_else(|| known.shipping.clone()),
        destinations: known.destinations.clone(),
        ip: given.ip.clone().or_else(|| known.ip.clone()),
        hints: given.hints.clone().or_else(|| known.hints.clone()),
    }
}

/// Remembers which instrument was tried.
pub(super) fn tried(session: &mut Session, judged: &Judged, now: Timestamp) {
    let Some(key) = judged.instrument() else { return };
    session.tried.retain(|tried| tried.key != key);
    if session.tried.len() == TRIED_MAX {
        session.tried.remove(0);
    }
    session.tried.push(Tried { key, at: now });
}

/// What the loss of an order in review would cost: its total as likely as the score says, in the
/// currency that judgements are made in.
pub(super) fn risk(
    (session, worth): (&Session, Option<i64>),
    outcome: Outcome,
    assessment: &Assessment,
) -> Option<Risk> {
    let expected_loss_minor = assessment.expected_loss_minor.unwrap_or_else(|| {
        expected_loss(UNKNOWN_PROBABILITY, worth.unwrap_or(session.totals.total.minor()))
    });
    (outcome == Outcome::Review).then_some(Risk { expected_loss_minor })
}
