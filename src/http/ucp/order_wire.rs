//! An order as UCP shows it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    checkout_wire::ItemWire,
    extension_wire::TotalWire,
    order_events::{AdjustmentWire, OrderFulfillmentWire},
};
use crate::{
    base::{CheckoutId, OrderId},
    http::{
        order_body::{self, Goods, OrderBody},
        render::Answers,
    },
    ledger::row::OrderRow,
};

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
    let names = body.names(row);
    let goods = body.goods(row);
    let totals = order_body::totals(row, &goods);
    let wire = OrderWire {
        ucp: &answers.blocks().order,
        id: row.id,
        checkout_id: row.id.checkout(),
        permalink_url: format!("{}/orders/{}", answers.site().base_url, row.id),
        currency: row.currency.code(),
        line_items: goods.into_iter().map(line_wire).collect(),
        totals: TotalWire::of(totals.entries(body.priced.as_deref())),
        fulfillment: OrderFulfillmentWire::of(row, body.priced.as_deref(), &names),
        adjustments: AdjustmentWire::of(row, &names),
    };
    serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys")
}

fn line_wire(goods: Goods<'_>) -> LineWire<'_> {
    LineWire {
        status: goods.status(),
        totals: TotalWire::reduced(goods.minor(), goods.off_minor),
        item: ItemWire {
            id: goods.sku,
            title: goods.title,
            price: goods.unit_minor,
            image_url: goods.image_url,
        },
        quantity: QuantityWire {
            original: goods.ordered,
            total: goods.current,
            fulfilled: goods.fulfilled,
        },
        id: goods.id,
    }
}
