//! T0: creates a session or replaces its contents; quote, hold, commit.

use super::{
    answer::{Asked, CheckoutRefused, Draft, Operation, Reply, Shown},
    count,
    desk::{Checkout, unexpected},
    quote::{PriceTerms, Products, Quote, fallback},
    record::session_write,
    session::{Line, Notice, NoticeCode, Session},
    uses::gone,
};
use crate::{
    base::{CheckoutId, Currency, Sku},
    ledger::{LedgerRefused, Shortage, entry::StoredAnswer, row::SessionState},
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

/// What a draft is put on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base<'a> {
    /// Nothing: it begins a session.
    New(CheckoutId, &'a Asked),
    /// A session whose contents it replaces.
    Replaced(&'a Session),
    /// A session that it prices anew; what is in it, and when it ends, stays.
    Repriced(&'a Session),
}

/// What became of a draft.
pub(super) enum Written {
    /// The request is answered with it. There is a session unless nothing can be sold, or the
    /// answer is an earlier one.
    Answered(Option<Session>, Reply),
    /// The session was priced anew, and costs and holds what it did before.
    AsBefore(Session),
}

impl<'a> Base<'a> {
    const fn before(self) -> Option<&'a Session> {
        match self {
            Self::New(..) => None,
            Self::Replaced(before) | Self::Repriced(before) => Some(before),
        }
    }

    const fn operation(self) -> Operation {
        match self {
            Self::New(..) => Operation::Create,
            Self::Replaced(_) => Operation::Update,
            Self::Repriced(_) => Operation::Complete,
        }
    }

    /// The currency of what is put on it: a session keeps the one that it was quoted in, unless it
    /// is asked for another, or another is hinted at that anything is sold in.
    fn currency(self, draft: &Draft, products: &Products) -> Option<Currency> {
        let settled = self.before().filter(|before| !before.currency_is_open);
        let hinted = || Quote::preferred(draft, products);
        draft.currency.or_else(hinted).or(settled.map(|before| before.currency))
    }

    /// The draft's quote, cut down to what the ledger said there is.
    fn quote(self, draft: &Draft, products: &Products, shortages: &[Shortage]) -> Quote {
        let mut quote = Quote::of(draft, products);
        quote.cut(shortages);
        if let Self::Repriced(before) = self {
            quote.go_on_from(before);
        }
        quote
    }

    /// Whether the request is answered with this session, rather than goes on with it. What it
    /// says then, where its total is another one, stands in it.
    fn ends_with(self, after: &mut Session) -> bool {
        let Self::Repriced(before) = self else { return true };
        let (was, is) = (before.totals.total, after.totals.total);
        if was != is {
            let text = format!("The total is {is} now, not {was}; nothing was charged.");
            after.notices.push(Notice::of(NoticeCode::TotalChanged, text));
        }
        let units = |line: &Line| (line.id.clone(), line.sku.clone(), line.quantity);
        let is_same = before.lines.iter().map(units).eq(after.lines.iter().map(units));
        was != is || !is_same || !after.is_ready()
    }
}

impl Checkout {
    /// Creates a session. When nothing of it can be sold there is none, and the answer says why.
    pub async fn create(
        &self,
        id: CheckoutId,
        asked: &Asked,
        draft: Draft,
    ) -> Result<(Option<Session>, Reply), CheckoutRefused> {
        match self.write_draft(Base::New(id, asked), asked, draft).await? {
            Written::Answered(session, reply) => Ok((session, reply)),
            Written::AsBefore(_) => Err(CheckoutRefused::Busy),
        }
    }

    /// Replaces a session's contents; its holds follow, the difference alone, and are renewed.
    pub async fn update(
        &self,
        session: &mut Session,
        asked: &Asked,
        draft: Draft,
    ) -> Result<Reply, CheckoutRefused> {
        self.give_up(session).await?;
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
        match self.write_draft(Base::Replaced(session), asked, draft).await? {
            Written::Answered(after, reply) => {
                if let Some(after) = after {
                    *session = after;
                }
                Ok(reply)
            }
            Written::AsBefore(_) => Err(CheckoutRefused::Busy),
        }
    }

    /// Shows a session as the answer to a request that found what it asked for.
    pub async fn present(
        &self,
        session: &Session,
        asked: &Asked,
    ) -> Result<Reply, CheckoutRefused> {
        self.answer(session, asked, Operation::Get).await
    }

    pub(super) async fn write_draft(
        &self,
        base: Base<'_>,
        asked: &Asked,
        mut draft: Draft,
    ) -> Result<Written, CheckoutRefused> {
        let before = base.before();
        let began = self.now();
        let products = self.products(&draft).await?;
        draft.currency = base.currency(&draft, &products);
        self.count(metrics::Step::Quote, StepOutcome::Done, began);
        let mut shortages: Vec<Shortage> = Vec::new();
        let (mut direct, mut opened) = (false, Vec::new());
        for _ in 0..DECISIONS_MAX {
            let quote = base.quote(&draft, &products, &shortages);
            let none_left = quote.lines.is_empty() && before.is_none() && !draft.lines.is_empty();
            if none_left || (draft.demands.whole && quote.is_cut()) {
                let told = self.nothing(asked, &quote.notices, quote.currency).await?;
                return Ok(Written::Answered(told.0, told.1));
            }
            let drafted = Drafted { draft: &draft, products: &products, gone: &gone(&shortages) };
            let mut session = self.draft_session(base, drafted, quote)?;
            let answer = self.answer_of(base, asked, &mut session);
            let mut claim = self.claim_while_it_may(&session).await?;
            if direct {
                claim.direct();
            }
            let personal = before.is_none_or(|before| before.person != session.person);
            let key = answer.clone().map(|answer| asked.write(Some(answer), self.now()));
            let holds = claim.holds.clone();
            let write = session_write(&session, holds, personal, None, key, self.now());
            let began = self.now();
            let outcome = match base {
                // Who pays now holds for a moment.
                Base::Repriced(_) => self.commit_claim(&mut claim, write).await,
                Base::New(..) | Base::Replaced(_) => {
                    self.commit_unpaid(&session, &mut claim, write).await
                }
            };
            if let Err(refused @ CheckoutRefused::HeldTooMuch { .. }) = outcome {
                // Sent again, it is the first one that counts, and its answer.
                return Ok(Written::Answered(None, self.earlier_or(asked, refused).await?));
            }
            match outcome? {
                Ok(_) => {
                    self.count(metrics::Step::Hold, StepOutcome::Done, began);
                    count::changed(before, &claim.holds, &claim.units(), &session);
                    let session = Session { held: claim.units(), ..session };
                    return Ok(match answer {
                        Some(answer) => Written::Answered(Some(session), Reply::Done(answer)),
                        None => Written::AsBefore(session),
                    });
                }
                Err(LedgerRefused::Short(short)) => {
                    self.count(metrics::Step::Hold, StepOutcome::Refused, began);
                    let short = self.open_uses(short, &mut opened).await?;
                    count::short(&short);
                    merge(&mut shortages, short);
                }
                Err(LedgerRefused::GrantsClosed(_)) => direct = true,
                Err(LedgerRefused::KeyTaken(row)) => {
                    return Ok(Written::Answered(None, self.replay(asked, *row).await?));
                }
                Err(refused) => return Err(stale(&refused)),
            }
        }
        Err(CheckoutRefused::Busy)
    }

    /// The answer that this session is to the request; none when the request goes on with it.
    fn answer_of(
        &self,
        base: Base<'_>,
        asked: &Asked,
        session: &mut Session,
    ) -> Option<StoredAnswer> {
        base.ends_with(session).then(|| {
            let shown = Shown::Session { session, operation: base.operation() };
            self.render.render(asked.origin.protocol, shown)
        })
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
        let answer = self
            .render
            .render(asked.origin.protocol, Shown::Nothing { notices, currency, declined: None });
        Ok((None, self.keep_answer(asked, answer).await?))
    }

    /// The session a quote makes, one version on.
    pub(super) fn draft_session(
        &self,
        base: Base<'_>,
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
        let before = base.before();
        let (id, caller, origin) = match base {
            Base::New(id, asked) => (id, &asked.caller, &asked.origin),
            Base::Replaced(before) | Base::Repriced(before) => {
                (before.id, &before.caller, &before.origin)
            }
        };
        let ttl = if draft.is_cart { self.terms.cart_ttl } else { self.terms.session_ttl };
        let mut session = Session {
            id,
            caller: caller.clone(),
            origin: origin.clone(),
            version: before.map_or(0, |before| before.version) + 1,
            state: SessionState::Open,
            currency: quote.currency.unwrap_or_else(fallback),
            currency_is_open: quote.currency.is_none(),
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
            request: None,
            verification: crate::base::Verification::default(),
            is_cart: draft.is_cart,
            country: draft.country.as_deref().map(Into::into),
            held: before.map(|before| before.held.clone()).unwrap_or_default(),
            challenge_url: None,
            challenge: None,
            created_at: before.map_or(now, |before| before.created_at),
            expires_at: match base {
                Base::Repriced(before) => before.expires_at,
                Base::New(..) | Base::Replaced(_) => now.plus(ttl),
            },
            hold_until: now.plus(self.terms.hold_ttl),
            held_since: before.map_or((!draft.is_cart).then_some(now), |before| before.held_since),
            placed_at: None,
            test_payment: false,
        };
        self.renew_for_progress(before, &mut session);
        Ok(session)
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
