//! Finds the sale that a return belongs to.

use std::collections::HashMap;

use super::{plan::Sale, row::Kind};
use crate::base::{Sku, Timestamp};

/// A cancellation as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comeback {
    /// Its number in the file.
    pub invoice: String,
    /// When.
    pub at: Timestamp,
    /// From whom.
    pub customer: String,
    /// What.
    pub sku: Sku,
    /// How many units.
    pub quantity: u64,
}

/// A return with the sales it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Its number in the file.
    pub invoice: String,
    /// When.
    pub at: Timestamp,
    /// From whom.
    pub customer: String,
    /// What.
    pub sku: Sku,
    /// Units by sale, the latest sale first. Never empty.
    pub parts: Vec<Part>,
}

/// Units of one sold line that come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which sale of the plan.
    pub sale: usize,
    /// Which of its lines, from 0.
    pub line: usize,
    /// How many units.
    pub quantity: u64,
}

/// What became of the cancellations.
#[derive(Debug, Default)]
pub(super) struct Matched {
    pub(super) returns: Vec<Return>,
    /// One per cancellation.
    pub(super) kinds: Vec<Kind>,
    pub(super) unmatched_units: u64,
}

/// Units of one customer's purchase of one SKU that have not come back.
struct Unreturned {
    at: Timestamp,
    part: Part,
}

/// Purchases by customer and product, in the order of time.
type Purchases<'a> = HashMap<&'a str, HashMap<usize, Vec<Unreturned>>>;

/// Matches each cancellation with that customer's latest unreturned sales of the SKU up to its
/// time. One that is larger than the latest sale goes on with the sale before. Both lists are in
/// the order of time.
pub(super) fn matched(
    sales: &[Sale],
    products: &HashMap<Sku, usize>,
    comebacks: Vec<Comeback>,
) -> Matched {
    let mut unreturned = purchases(sales);
    let mut matched = Matched::default();
    for comeback in comebacks {
        let purchases = products
            .get(&comeback.sku)
            .and_then(|product| unreturned.get_mut(comeback.customer.as_str())?.get_mut(product));
        let parts = purchases.map_or_else(Vec::new, |purchases| take(purchases, &comeback));
        let found: u64 = parts.iter().map(|part| part.quantity).sum();
        matched.unmatched_units += comeback.quantity - found;
        matched.kinds.push(match found {
            0 => Kind::ReturnUnmatched,
            _ if found == comeback.quantity => Kind::ReturnMatched,
            _ => Kind::ReturnPartlyMatched,
        });
        if found > 0 {
            let Comeback { invoice, at, customer, sku, .. } = comeback;
            matched.returns.push(Return { invoice, at, customer, sku, parts });
        }
    }
    matched
}

fn purchases(sales: &[Sale]) -> Purchases<'_> {
    let mut purchases: Purchases<'_> = HashMap::new();
    for (index, sale) in sales.iter().enumerate() {
        let Some(customer) = sale.customer.as_deref() else { continue };
        for (place, line) in sale.lines.iter().enumerate() {
            let part = Part { sale: index, line: place, quantity: line.quantity };
            let bought = Unreturned { at: sale.at, part };
            let of_customer = purchases.entry(customer).or_default();
            of_customer.entry(line.product).or_default().push(bought);
        }
    }
    purchases
}

fn take(purchases: &mut [Unreturned], comeback: &Comeback) -> Vec<Part> {
    let mut wanted = comeback.quantity;
    let mut parts = Vec::new();
    for bought in purchases.iter_mut().rev().filter(|bought| bought.at <= comeback.at) {
        let quantity = wanted.min(bought.part.quantity);
        if quantity > 0 {
            bought.part.quantity -= quantity;
            wanted -= quantity;
            parts.push(Part { quantity, ..bought.part });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::plan::SaleLine;

    fn sale(at: i64, customer: &str, quantity: u64) -> Sale {
        Sale {
            invoice: at.to_string(),
            at: Timestamp::from_micros(at),
            customer: Some(customer.into()),
            lines: vec![SaleLine { product: 0, quantity, rows: 1 }],
        }
    }

    fn comeback(at: i64, customer: &str, quantity: u64) -> Comeback {
        let sku = Sku::parse("MUG").expect("a SKU");
        let at = Timestamp::from_micros(at);
        Comeback { invoice: "C".into(), at, customer: customer.into(), sku, quantity }
    }

    #[test]
    fn a_return_takes_from_the_latest_sale_first_and_never_twice() {
        let sales = [sale(1, "ann", 5), sale(2, "bob", 9), sale(3, "ann", 4), sale(9, "ann", 7)];
        let products = HashMap::from([(Sku::parse("MUG").expect("a SKU"), 0)]);
        let backs = vec![
            comeback(5, "ann", 6),
            comeback(6, "ann", 6),
            comeback(7, "ann", 1),
            comeback(8, "eve", 1),
        ];
        let matched = matched(&sales, &products, backs);
        let parts: Vec<Vec<(usize, u64)>> = matched
            .returns
            .iter()
            .map(|back| back.parts.iter().map(|part| (part.sale, part.quantity)).collect())
            .collect();
        assert_eq!(parts, [vec![(2, 4), (0, 2)], vec![(0, 3)]]);
        let unmatched = Kind::ReturnUnmatched;
        let kinds = [Kind::ReturnMatched, Kind::ReturnPartlyMatched, unmatched, unmatched];
        assert_eq!((matched.kinds, matched.unmatched_units), (kinds.to_vec(), 5));
    }
}
