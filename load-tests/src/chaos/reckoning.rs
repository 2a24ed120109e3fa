//! The reckoning: what buyers were told, held against the ledger's rows and the bank's book.

use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    book::Charged,
    ledger::{self, Placed, Units},
    sale::{Broken, SCARCE, Sale, TAIL},
    stocker::at_first,
    told::{Lines, Promises},
};
use crate::{check, drive::request::sku};

/// Every promised hold must stand in the ledger, unit for unit, before it is paid for.
///
/// # Errors
/// When the ledger does not answer.
pub async fn holds_stand(client: &Client, sale: &Sale, promises: &Promises) -> anyhow::Result<()> {
    let mut there = ledger::holds(client).await?;
    for (checkout, lines) in &promises.holds {
        let row = id(checkout).and_then(|id| there.remove(&id)).unwrap_or_default();
        if row != by_sku(lines) {
            let what = format!("{checkout} was promised {lines:?} and holds {row:?}");
            sale.breaks(Broken::LostHold, what);
        }
    }
    for (checkout, row) in there {
        sale.breaks(Broken::Other, format!("{checkout} holds {row:?}, promised to nobody"));
    }
    Ok(())
}

/// Orders, units and money, once nothing is under way any more.
///
/// # Errors
/// When the ledger does not answer.
pub async fn adds_up(
    client: &Client,
    sale: &Sale,
    promises: &Promises,
    book: &BTreeMap<Uuid, Charged>,
) -> anyhow::Result<()> {
    if let Err(lost) = check::every_acknowledged_order_is_there(client, &promises.orders).await {
        sale.breaks(Broken::LostOrder, format!("{lost:#}"));
    }
    let placed = ledger::orders(client).await?;
    let told: BTreeSet<Uuid> = promises.orders.iter().filter_map(|ack| id(&ack.order)).collect();
    // Every buyer insisted on an answer, so nobody has an order they were not told of.
    for order in placed.iter().filter(|placed| !told.contains(&placed.order)) {
        sale.breaks(Broken::Other, format!("{order:?} was acknowledged to nobody"));
    }
    let mut units = ledger::units(client).await?;
    for number in 0..=SCARCE + TAIL {
        let units = units.remove(&sku(number)).unwrap_or_default();
        for (broken, what) in judge_units(number, units, promises) {
            sale.breaks(broken, what);
        }
    }
    let attempts = ledger::attempts(client).await?;
    for what in judge_money(&placed, &attempts, book) {
        sale.breaks(Broken::DoubleCharge, what);
    }
    Ok(())
}

/// Never more promised than there is, exactly what was promised, and what came in is there.
fn judge_units(number: u32, units: Units, promises: &Promises) -> Vec<(Broken, String)> {
    let name = sku(number);
    let Units { on_hand, held, sold } = units;
    let mut found = Vec::new();
    if held + sold > on_hand {
        let what = format!("{name}: {on_hand} on hand, {held} held, {sold} sold");
        found.push((Broken::Oversold, what));
    }
    let bought = |lines: &Lines| {
        let of = lines.iter().filter(|(bought, _)| *bought == number);
        of.map(|(_, units)| i64::from(*units)).sum::<i64>()
    };
    let told: i64 = promises.orders.iter().map(|ack| bought(&ack.lines)).sum();
    if told != sold {
        let what = format!("{name}: {sold} sold, {told} by what buyers were told");
        found.push((Broken::LostOrder, what));
    }
    let moved = promises.moved.get(&number).copied().unwrap_or_default();
    let expected = i64::from(at_first(number)) + moved;
    if on_hand != expected {
        let what = format!("{name}: {on_hand} on hand, {expected} by what came in and went out");
        found.push((Broken::Other, what));
    }
    found
}

