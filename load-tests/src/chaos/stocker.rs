//! Somebody who keeps the shelves filled while the sale goes on, and clears them at its end.

use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{
    buyer::{Buyer, Stuck},
    sale::{HOT, SCARCE, Sale},
    told::Told,
};
use crate::drive::request::sku;

/// What comes in, and when: SKU, units below which more comes, units that come.
const SHELVES: [(u32, i64, i64); 2] = [(HOT, 4_000, 8_000), (SCARCE, 1, 40)];

/// Time between two looks.
const ROUND: Duration = Duration::from_millis(400);

/// Units of a SKU there are at the beginning.
pub const fn at_first(number: u32) -> u32 {
    match number {
        HOT => 8_000,
        SCARCE => 40,
        _ => 1_000_000,
    }
}

/// Fills shelves that run empty, until the sale is over.
pub async fn keep_filled(sale: Arc<Sale>) {
    let mut stocker = Buyer::new(&sale, "stocker".to_owned(), 0);
    while !sale.is_over() {
        for (number, least, lot) in SHELVES {
            let Ok(left) = available(&mut stocker, number).await else { return };
            if left < least
                && let Err(Stuck) = moved(&mut stocker, number, lot).await
            {
                return;
            }
        }
        tokio::time::sleep(ROUND).await;
    }
}

/// Writes all but this many units off.
///
/// # Errors
/// When nobody answers.
pub async fn clear(stocker: &mut Buyer, number: u32, left: i64) -> Result<(), Stuck> {
    let there = available(stocker, number).await?;
    match left - there {
        0 => Ok(()),
        units => moved(stocker, number, units).await,
    }
}

/// Units that anybody may buy.
///
/// # Errors
/// When nobody answers.
pub async fn available(stocker: &mut Buyer, number: u32) -> Result<i64, Stuck> {
    let heard = stocker.get(&format!("/v1/stock/{}", sku(number))).await?;
    let available = heard.body["available"].as_i64();
    if available.is_none() {
        stocker.surprised("stock", &heard);
    }
    available.ok_or(Stuck)
}

async fn moved(stocker: &mut Buyer, number: u32, units: i64) -> Result<(), Stuck> {
    let kind = if units < 0 { "write_off" } else { "receive" };
    let body = json!({
        "sku": sku(number), "kind": kind, "quantity": units.unsigned_abs(), "reason": "chaos",
    });
    let heard = stocker.post("/v1/stock/movements", &body).await?;
    if heard.status == 201 {
        stocker.sale.told(&Told::Moved { sku: number, units });
    } else {
        stocker.surprised("movement", &heard);
    }
    Ok(())
}
