//! T0: creates a session or replaces its contents; quote, hold, commit.

use super::{
    answer::{Asked, CheckoutRefused, Draft, Operation, Reply, Shown},
    count,
    desk::{Checkout, unexpected},
    quote::{PriceTerms, Products, Quote, fallback},
    record::session_write,
    session::{Notice, NoticeCode, Session},
    uses::gone,
};
use crate::{
    base::{CheckoutId, Currency, Sku},
    ledger::{LedgerRefused, Shortage, row::SessionState},
    telemetry::metrics::{self, StepOutcome},
};

/// How often a session is cut down to what there is before it is told to try again: each round
/// somebody else took the last unit in between.
const DECISIONS_MAX: u32 = 8;

/// A draft with what is known about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drafted<'a> {
    pub draft: &'a Draft,
    pub products: &'a Products,
    /// Uses of discounts that there are none left of.
    pub gone: &'a [Sku],
}

impl Checkout {
    /// Creates a session. When nothing of it can be sold there is none, and the answer says why.
    pub async fn create(
        &self,
        id: CheckoutId,
        asked: &Asked,
        draft: Draft,
    ) -> Result<(Option<Session>, Reply), CheckoutRefused> {
        self.write_draft(id, None, asked, draft).await
    }

    /// Replaces a session's contents; its holds follow, the difference alone, and are renewed.
    pub async fn update(
        &self,
        session: &mut Session,
        asked: &Asked,
        draft: Draft,
    ) -> Result<Reply, CheckoutRefused> {
        match session.state {
            SessionState::Open => {}
            SessionState::Completing => {
                let mut shown = session.clone();
                let text = "A payment is under way; the checkout was left as it is.".into();
                shown.notices.push(Notice::of(NoticeCode::PaymentPending, text));
                return self.answer(&shown, asked, Operation::Update).await;
            }
            state => return self.earlier_or(asked, ended(state)).await,
        }
        let (after, reply) = self.write_draft(session.id, Some(session), asked, draft).await?;
        if let Some(after) = after {
            *session = after;
        }
        Ok(reply)
    }

    /// Shows a session as the answer to a request that found what it asked for.
    pub async fn present(
        &self,
        session: &Session,
        asked: &Asked,
    ) -> Result<Reply, CheckoutRefused> {
        self.answer(session, asked, Operation::Get).await
    }

    async fn write_draft(
        &self,
        id: CheckoutId,
        before: Option<&Session>,
        asked: &Asked,
        mut draft: Draft,
    ) -> Result<(Option<Session>, Reply), CheckoutRefused> {
        // A session keeps its currency while anything in it is sold in it.
        draft.prefers.extend(before.map(|before| before.currency));
        let operation = if before.is_none() { Operation::Create } else { Operation::Update };
        let began = self.now();
        let products = self.products(&draft).await?;
        self.count(metrics::Step::Quote, StepOutcome::Done, began);
        let mut shortages: Vec<Shortage> = Vec::new();
        let (mut direct, mut opened) = (false, Vec::new());
        for _ in 0..DECISIONS_MAX {
            let quote = quote(&draft, &products, &shortages);
            let none_left = quote.lines.is_empty() && before.is_none() && !draft.lines.is_empty();
            if none_left || (draft.demands.whole && quote.is_cut()) {
                return self.nothing(asked, &quote.notices, quote.currency).await;
            }
            let drafted = Drafted { draft: &draft, products: &products, gone: &gone(&shortages) };
            let session = self.draft_session(id, before, asked, drafted, quote)?;
            let mut claim = self.claim(&session).await?;
            if direct {
                claim.direct();
            }
            let shown = Shown::Session { session: &session, operation };
            let answer = self.render.render(asked.origin.protocol, shown);
            let personal = before.is_none_or(|before| before.person != session.person);
            let key = asked.write(Some(answer.clone()), self.now());
            let holds = claim.holds.clone();
            let write = session_write(&session, holds, personal, None, Some(key), self.now());
            let began = self.now();
            let outcome = self.commit(write).await;
            self.land(&mut claim).await;
            match outcome? {
                Ok(_) => {
                    self.count(metrics::Step::Hold, StepOutcome::Done, began);
                    let held_before = before.map_or(&[][..], |before| &before.held);
                    count::held(&claim.holds, held_before);
                    count::released(held_before, &claim.units());
                    count::told(&session.notices);
                    let session = Session { held: claim.units(), ..session };
                    return Ok((Some(session), Reply::Done(answer)));
                }
                Err(LedgerRefused::Short(short)) => {
                    self.count(metrics::Step::Hold, StepOutcome::Refused, began);
                    let short = self.open_uses(short, &mut opened).await?;
                    count::short(&short);
                    merge(&mut shortages, short);
                }
                Err(LedgerRefused::GrantsClosed(_)) => direct = true,
                Err(LedgerRefused::KeyTaken(row)) => {
                    return Ok((None, self.replay(asked, *row).await?));
                }
                Err(refused) => return Err(stale(&refused)),
            }
        }
        Err(CheckoutRefused::Busy)
    }

