//! An order as UCP shows it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;

use super::{
    checkout_wire::ItemWire,
    extension_wire::TotalWire,
    order_events::{AdjustmentWire, Names, OrderFulfillmentWire},
};
use crate::{
    base::{CheckoutId, Money, OrderId, Origin},
    http::render::Answers,
    ledger::row::{OrderLineRow, OrderRow},
    pricing::{Priced, Totals},
};

/// What the order's document says that its rows do not. Tolerant: a document written by an older
/// version may lack fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OrderBody {
    /// Who created the checkout; only they see the order.
    pub caller: Option<String>,
    /// Where the checkout came from.
    pub origin: Origin,
    /// The lines, in their order.
    pub lines: Vec<LineBody>,
    /// Discounts, delivery and taxes.
    pub priced: Option<Box<Priced>>,
}

/// A line's words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LineBody {
    /// The platform's name for the line.
    pub id: String,
    /// What.
    pub sku: String,
    /// Its name for people.
    pub title: String,
    /// Address of a picture.
    pub image_url: Option<String>,
}

impl OrderBody {
    /// Reads the document; one that cannot be read says nothing.
    pub fn of(row: &OrderRow) -> Self {
        serde_json::from_str(row.body.get()).unwrap_or_default()
    }

    /// The platform's names for the order's lines, in their order.
    pub fn names(&self, row: &OrderRow) -> Names {
        let goods = row.lines.iter().filter(|line| !line.ordered.sku.is_of_uses());
        let name = |(at, line): (usize, &OrderLineRow)| match self.lines.get(at) {
            Some(said) if said.sku == line.ordered.sku.as_str() => said.id.clone(),
            _ => format!("li_{}", line.ordered.line),
        };
        goods.enumerate().map(name).collect()
    }
}

#[derive(Serialize)]
struct OrderWire<'a> {
    ucp: &'a RawValue,
    id: OrderId,
    checkout_id: CheckoutId,
    permalink_url: String,
    currency: &'static str,
    line_items: Vec<LineWire<'a>>,
    totals: Vec<TotalWire<'a>>,
    fulfillment: OrderFulfillmentWire<'a>,
    adjustments: Vec<AdjustmentWire<'a>>,
}

#[derive(Serialize)]
struct LineWire<'a> {
    id: String,
    item: ItemWire<'a>,
    quantity: QuantityWire,
    totals: Vec<TotalWire<'a>>,
    status: &'static str,
}

#[derive(Serialize)]
struct QuantityWire {
    original: u32,
    total: u32,
    fulfilled: u32,
}

/// The order's body.
pub fn write(answers: &Answers, row: &OrderRow, body: &OrderBody) -> String {
    let words: HashMap<u32, &LineBody> = (1..).zip(&body.lines).collect();
    let names = body.names(row);
    let goods = row.lines.iter().filter(|line| !line.ordered.sku.is_of_uses());
    let line_items: Vec<_> = goods.map(|line| line_wire(line, &words)).collect();
    let money = |minor| Money::from_minor(minor, row.currency);
    let totals = Totals { subtotal: money(subtotal(row)), total: money(row.total_minor) };
    let wire = OrderWire {
        ucp: &answers.blocks().order,
        id: row.id,
        checkout_id: row.id.checkout(),
        permalink_url: format!("{}/orders/{}", answers.site().base_url, row.id),
        currency: row.currency.code(),
        line_items,
        totals: TotalWire::of(totals.entries(body.priced.as_deref())),
        fulfillment: OrderFulfillmentWire::of(row, body.priced.as_deref(), &names),
        adjustments: AdjustmentWire::of(row, &names),
    };
    serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys")
}

fn subtotal(row: &OrderRow) -> i64 {
    row.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(amount(line)))
}

fn amount(line: &OrderLineRow) -> i64 {
    line.ordered.unit_price_minor.saturating_mul(i64::from(line.ordered.quantity))
}

fn line_wire<'a>(line: &'a OrderLineRow, words: &HashMap<u32, &'a LineBody>) -> LineWire<'a> {
    let ordered = &line.ordered;
    let said = words.get(&ordered.line).filter(|said| said.sku == ordered.sku.as_str());
    let gone = line.returned.saturating_add(line.restocked);
    let total = ordered.quantity.saturating_sub(gone);
    let fulfilled = line.shipped.saturating_sub(line.returned);
    LineWire {
        id: said.map_or_else(|| format!("li_{}", ordered.line), |said| said.id.clone()),
        item: ItemWire {
            id: ordered.sku.as_str(),
            title: said.map_or(ordered.sku.as_str(), |said| &said.title),
            price: ordered.unit_price_minor,
            image_url: said.and_then(|said| said.image_url.as_deref()),
        },
        quantity: QuantityWire { original: ordered.quantity, total, fulfilled },
        totals: TotalWire::plain(amount(line)),
        status: status(total, fulfilled),
    }
}

/// As the schema derives it.
const fn status(total: u32, fulfilled: u32) -> &'static str {
    match (total, fulfilled) {
        (0, _) => "removed",
        (total, fulfilled) if fulfilled == total => "fulfilled",
        (_, 0) => "processing",
        _ => "partial",
    }
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn the_status_of_a_line_follows_its_units() {
        assert_eq!(status(2, 0), "processing");
        assert_eq!(status(2, 1), "partial");
        assert_eq!(status(2, 2), "fulfilled");
        assert_eq!(status(0, 0), "removed");
    }
}
