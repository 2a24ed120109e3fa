//! What became of the money of the orders, as the back office tells it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    shop::{Door, Shop, ShopFault},
    wire::{CaseOut, OrderOut},
};

/// How often and how long somebody waits for a capture, which is owed after the reply. It is waited
/// for in vain once: a shop that captures by hand would be waited for at every order.
const PATIENCE: (u32, Duration) = (300, Duration::from_millis(100));

/// Where the money of an order stands.
#[derive(Debug)]
pub(super) enum Money {
    /// It was taken; some of it may have gone back since.
    Taken(OrderOut),
    /// It waits for a reviewer.
    InReview,
    /// It is authorized, and nobody takes it.
    Authorized,
    /// Something else, in the shop's word: `voided`.
    Other(String),
}

impl Money {
    /// The word for reports.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Taken(_) => "captured",
            Self::InReview => IN_REVIEW,
            Self::Authorized => "authorized, not captured",
            Self::Other(word) => word,
        }
    }
}

/// The word for an order that waits for a reviewer.
pub(super) const IN_REVIEW: &str = "in review";

/// Looks after the money.
#[derive(Debug, Default)]
pub(super) struct Till {
    waited_in_vain: AtomicBool,
}

impl Till {
    /// Where the money of an order stands, once its capture is over.
    pub(super) async fn look(&self, shop: &Shop, order: &str) -> Result<Money, ShopFault> {
        let path = format!("/v1/orders/{order}");
        let (times, pause) = PATIENCE;
        for attempt in 0..times {
            let found: OrderOut = shop.get(Door::Office, &path).await?;
            match found.payment.as_str() {
                "authorized" => {}
                "captured" | "partially_refunded" | "refunded" => return Ok(Money::Taken(found)),
                _ => return Ok(Money::Other(found.payment)),
            }
            // A case is opened with the order: whoever has none then has none.
            if attempt == 0 && is_in_review(shop, order).await? {
                return Ok(Money::InReview);
            }
            if self.waited_in_vain.load(Ordering::Relaxed) {
                return Ok(Money::Authorized);
            }
            tokio::time::sleep(pause).await;
        }
        self.waited_in_vain.store(true, Ordering::Relaxed);
        Ok(Money::Authorized)
    }
}

async fn is_in_review(shop: &Shop, order: &str) -> Result<bool, ShopFault> {
    match shop.get::<CaseOut>(Door::Office, &format!("/v1/cases/{order}")).await {
        Ok(case) => Ok(case.state == "open"),
        Err(ShopFault::Refused { status: 404, .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}
