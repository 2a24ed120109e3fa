//! Holding stock: asks the SKU actors where the units come from, and tells them what became of it.

use super::{answer::CheckoutRefused, desk::Checkout, quote, session::Session};
use crate::{
    base::Sku,
    ledger::entry::{HoldWanted, Source},
};

/// Every hold a session wants, and the units taken from grants for it.
pub(super) struct Claim {
    /// The holds, sorted by SKU.
    pub holds: Vec<HoldWanted>,
    /// Units in flight, to be landed once the commit is known.
    taken: Vec<(Sku, Source, u32)>,
}

impl Checkout {
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

    /// The commit that used the claim is known, whatever it said.
    pub(super) async fn land(&self, claim: &mut Claim) {
        for (sku, source, quantity) in claim.taken.drain(..) {
            self.stock.landed(&sku, source, quantity).await;
        }
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
