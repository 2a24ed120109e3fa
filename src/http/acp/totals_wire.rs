//! Amounts as this protocol tells them: what is taken off is positive and told by its type.

use serde::Serialize;

use crate::{
    checkout::Line,
    pricing::{Entry, EntryKind, Priced, Target},
};

/// One amount of a breakdown, in minor units.
#[derive(Debug, Serialize)]
pub struct TotalWire {
    r#type: &'static str,
    display_text: String,
    amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
}

impl TotalWire {
    /// A breakdown. The subtotal is what the goods cost after what was taken off them.
    pub fn of(entries: &[Entry<'_>]) -> Vec<Self> {
        let sum = |kind| entries.iter().filter(|e| e.kind == kind).map(|e| e.minor).sum::<i64>();
        let subtotal = sum(EntryKind::Subtotal) + sum(EntryKind::ItemsDiscount);
        let goods = [EntryKind::Subtotal, EntryKind::ItemsDiscount];
        let (goods, rest): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| goods.contains(&entry.kind));
        let told = goods.into_iter().map(word);
        let told = told.chain([total("subtotal", "Subtotal", subtotal)]);
        told.chain(rest.into_iter().map(word)).collect()
    }

    /// What a line comes to.
    pub fn of_line(line: &Line, at: usize, priced: Option<&Priced>) -> Vec<Self> {
        // The session's subtotal was added up from these without overflow.
        let base = line.unit_price.minor().saturating_mul(i64::from(line.quantity));
        Self::reduced(base, priced.map_or(0, |priced| priced.taken_off(Target::Line(at))))
    }

    /// What units come to after what was taken off them.
    pub fn reduced(base: i64, off: i64) -> Vec<Self> {
        let mut totals = vec![total("items_base_amount", "Items", base)];
        if off > 0 {
            totals.push(total("items_discount", "Discount", off));
        }
        totals.push(total("subtotal", "Subtotal", base - off));
        totals.push(total("total", "Total", base - off));
        totals
    }

    /// What a way of coming costs.
    pub fn of_option(minor: i64) -> [Self; 1] {
        [total("total", "Total", minor)]
    }

    /// What was given back.
    pub fn refunded(minor: i64) -> Self {
        total("amount_refunded", "Refunded", minor)
    }
}

fn total(r#type: &'static str, text: &str, amount: i64) -> TotalWire {
    TotalWire { r#type, display_text: text.to_owned(), amount, description: None }
}

fn word(entry: &Entry<'_>) -> TotalWire {
    let (kind, usual, sign) = match entry.kind {
        EntryKind::Subtotal => ("items_base_amount", "Items", 1),
        EntryKind::ItemsDiscount => ("items_discount", "Discount", -1),
        EntryKind::Fulfillment => ("fulfillment", "Shipping", 1),
        EntryKind::Discount => ("discount", "Shipping discount", -1),
        EntryKind::Tax => ("tax", "Tax", 1),
        EntryKind::Total => ("total", "Total", 1),
    };
    let description =
        entry.contained.map(|_| "Contained in the prices; adds nothing to the total.");
    let text = entry.title.as_deref().unwrap_or(usual);
    TotalWire { description, ..total(kind, text, sign * entry.minor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A breakdown as pricing makes it: the total is the sum of all before it.
    fn breakdown(goods: i64, off: i64, sent: i64, sent_off: i64, tax: i64) -> Vec<Entry<'static>> {
        let entry = |kind, minor| Entry { kind, title: None, minor, contained: None };
        let parts = [
            (EntryKind::Subtotal, goods),
            (EntryKind::ItemsDiscount, -off),
            (EntryKind::Fulfillment, sent),
            (EntryKind::Discount, -sent_off),
            (EntryKind::Tax, tax),
        ];
        let total = parts.iter().map(|(_, minor)| minor).sum();
        let told = parts.into_iter().chain([(EntryKind::Total, total)]);
        told.map(|(kind, minor)| entry(kind, minor)).collect()
    }

    proptest! {
        #[test]
        fn amounts_are_positive_and_add_up(
            goods in 0..1_000_000_i64, sent in 0..10_000_i64, tax in 0..100_000_i64,
            off in 0..=100_i64, sent_off in 0..=100_i64,
        ) {
            let (off, sent_off) = (goods * off / 100, sent * sent_off / 100);
            let told = TotalWire::of(&breakdown(goods, off, sent, sent_off, tax));
            let of = |kind: &str| {
                let those: Vec<_> = told.iter().filter(|total| total.r#type == kind).collect();
                assert_eq!(those.len(), 1, "exactly one {kind}");
                those[0].amount
            };
            prop_assert!(told.iter().all(|total| total.amount >= 0), "{told:?}");
            prop_assert_eq!(of("subtotal"), of("items_base_amount") - of("items_discount"));
            let sum = of("subtotal") - of("discount") + of("fulfillment") + of("tax");
            prop_assert_eq!(of("total"), sum);
        }
    }
}
