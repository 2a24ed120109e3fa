//! What a batch sees: the rows it asks for, chosen as the databases choose them.

use doorbuster::{
    base::{CheckoutId, Sku},
    ledger::{
        row::{GrantRow, HoldRow},
        world::{Ask, KeySeen, LineSeen, Promised, Recorded, SessionHead, World},
    },
};
use std::collections::{BTreeMap, BTreeSet};

use super::tables::Tables;

impl Tables {
    /// The rows as they stand.
    pub(crate) fn seen(&self, ask: &Ask) -> World {
        let attempts: Vec<_> =
            ask.attempts.iter().filter_map(|id| self.attempts.get(id).cloned()).collect();
        let mut owners = ask.sessions.clone();
        owners.extend(attempts.iter().map(|attempt| attempt.checkout));
        let head = |id: &CheckoutId| {
            let row = self.sessions.get(id)?;
            Some(SessionHead { checkout: *id, version: row.version, state: row.state })
        };
        let sessions = owners.iter().filter_map(head).collect();
        owners.extend(ask.holds.iter().map(|(checkout, _)| *checkout));
        let mut keys = ask.keys.clone();
        keys.extend(attempts.iter().filter_map(|attempt| attempt.waiting.clone()));
        let key = |(caller, key): &(String, String)| {
            let row = self.keys.get(&(caller.clone(), key.clone()))?.clone();
            Some(KeySeen { caller: caller.clone(), key: key.clone(), row })
        };
        let recorded = |id: &_| {
            Some(Recorded { id: Clone::clone(id), outcome: self.entries.get(id)?.clone() })
        };
        let mut world = World {
            entries: ask.entries.iter().filter_map(recorded).collect(),
            live: ask.holders.iter().filter(|id| self.lives(id)).copied().collect(),
            replicas: u32::try_from(self.lifetimes.values().filter(|one| one.live).count())
                .expect("a few"),
            attempts,
            sessions,
            holds: owners.iter().flat_map(|owner| self.holds_of(*owner)).collect(),
            keys: keys.iter().filter_map(key).collect(),
            lines: ask.lines.iter().filter_map(|line| self.line(*line)).collect(),
            operations: ask
                .operations
                .iter()
                .filter_map(|id| Some(self.operations.get(id)?.row.clone()))
                .collect(),
            ..World::default()
        };
        self.see_stock(ask, &mut world);
        world
    }

    pub(crate) fn lives(&self, holder: &doorbuster::base::HolderId) -> bool {
        self.lifetimes.get(holder).is_some_and(|one| one.live)
    }

    fn line(&self, (order, number): (doorbuster::base::OrderId, u32)) -> Option<LineSeen> {
        let lines = &self.orders.get(&order)?.lines;
        let line = lines.iter().find(|line| line.ordered.line == number)?;
        Some(LineSeen {
            order,
            line: number,
            sku: line.ordered.sku.clone(),
            quantity: line.ordered.quantity,
            tracked: line.ordered.tracked,
            shipped: line.shipped,
            returned: line.returned,
            restocked: line.restocked,
        })
    }

    fn see_stock(&self, ask: &Ask, world: &mut World) {
        let moved = self.moved(ask, world);
        world.stock = moved.iter().filter_map(|sku| self.stock.get(sku).cloned()).collect();
        let short = short(ask, world);
        let wanted = |grant: &&GrantRow| {
            let of =
                grant.active && (short.contains(&grant.sku) || ask.grants_of.contains(&grant.sku));
            ask.grants.contains(&grant.id) || of
        };
        world.grants = self.grants.values().filter(wanted).cloned().collect();
        let lapsed = |hold: &&HoldRow| {
            short.contains(&hold.sku)
                && hold.pinned_by.is_none()
                && ask.now.is_some_and(|now| hold.expires_at <= now)
        };
        for hold in self.holds.values().filter(lapsed) {
            if !world.holds.contains(hold) {
                world.holds.push(hold.clone());
            }
        }
        let promised = |sku: &Sku| {
            let level = self.level(sku)?;
            Some(Promised { sku: sku.clone(), units: level.held + level.sold })
        };
        world.promised = ask.grants_of.iter().filter_map(promised).collect();
    }

    /// SKUs whose stock row the batch may write.
    fn moved(&self, ask: &Ask, world: &World) -> BTreeSet<Sku> {
        let held = held(world);
        let mut skus: BTreeSet<Sku> = ask.stock.union(&ask.grants_of).cloned().collect();
        skus.extend(ask.holds.iter().map(|(_, sku)| sku.clone()));
        skus.extend(world.lines.iter().map(|line| line.sku.clone()));
        let closing = ask.closing.iter().filter_map(|id| self.grants.get(id));
        skus.extend(closing.map(|grant| grant.sku.clone()));
        let mut kept = BTreeSet::new();
        for wanted in &ask.wanted {
            let covered = held.get(&(wanted.checkout, &wanted.sku)).copied().unwrap_or(0);
            if wanted.quantity < covered || (wanted.direct && wanted.quantity > covered) {
                skus.insert(wanted.sku.clone());
            }
            kept.insert((wanted.checkout, &wanted.sku));
        }
        let released = world.holds.iter().filter(|hold| {
            ask.sessions.contains(&hold.checkout) && !kept.contains(&(hold.checkout, &hold.sku))
        });
        skus.extend(released.map(|hold| hold.sku.clone()));
        skus
    }
}

/// SKUs of which more is wanted directly than is free, or that the batch moves besides.
fn short(ask: &Ask, world: &World) -> BTreeSet<Sku> {
    let held = held(world);
    let mut missing: BTreeMap<&Sku, i64> = BTreeMap::new();
    for wanted in ask.wanted.iter().filter(|wanted| wanted.direct) {
        let covered = held.get(&(wanted.checkout, &wanted.sku)).copied().unwrap_or(0);
        let more = i64::from(wanted.quantity.saturating_sub(covered));
        if more > 0 {
            *missing.entry(&wanted.sku).or_default() += more;
        }
    }
    let free =
        |sku: &Sku| world.stock.iter().find(|row| row.sku == *sku).map_or(0, |row| row.unallocated);
    let is_short = |(sku, units): &(&Sku, i64)| *units > free(sku) || ask.stock.contains(*sku);
    missing.into_iter().filter(is_short).map(|(sku, _)| sku.clone()).collect()
}

fn held(world: &World) -> BTreeMap<(CheckoutId, &Sku), u32> {
    world.holds.iter().map(|hold| ((hold.checkout, &hold.sku), hold.quantity)).collect()
}