/// One live authorization a checkout at most, one capture an order, for its total, and no other.
fn judge_money(
    placed: &[Placed],
    attempts: &BTreeMap<Uuid, Uuid>,
    book: &BTreeMap<Uuid, Charged>,
) -> Vec<String> {
    let mut found = Vec::new();
    let paid: BTreeMap<Uuid, i64> =
        placed.iter().map(|placed| (placed.attempt, placed.total)).collect();
    let mut live: BTreeMap<Uuid, u32> = BTreeMap::new();
    for (attempt, charged) in book {
        let Some(checkout) = attempts.get(attempt) else {
            found.push(format!("{attempt} is in the book, and the ledger never asked for it"));
            continue;
        };
        let open = charged.authorized.1 > 0 && !charged.voided;
        *live.entry(*checkout).or_default() += u32::from(open);
        let due = paid.get(attempt).map_or((0, 0), |total| (*total, 1));
        if charged.captured != due {
            found.push(format!("{attempt} of {checkout}: {charged:?}, due is {due:?}"));
        }
        if open && due.1 == 0 {
            found.push(format!("{attempt} of {checkout}: {charged:?}, and there is no order"));
        }
    }
    let twice = live.into_iter().filter(|(_, count)| *count > 1);
    found.extend(twice.map(|(checkout, count)| format!("{checkout} paid {count} times")));
    let unpaid = placed.iter().filter(|placed| !book.contains_key(&placed.attempt));
    found.extend(unpaid.map(|placed| format!("{placed:?} was never paid")));
    found
}

fn by_sku(lines: &Lines) -> BTreeMap<String, i32> {
    lines.iter().map(|(number, units)| (sku(*number), i32::try_from(*units).unwrap_or(0))).collect()
}

fn id(told: &str) -> Option<Uuid> {
    Uuid::try_parse(told.rsplit('_').next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chaos::sale::HOT, drive::acks::Ack};

    fn promised(units: u32) -> Promises {
        let ack = Ack { order: "ord_1".into(), key: "k".into(), lines: vec![(HOT, units)] };
        Promises { orders: vec![ack], moved: BTreeMap::from([(HOT, 2)]), ..Promises::default() }
    }

    fn kinds(units: Units, promises: &Promises) -> Vec<Broken> {
        judge_units(HOT, units, promises).into_iter().map(|(broken, _)| broken).collect()
    }

    #[test]
    fn units_that_are_promised_twice_or_lost_are_told() {
        let on_hand = i64::from(at_first(HOT)) + 2;
        let fine = Units { on_hand, held: 1, sold: 3 };
        assert_eq!(kinds(fine, &promised(3)), []);
        assert_eq!(kinds(Units { held: on_hand, ..fine }, &promised(3)), [Broken::Oversold]);
        assert_eq!(kinds(fine, &promised(4)), [Broken::LostOrder]);
        assert_eq!(kinds(Units { on_hand: on_hand - 1, ..fine }, &promised(3)), [Broken::Other]);
    }

    #[test]
    fn money_that_is_taken_twice_or_for_nothing_is_told() {
        let [checkout, paid, other] = [1, 2, 3].map(Uuid::from_u128);
        let placed = [Placed { order: checkout, attempt: paid, total: 5 }];
        let attempts = BTreeMap::from([(paid, checkout), (other, checkout)]);
        let good = Charged { authorized: (5, 1), captured: (5, 1), voided: false };
        let judge = |charges: &[(Uuid, Charged)]| {
            judge_money(&placed, &attempts, &charges.iter().copied().collect()).len()
        };
        let void = Charged { captured: (0, 0), voided: true, ..good };
        assert_eq!(judge(&[(paid, good), (other, void)]), 0);
        assert_eq!(judge(&[(paid, Charged { captured: (10, 2), ..good })]), 1);
        assert_eq!(judge(&[(paid, Charged { captured: (0, 0), ..good })]), 1);
        // A second authorization that stands: without an order, and twice for one checkout.
        assert_eq!(judge(&[(paid, good), (other, Charged { voided: false, ..void })]), 2);
        assert_eq!(judge(&[]), 1);
        assert_eq!(judge(&[(paid, good), (Uuid::nil(), void)]), 1);
    }
}