    /// The products a draft names.
    pub(super) async fn products(&self, draft: &Draft) -> Result<Products, CheckoutRefused> {
        let skus: Vec<Sku> =
            draft.lines.iter().filter_map(|line| Sku::parse(&line.item).ok()).collect();
        Ok(self.catalog.find_many(&skus).await?)
    }

    /// The answer when there is nothing to sell, kept under the key.
    pub(super) async fn nothing(
        &self,
        asked: &Asked,
        notices: &[Notice],
        currency: Option<Currency>,
    ) -> Result<(Option<Session>, Reply), CheckoutRefused> {
        count::told(notices);
        let answer =
            self.render.render(asked.origin.protocol, Shown::Nothing { notices, currency });
        Ok((None, self.keep_answer(asked, answer).await?))
    }

    /// The session a quote makes, one version on.
    pub(super) fn draft_session(
        &self,
        id: CheckoutId,
        before: Option<&Session>,
        asked: &Asked,
        drafted: Drafted<'_>,
        mut quote: Quote,
    ) -> Result<Session, CheckoutRefused> {
        let now = self.now();
        let Drafted { draft, products, gone } = drafted;
        let tariff = self.tariffs.current();
        let must_choose =
            (self.terms.must_choose_delivery || draft.demands.delivery) && !draft.is_cart;
        let terms = PriceTerms { tariff: &tariff, must_choose, now };
        let priced = quote.price(draft, products, &terms, gone);
        let (totals, priced) = priced.map_err(|_| CheckoutRefused::TotalTooLarge)?;
        Ok(Session {
            id,
            caller: before.map_or(&asked.caller, |before| &before.caller).clone(),
            origin: before.map_or(&asked.origin, |before| &before.origin).clone(),
            version: before.map_or(0, |before| before.version) + 1,
            state: SessionState::Open,
            currency: quote.currency.unwrap_or_else(fallback),
            lines: quote.lines,
            totals,
            priced,
            notices: quote.notices,
            person: draft.person.clone(),
            instrument: before.and_then(|before| before.instrument.clone()),
            attempts: before.map_or(0, |before| before.attempts),
            attempt: before.and_then(|before| before.attempt),
            declines: before.map_or(0, |before| before.declines),
            tried: before.map(|before| before.tried.clone()).unwrap_or_default(),
            risk: None,
            express: false,
            is_cart: draft.is_cart,
            country: draft.country.as_deref().map(Into::into),
            held: before.map(|before| before.held.clone()).unwrap_or_default(),
            challenge_url: None,
            created_at: before.map_or(now, |before| before.created_at),
            expires_at: now.plus(if draft.is_cart {
                self.terms.cart_ttl
            } else {
                self.terms.session_ttl
            }),
            hold_until: now.plus(self.terms.hold_ttl),
            placed_at: None,
            test_payment: false,
        })
    }

    /// The answer an earlier request with this key got, else this refusal.
    pub async fn earlier_or(
        &self,
        asked: &Asked,
        refusal: CheckoutRefused,
    ) -> Result<Reply, CheckoutRefused> {
        match self.store.find_key(&asked.caller, &asked.key).await? {
            Some(row) => self.replay(asked, row).await,
            None => Err(refusal),
        }
    }
}

/// A draft's quote, cut down to what the ledger said there is.
pub(super) fn quote(draft: &Draft, products: &Products, shortages: &[Shortage]) -> Quote {
    let mut quote = Quote::of(draft, products);
    quote.cut(shortages);
    quote
}

/// Keeps the latest word about each SKU.
pub(super) fn merge(shortages: &mut Vec<Shortage>, latest: Vec<Shortage>) {
    for short in latest {
        shortages.retain(|known| known.sku != short.sku);
        shortages.push(short);
    }
}

/// Somebody else wrote the session: what is in memory here is old.
pub(super) fn stale(refused: &LedgerRefused) -> CheckoutRefused {
    match refused {
        LedgerRefused::VersionConflict { current } => {
            CheckoutRefused::VersionMismatch { current: *current }
        }
        LedgerRefused::Completing | LedgerRefused::SessionEnded => {
            CheckoutRefused::VersionMismatch { current: 0 }
        }
        other => unexpected(other),
    }
}

/// The refusal for a session that has ended.
pub(super) const fn ended(state: SessionState) -> CheckoutRefused {
    CheckoutRefused::Ended(match state {
        SessionState::Completed => "completed",
        SessionState::Expired => "expired",
        SessionState::Canceled | SessionState::Open | SessionState::Completing => "canceled",
    })
}
