//! Holding stock: asks the SKU actors where the units come from, and tells them what became of it.

use super::{
    answer::CheckoutRefused,
    desk::Checkout,
    quote,
    session::{Notice, NoticeCode, Session},
};
use crate::{
    base::Sku,
    ledger::{
        LedgerRefused, Outcome, Shortage,
        entry::{HoldWanted, SessionWrite, Source},
    },
};

/// Every hold a session wants, and the units taken from grants for it.
pub(super) struct Claim {
    /// The holds, sorted by SKU.
    pub holds: Vec<HoldWanted>,
    /// Units in flight, to be landed once the commit is known.
    taken: Vec<(Sku, Source, u32)>,
}

impl Checkout {
    /// Renews a session's holds, where it gets on: they live for as long as a new one, but end with
    /// the life of the first. Those that lapsed are taken again like new ones.
    pub(super) fn renew(&self, session: &mut Session) {
        let (now, terms) = (self.now(), self.terms);
        let since = *session.held_since.get_or_insert(now);
        let renewed = now.plus(terms.hold_ttl).min(since.plus(terms.hold_life_max));
        session.hold_until = session.hold_until.max(renewed);
    }

    /// The same where only the lapsed are to be taken again: nothing else has got on.
    pub(super) fn renew_lapsed(&self, session: &mut Session) {
        if session.hold_until <= self.now() {
            self.renew(session);
        }
    }

    /// A draft that says what was said before renews nothing: whoever sends it again and again
    /// would hold for ever.
    pub(super) fn renew_for_progress(&self, before: Option<&Session>, session: &mut Session) {
        let Some(before) = before.filter(|before| !before.is_cart) else { return };
        session.hold_until = before.hold_until;
        if session.is_as_wanted_in(before) {
            self.renew_lapsed(session);
        } else {
            self.renew(session);
        }
        if !self.may_hold(session) && !session.lines.is_empty() {
            let text = "This checkout has held its units for as long as one may; they are taken \
                        again when it is paid for, if there are any.";
            session.notices.push(Notice::of(NoticeCode::HoldLapsed, text.to_owned()));
        }
    }

    /// Whether the life of its first hold is not over.
    fn may_hold(&self, session: &Session) -> bool {
        session.hold_until > self.now()
    }

    /// Takes what the session's lines need, or nothing when its holds have lived long enough.
    pub(super) async fn claim_while_it_may(
        &self,
        session: &Session,
    ) -> Result<Claim, CheckoutRefused> {
        if self.may_hold(session) {
            return self.claim(session).await;
        }
        Ok(Claim { holds: Vec::new(), taken: Vec::new() })
    }

    /// Takes what the session's lines need beyond what it holds. SKUs are asked in sorted order;
    /// nobody is refused here: where this replica has no grant, the ledger decides.
    pub(super) async fn claim(&self, session: &Session) -> Result<Claim, CheckoutRefused> {
        let units = quote::units(session).ok_or(CheckoutRefused::TotalTooLarge)?;
        let mut claim = Claim { holds: Vec::with_capacity(units.len()), taken: Vec::new() };
        if session.is_cart {
            return Ok(claim);
        }
        for (sku, quantity) in units {
            let held = session.held.iter().find(|(held, _)| *held == sku).map_or(0, |(_, n)| *n);
            let missing = quantity.saturating_sub(held);
            let source = match missing {
                0 => Source::Direct,
                _ => self.stock.take(&sku, missing).await,
            };
            if source != Source::Direct {
                claim.taken.push((sku.clone(), source, missing));
            }
            claim.holds.push(HoldWanted { sku, quantity, source });
        }
        Ok(claim)
    }

    /// Commits a session with its claim, counted among what is held unpaid for as long as it
    /// stands.
    pub(super) async fn commit_unpaid(
        &self,
        session: &Session,
        claim: &mut Claim,
        write: SessionWrite,
    ) -> Result<Outcome, CheckoutRefused> {
        let units = claim.units();
        let before = match self.unpaid.admit(session, &units, (self.terms.unpaid, self.now())) {
            Ok(before) => before,
            Err(refused) => {
                self.land(claim).await;
                // Where there are not as many, that is said: what is left may be had.
                let short = self.short_of(session, &units).await?;
                return if short.is_empty() {
                    Err(refused)
                } else {
                    Ok(Err(LedgerRefused::Short(short)))
                };
            }
        };
        let outcome = self.commit_claim(claim, write).await;
        if !matches!(outcome, Ok(Ok(_))) {
            self.unpaid.restore(before);
        }
        outcome
    }

    /// Commits a session with its claim.
    pub(super) async fn commit_claim(
        &self,
        claim: &mut Claim,
        write: SessionWrite,
    ) -> Result<Outcome, CheckoutRefused> {
        let outcome = self.commit(write).await;
        self.land(claim).await;
        outcome
    }

    /// Of which of these there are fewer, by what stands in the ledger.
    async fn short_of(
        &self,
        session: &Session,
        units: &[(Sku, u32)],
    ) -> Result<Vec<Shortage>, CheckoutRefused> {
        let skus: Vec<Sku> = units.iter().map(|(sku, _)| sku.clone()).collect();
        let levels = self.store.find_stock(&skus).await?;
        let short = |(sku, wanted): &(Sku, u32)| {
            let level = levels.iter().find(|level| level.sku == *sku);
            let free = level.map_or(0, |level| level.unallocated + level.granted);
            let held = session.held.iter().find(|(held, _)| held == sku).map_or(0, |(_, n)| *n);
            let available = u32::try_from(free + i64::from(held)).unwrap_or(u32::MAX);
            let (sku, wanted) = (sku.clone(), *wanted);
            (available < wanted).then_some(Shortage { sku, wanted, available })
        };
        Ok(units.iter().filter_map(short).collect())
    }

    /// The commit that used the claim is known, whatever it said.
    pub(super) async fn land(&self, claim: &mut Claim) {
        for (sku, source, quantity) in claim.taken.drain(..) {
            self.stock.landed(&sku, source, quantity).await;
        }
    }
}

impl Session {
    /// Whether it wants what another version of it wanted, of the same person in the same way.
    fn is_as_wanted_in(&self, before: &Self) -> bool {
        let wants = |session: &Self| {
            let lines = session.lines.iter().map(|line| (line.sku.clone(), line.quantity));
            lines.collect::<Vec<_>>()
        };
        wants(self) == wants(before)
            && self.person == before.person
            && self.priced == before.priced
            && self.country == before.country
    }
}

impl Claim {
    /// The same wishes, put to the ledger directly: what a closed grant's holder does.
    pub(super) fn direct(&mut self) {
        for hold in &mut self.holds {
            hold.source = Source::Direct;
        }
    }

    /// Units per SKU, as the session holds them once the commit stands.
    pub(super) fn units(&self) -> Vec<(Sku, u32)> {
        self.holds.iter().map(|hold| (hold.sku.clone(), hold.quantity)).collect()
    }
}
