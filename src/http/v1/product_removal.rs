//! `DELETE /v1/products/{sku}`, `GET /v1/products/{sku}/references`: products leave, and what still
//! refers to them is told.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::stock::sku_of;
use crate::{
    base::{Currency, OrderId, Sku},
    catalog::remove::Removed,
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
    },
    ledger::LedgerFault,
    pricing::{Item, ItemKind},
};

/// Orders that are named: enough to see of what kind they are.
const ORDERS_SHOWN: u32 = 10;

/// What refers to a product.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct References {
    /// The first orders that name it. Not there when the ledger did not say in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Vec<OrderId>>,
    /// Units on hand.
    on_hand: i64,
    /// Units that checkouts hold.
    held: i64,
    /// Units sold and not yet shipped.
    sold: i64,
    /// Discounts that name it.
    discounts: Vec<String>,
    /// Currencies whose price lists have it.
    price_lists: Vec<Currency>,
}

impl References {
    /// Whether an order names it, or may come to: what cannot be told counts as yes.
    fn has_orders(&self) -> bool {
        self.orders.as_ref().is_none_or(|orders| !orders.is_empty()) || self.held + self.sold > 0
    }
}

async fn references_of(door: &Door, sku: &Sku) -> Result<References, Problem> {
    let orders = match door.catalog.orders_of(sku, ORDERS_SHOWN).await {
        Ok(orders) => Some(orders),
        Err(LedgerFault::Unreachable(_)) => None,
        Err(fault) => return Err(fault.into()),
    };
    let stock = door.store.find_stock(std::slice::from_ref(sku)).await?.pop();
    door.desk.tariffs.follow().await?;
    let mut discounts = Vec::new();
    for row in door.desk.tariffs.list(ItemKind::Discounts) {
        if let Item::Discount(discount) = row.item()?
            && discount.products.contains(sku)
        {
            discounts.push(row.id);
        }
    }
    let product = door.catalog.find(sku).await?;
    let prices = product.iter().flat_map(|product| &product.list_prices);
    Ok(References {
        orders,
        on_hand: stock.as_ref().map_or(0, |stock| stock.on_hand),
        held: stock.as_ref().map_or(0, |stock| stock.held),
        sold: stock.as_ref().map_or(0, |stock| stock.sold),
        discounts,
        price_lists: prices.map(|price| price.currency()).collect(),
    })
}

/// Tells what refers to a product.
pub(super) async fn references(
    door: web::Data<Door>,
    _caller: Caller,
    sku: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let sku = sku_of(&sku)?;
    if door.catalog.find(&sku).await?.is_none() {
        return Err(Problem::new(Kind::NotFound, "There is no such product."));
    }
    Ok(HttpResponse::Ok().json(references_of(&door, &sku).await?))
}

/// Removes a product: it is archived where orders name it or may come to, else deleted. What else
/// refers to it is told, and stays. Removing what is not there is as good.
pub(super) async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    sku: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let sku = sku_of(&sku)?;
    idempotency::change(&door, &asking, async || {
        let references = references_of(&door, &sku).await?;
        let archive = references.has_orders();
        let removed = door.catalog.remove(&sku, archive, door.clock.now()).await?;
        let archived = removed == Removed::Archived;
        let answer = json!({ "removed": sku, "archived": archived, "references": references });
        Ok(idempotency::answer(200, &answer))
    })
    .await
}
