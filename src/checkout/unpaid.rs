//! Units that are held and not paid for: how many one buyer, and one storefront, may have of a SKU.
//!
//! A hold costs its holder nothing and keeps the unit from everybody else. What one request may
//! hold is limited by the product; what many may, here. A buyer is known by e-mail address and by
//! network address; one of whom neither is told is known by the checkout alone.
//!
//! **Owns:** what this process has let be held, until it lapses, is paid for or given back.
//! **Invariant:** a checkout that wants no more than it has is never refused. **Not here:** whether
//! there are units (the [`ledger`](crate::ledger) decides). Each replica counts what came through
//! it, and begins anew at its start: over all, a buyer has so many times the cap at most as there
//! are replicas, and for no longer than a hold lives.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{answer::CheckoutRefused, session::Session};
use crate::base::{CheckoutId, Sku, Timestamp};

/// Units of one SKU that may be held unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpaidCaps {
    /// By a buyer with an e-mail address.
    pub per_buyer: u32,
    /// By a checkout that has not said who buys.
    pub unnamed: u32,
    /// By all buyers of one caller (API key).
    pub per_caller: u32,
}

/// An address is a household, an office, or a part of a telephone net: it may hold as much as so
/// many buyers.
const BUYERS_PER_ADDRESS: u32 = 10;

/// Somebody who holds, as a digest: nobody needs the address itself.
type Owner = u64;

/// What a checkout holds.
#[derive(Debug, Clone)]
struct Held {
    owners: Vec<Owner>,
    units: Vec<(Sku, u32)>,
    until: Timestamp,
}

#[derive(Debug, Default)]
struct Counts {
    held: HashMap<CheckoutId, Held>,
    totals: HashMap<(Owner, Sku), u32>,
    lapses: BTreeSet<(Timestamp, CheckoutId)>,
}

/// Who holds how much unpaid.
#[derive(Debug, Default)]
pub struct Unpaid(Mutex<Counts>);

/// What a checkout held before it was let hold something else.
#[derive(Debug)]
pub(super) struct Before(CheckoutId, Option<Held>);

impl Unpaid {
    /// Lets a session hold these units until its hold lapses, in place of what it held.
    ///
    /// # Errors
    /// [`HeldTooMuch`](CheckoutRefused::HeldTooMuch) where somebody would hold more than they may,
    /// and more than now.
    pub(super) fn admit(
        &self,
        session: &Session,
        units: &[(Sku, u32)],
        (caps, now): (UnpaidCaps, Timestamp),
    ) -> Result<Before, CheckoutRefused> {
        let owners = owners(session, caps);
        let mut counts = self.lock();
        counts.lapse(now);
        let before = counts.take(session.id);
        let had = |sku: &Sku| {
            let units = before.iter().flat_map(|held| &held.units);
            units.filter(|(of, _)| of == sku).map(|(_, units)| *units).sum::<u32>()
        };
        let refused = units.iter().filter(|(sku, wanted)| *wanted > had(sku)).find_map(|wanted| {
            let (sku, wanted) = wanted;
            let is_over = |(owner, most): &&(Owner, u32)| {
                let others = counts.totals.get(&(*owner, sku.clone())).copied().unwrap_or(0);
                others.saturating_add(*wanted) > *most
            };
            let (_, most) = owners.iter().find(is_over)?;
            Some(CheckoutRefused::HeldTooMuch { sku: sku.clone(), most: *most })
        });
        if let Some(refused) = refused {
            counts.put(session.id, before);
            return Err(refused);
        }
        let owners = owners.into_iter().map(|(owner, _)| owner).collect();
        let held = Held { owners, units: units.to_vec(), until: session.hold_until };
        counts.put(session.id, Some(held));
        Ok(Before(session.id, before))
    }

    /// It was not held after all.
    pub(super) fn restore(&self, before: Before) {
        let mut counts = self.lock();
        counts.take(before.0);
        counts.put(before.0, before.1);
    }

    /// A checkout was paid for, or holds nothing any more.
    pub(super) fn forget(&self, checkout: CheckoutId) {
        self.lock().take(checkout);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Held for some additions, which do not panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Counts out what has lapsed.
    fn lapse(&mut self, now: Timestamp) {
        while let Some((until, checkout)) = self.lapses.first().copied() {
            if until > now {
                break;
            }
            self.take(checkout);
        }
    }

    fn take(&mut self, checkout: CheckoutId) -> Option<Held> {
        let held = self.held.remove(&checkout)?;
        self.lapses.remove(&(held.until, checkout));
        for owner in &held.owners {
            for (sku, units) in &held.units {
                let key = (*owner, sku.clone());
                if let Some(total) = self.totals.get_mut(&key) {
                    *total = total.saturating_sub(*units);
                    if *total == 0 {
                        self.totals.remove(&key);
                    }
                }
            }
        }
        Some(held)
    }

    fn put(&mut self, checkout: CheckoutId, held: Option<Held>) {
        let Some(held) = held.filter(|held| !held.units.is_empty()) else { return };
        for owner in &held.owners {
            for (sku, units) in &held.units {
                let total = self.totals.entry((*owner, sku.clone())).or_default();
                *total = total.saturating_add(*units);
            }
        }
        self.lapses.insert((held.until, checkout));
        self.held.insert(checkout, held);
    }
}

/// Who holds what a session holds, and how much each may.
fn owners(session: &Session, caps: UnpaidCaps) -> Vec<(Owner, u32)> {
    let hasher = BuildHasherDefault::<DefaultHasher>::new();
    let owner = |kind: &str, name: &str| hasher.hash_one((kind, name));
    let mut owners = vec![(owner("caller", &session.caller), caps.per_caller)];
    if let Some(mailbox) = session.person.mailbox() {
        owners.push((owner("mailbox", &mailbox), caps.per_buyer));
    } else {
        owners.push((owner("checkout", &session.id.to_string()), caps.unnamed));
    }
    if let Some(ip) = &session.person.ip {
        let most = caps.per_buyer.saturating_mul(BUYERS_PER_ADDRESS);
        owners.push((owner("address", ip), most));
    }
    owners
}
