//! Complete and express: what is checked before the saga starts.

use super::{
    answer::{Asked, CheckoutRefused, Draft, Operation, Reply, Tender},
    assess::merged,
    count,
    desk::Checkout,
    open::{Base, Drafted, Written, ended},
    quote::{Products, Quote},
    saga::{Paying, Payment, Saga},
    session::{Notice, NoticeCode, Session},
};
use crate::{
    base::CheckoutId,
    ledger::row::SessionState,
    telemetry::metrics::{self, StepOutcome},
};

impl Checkout {
    /// Pays for a session and places its order.
    pub async fn complete(
        &self,
        session: &mut Session,
        asked: &Asked,
        tender: Tender,
    ) -> Result<Reply, CheckoutRefused> {
        match session.state {
            SessionState::Open => {}
            SessionState::Completing => {
                if let Some(reply) = self.go_on(session, asked, &tender).await? {
                    return Ok(reply);
                }
            }
            state => return self.earlier_or(asked, ended(state)).await,
        }
        if session.is_ready_for(&tender.person)
            && let Some(reply) = self.price_anew(session, asked, &tender).await?
        {
            return Ok(reply);
        }
        match readiness(session, &tender) {
            Readiness::Ready => self.pay(session, asked, tender).await,
            Readiness::Blocked => self.answer(session, asked, Operation::Complete).await,
            Readiness::Blocking(notice) => {
                let mut shown = session.clone();
                count::told(std::slice::from_ref(&notice));
                shown.notices.push(notice);
                self.answer(&shown, asked, Operation::Complete).await
            }
        }
    }

    /// Creates and pays in one: session, holds, attempt and pins are one fact. Refused, it leaves
    /// nothing.
    pub async fn express(
        &self,
        id: CheckoutId,
        asked: &Asked,
        draft: Draft,
        tender: Tender,
    ) -> Result<(Option<Session>, Reply), CheckoutRefused> {
        let began = self.now();
        let products = self.products(&draft).await?;
        self.count(metrics::Step::Quote, StepOutcome::Done, began);
        let session = self.draft_express(Base::New(id, asked), &draft, &products).await?;
        let currency = (!session.currency_is_open).then_some(session.currency);
        let mut session =
            Session { version: 0, express: true, request: asked.request.clone(), ..session };
        // Whoever pays in one request sees no quote: a code that does not count, or a line that was
        // cut, is told instead.
        let is_other =
            |notice: &Notice| notice.discount.is_some() || notice.code == NoticeCode::OrderLimit;
        if !session.is_ready() || session.notices.iter().any(is_other) {
            return self.nothing(asked, &session.notices, currency).await;
        }
        match readiness(&session, &tender) {
            Readiness::Ready => {}
            Readiness::Blocked => return self.nothing(asked, &[], currency).await,
            Readiness::Blocking(notice) => return self.nothing(asked, &[notice], currency).await,
        }
        let reply = self.pay(&mut session, asked, tender).await?;
        Ok(((session.version > 0).then_some(session), reply))
    }

    /// The session of a draft, without discounts whose uses orders have had.
    async fn draft_express(
        &self,
        base: Base<'_>,
        draft: &Draft,
        products: &Products,
    ) -> Result<Session, CheckoutRefused> {
        let mut gone = Vec::new();
        loop {
            let drafted = Drafted { draft, products, gone: &gone };
            let session = self.draft_session(base, drafted, Quote::of(draft, products))?;
            let spent = self.spent_uses_of(&session).await?;
            if spent.is_empty() {
                return Ok(session);
            }
            // What is gone counts no more, so that each round finds others, and there is a last.
            gone.extend(spent);
        }
    }

    /// Prices a session anew where its quote does not count for who pays now. The answer, where
    /// something is another than before: then it stands open as it is now, and nothing is charged.
    async fn price_anew(
        &self,
        session: &mut Session,
        asked: &Asked,
        tender: &Tender,
    ) -> Result<Option<Reply>, CheckoutRefused> {
        let person = merged(&session.person, &tender.person);
        if session.is_quoted_for(&person, self.now()) {
            return Ok(None);
        }
        let draft = Draft { person, ..session.redraft() };
        Ok(match self.write_draft(Base::Repriced(session), asked, draft).await? {
            Written::AsBefore(after) => {
                *session = after;
                None
            }
            Written::Answered(after, reply) => {
                if let Some(after) = after {
                    *session = after;
                }
                Some(reply)
            }
        })
    }

    /// A cart as it would be priced now. What is kept of it stays as it is.
    pub async fn priced_now(&self, cart: &Session) -> Result<Session, CheckoutRefused> {
        let draft = cart.redraft();
        let products = self.products(&draft).await?;
        let mut quote = Quote::of(&draft, &products);
        quote.go_on_from(cart);
        let drafted = Drafted { draft: &draft, products: &products, gone: &[] };
        let now = self.draft_session(Base::Repriced(cart), drafted, quote)?;
        Ok(Session { version: cart.version, ..now })
    }

    async fn pay(
        &self,
        session: &mut Session,
        asked: &Asked,
        tender: Tender,
    ) -> Result<Reply, CheckoutRefused> {
        let paying = match (session.due(), tender.means) {
            (None, _) => Paying::Nothing,
            (Some(_), Some(means)) => Paying::With(means),
            (Some(_), None) => return self.earlier_or(asked, CheckoutRefused::MeansMissing).await,
        };
        let payment = Payment { asked, person: tender.person, paying };
        Saga { desk: self, session }.pay(&payment).await
    }
}

impl Session {
    /// Whether a payment would begin. If not, the answer writes nothing of the session, and no
    /// write finds out that this copy is old.
    pub fn would_pay(&self, tender: &Tender) -> bool {
        self.state == SessionState::Open
            && matches!(readiness(self, tender), Readiness::Ready)
            && (self.due().is_none() || tender.means.is_some())
    }
}

/// Whether a session can be paid for.
enum Readiness {
    /// It can.
    Ready,
    /// It says itself why it cannot.
    Blocked,
    /// It cannot, for this reason.
    Blocking(Notice),
}

fn readiness(session: &Session, tender: &Tender) -> Readiness {
    if !session.is_ready_for(&tender.person) {
        return Readiness::Blocked;
    }
    let total = session.totals.total;
    match tender.expected_total {
        Some(expected) if expected != total => {
            let text = format!("The total is {total}, not {expected}; nothing was charged.");
            Readiness::Blocking(Notice::of(NoticeCode::TotalChanged, text))
        }
        _ => Readiness::Ready,
    }
}
