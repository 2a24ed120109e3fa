//! Whether units add up.

use std::collections::BTreeMap;

use super::report::Difference;
use crate::{
    base::Sku,
    ledger::{
        row::{OrderRow, StockLevel},
        store::MovementRow,
    },
};

/// What the order lines say about one SKU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Promised {
    /// Units sold and neither shipped nor put back on sale.
    pub sold: i64,
    /// Units shipped.
    pub shipped: i64,
    /// Shipped units that came back.
    pub returned: i64,
    /// Units put back on sale unshipped.
    pub restocked: i64,
}

/// What the movements say about one SKU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    received: i64,
    written_off: i64,
    shipped: i64,
    returned: i64,
    restocked: i64,
}

impl Moved {
    /// Adds one movement; a kind nobody knows is a difference.
    pub fn add(&mut self, movement: &MovementRow) -> Option<Difference> {
        let count = match movement.kind.as_str() {
            "receive" => &mut self.received,
            "write_off" => &mut self.written_off,
            "ship" => &mut self.shipped,
            "return" => &mut self.returned,
            "restock" => &mut self.restocked,
            other => {
                let finding = format!("movement {} is of unknown kind `{other}`", movement.id);
                return Some(Difference::new(&movement.sku, finding));
            }
        };
        *count += i64::from(movement.quantity);
        None
    }

    const fn on_hand(&self) -> i64 {
        self.received + self.returned - self.written_off - self.shipped
    }
}

/// Adds the lines of an order to what is promised; a line that moved more than it has is told.
pub fn promise(promised: &mut BTreeMap<Sku, Promised>, order: &OrderRow) -> Vec<Difference> {
    let mut differences = Vec::new();
    for line in order.sold() {
        let [quantity, shipped, returned, restocked] =
            [line.ordered.quantity, line.shipped, line.returned, line.restocked].map(i64::from);
        if shipped + restocked > quantity || returned > shipped {
            let finding = format!(
                "line {} of {quantity} has {shipped} shipped, {returned} returned and \
                 {restocked} restocked",
                line.ordered.line
            );
            differences.push(Difference::new(order.id, finding));
        }
        if line.ordered.tracked {
            let sum = promised.entry(line.ordered.sku.clone()).or_default();
            sum.sold += quantity - shipped - restocked;
            sum.shipped += shipped;
            sum.returned += returned;
            sum.restocked += restocked;
        }
    }
    differences
}

/// Whether one SKU's units add up: by the conservation law, by what was promised and by what moved.
pub fn check(level: &StockLevel, promised: Promised, moved: Moved) -> Vec<Difference> {
    let mut findings = Vec::new();
    let StockLevel { on_hand, unallocated, granted, held, sold, .. } = level;
    if !level.is_conserved() {
        findings.push(format!(
            "{on_hand} on hand, but {unallocated} free + {granted} granted + {held} held + {sold} \
             sold"
        ));
    }
    for (count, name) in [
        (on_hand, "on hand"),
        (unallocated, "free"),
        (granted, "granted"),
        (held, "held"),
        (sold, "sold"),
    ] {
        if *count < 0 {
            findings.push(format!("{count} {name}"));
        }
    }
    let promised_and_moved = [
        (*sold, promised.sold, "sold, but order lines say"),
        (*on_hand, moved.on_hand(), "on hand, but movements say"),
        (promised.shipped, moved.shipped, "shipped by order lines, but movements say"),
        (promised.returned, moved.returned, "returned by order lines, but movements say"),
        (promised.restocked, moved.restocked, "restocked by order lines, but movements say"),
    ];
    for (one, other, name) in promised_and_moved {
        if one != other {
            findings.push(format!("{one} {name} {other}"));
        }
    }
    findings.into_iter().map(|finding| Difference::new(&level.sku, finding)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{MovementId, Timestamp};

    fn level() -> StockLevel {
        let sku = Sku::parse("MUG").expect("a SKU");
        StockLevel { sku, on_hand: 10, unallocated: 4, granted: 2, held: 1, sold: 3 }
    }

    fn moved(kinds: &[(&str, u32)]) -> Moved {
        let mut moved = Moved::default();
        for (kind, quantity) in kinds {
            let movement = MovementRow {
                id: MovementId::from_uuid(uuid::Uuid::nil()),
                sku: level().sku,
                kind: (*kind).to_owned(),
                quantity: *quantity,
                reason: String::new(),
                order: None,
                at: Timestamp::from_micros(0),
            };
            assert_eq!(moved.add(&movement).is_some(), *kind == "stolen");
        }
        moved
    }

    const PROMISED: Promised = Promised { sold: 3, shipped: 2, returned: 1, restocked: 1 };
    const MOVES: [(&str, u32); 5] =
        [("receive", 12), ("write_off", 1), ("ship", 2), ("return", 1), ("restock", 1)];

    #[test]
    fn stock_that_adds_up_is_clean() {
        assert_eq!(check(&level(), PROMISED, moved(&MOVES)), []);
    }

    #[test]
    fn each_unit_too_many_or_too_few_is_told() {
        let off_by_one = [
            (StockLevel { on_hand: 9, ..level() }, 2),
            (StockLevel { held: 2, ..level() }, 1),
            (StockLevel { unallocated: -1, granted: 7, ..level() }, 1),
            (StockLevel { sold: 4, held: 0, ..level() }, 1),
        ];
        for (level, findings) in off_by_one {
            let found = check(&level, PROMISED, moved(&MOVES));
            assert_eq!(found.len(), findings, "{found:?}");
        }
        let twice_returned = moved(&[MOVES.as_slice(), &[("return", 1)]].concat());
        assert_eq!(check(&level(), PROMISED, twice_returned).len(), 2);
        moved(&[("stolen", 1)]);
    }
}
