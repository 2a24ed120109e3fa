//! `GET /v1/stock`, `GET /v1/stock/{sku}`: what there is.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::page::{self, Wanted};
use crate::{
    base::Sku,
    http::{caller::Caller, door::Door, kinds::Kind, problem::Problem},
    ledger::row::StockLevel,
};

/// A SKU's units.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StockView {
    #[serde(flatten)]
    level: StockLevel,
    available: i64,
}

impl From<StockLevel> for StockView {
    fn from(level: StockLevel) -> Self {
        Self { available: level.available(), level }
    }
}

/// Lists stock by SKU.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let after = wanted.after_sku()?;
    let mut rows = door.store.list_stock(after.as_ref(), size + 1).await?;
    // Uses of discounts are counted beside goods, and are none.
    rows.retain(|row| !row.sku.is_of_uses());
    Ok(page::answer(rows, size, |row| row.sku.to_string(), StockView::from))
}

/// Shows one SKU's stock.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    sku: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let sku = sku_of(&sku)?;
    let mut rows = door.store.find_stock(std::slice::from_ref(&sku)).await?;
    let row = rows.pop().ok_or_else(|| {
        Problem::new(Kind::NotFound, "No stock is kept of this SKU.")
            .suggest("Receive some with POST /v1/stock/movements.")
    })?;
    Ok(HttpResponse::Ok().json(StockView::from(row)))
}

/// A SKU out of a path.
pub fn sku_of(raw: &str) -> Result<Sku, Problem> {
    Sku::parse(raw).map_err(|error| Problem::new(Kind::NotFound, format!("Refused: {error}.")))
}
