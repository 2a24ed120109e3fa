//! After the sale: parcels leave, goods come back, money is taken, let go or given back.

use serde_json::json;
use std::time::Duration;

use super::{
    desk::{Capture, Checkout},
    record::event,
};
use crate::{
    base::{ChangeId, EventId, MovementId, OrderId, Timestamp},
    ledger::{
        Entry, EntryId, Fact, LedgerFault, LedgerRefused, Outcome,
        entry::{
            ChangeOrder, KeyWrite, LineMove, LineMoveKind, MoneyWish, Moved, Parcel, Sale, Shipping,
        },
        row::{Funds, OperationState, OrderRow},
    },
};

/// What is given back right after the sale waits so long for the gateway to have taken it.
const CAPTURE_WAIT: Duration = Duration::from_secs(2);

/// How often it is looked whether the money was taken.
const CAPTURE_LOOK: Duration = Duration::from_millis(20);

/// What somebody wants to happen to an order.
#[derive(Debug, Clone)]
pub struct ChangeWish {
    /// The name of the change.
    pub id: ChangeId,
    /// The order.
    pub order: OrderId,
    /// Which units move, and which way.
    pub moves: Vec<Moved>,
    /// What becomes of the money.
    pub money: MoneyWish,
    /// Whether goods may leave that are not paid.
    pub unpaid: bool,
    /// How the goods travel.
    pub parcel: Parcel,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl ChangeWish {
    /// Nothing yet, under this name.
    pub const fn of(id: ChangeId, order: OrderId, at: Timestamp) -> Self {
        Self {
            id,
            order,
            moves: Vec::new(),
            money: MoneyWish::Keep,
            unpaid: false,
            parcel: Parcel { carrier: None, tracking_number: None, tracking_url: None, news: None },
            reason: String::new(),
            at,
        }
    }
}

impl Checkout {
    /// Changes an order: units and money together, or nothing. What it owes the gateway is asked of
    /// it at once. Without a key it is the wish's id alone that makes doing it twice doing it once.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn change_order(
        &self,
        wish: ChangeWish,
        key: Option<KeyWrite>,
    ) -> Result<Outcome, LedgerFault> {
        let Some(row) = self.store.find_order(wish.order).await? else {
            return Ok(Err(LedgerRefused::NoSuchLine));
        };
        let order = wish.order;
        let change = self.change(wish, self.sale(&row).await?, key);
        let id = EntryId::of(change.id);
        let written = self.writer.write(Entry::new(id, Fact::Change(Box::new(change)))).await?;
        if written.is_ok() {
            self.collect_debts(order).await;
        }
        Ok(written)
    }

    /// The same, which waits a little for money that is about to be captured: what is given back
    /// right after the sale.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn change_order_once_captured(
        &self,
        wish: ChangeWish,
    ) -> Result<Outcome, LedgerFault> {
        let give_up = self.now().plus(CAPTURE_WAIT);
        let mut is_last = false;
        loop {
            let outcome = self.change_order(wish.clone(), None).await?;
            let is_early = matches!(outcome, Err(LedgerRefused::NotCaptured));
            if !is_early || is_last || self.now() >= give_up {
                return Ok(outcome);
            }
            // It may have been captured since it was refused: asked once more, the answer stands.
            is_last = !self.is_capturing(wish.order).await?;
            if !is_last {
                tokio::time::sleep(CAPTURE_LOOK).await;
            }
        }
    }

    async fn is_capturing(&self, order: OrderId) -> Result<bool, LedgerFault> {
        let row = self.store.find_order(order).await?;
        let is = |funds: Funds| funds.capturing > funds.captured;
        Ok(row.is_some_and(|row| is(row.funds())))
    }

    pub(super) fn change(
        &self,
        wish: ChangeWish,
        sale: Sale,
        key: Option<KeyWrite>,
    ) -> ChangeOrder {
        let now = wish.at;
        let ships = wish.moves.iter().any(|moved| moved.kind == LineMoveKind::Ship);
        let body = json!({ "order": wish.order, "change": wish.id });
        let of = |kind| event(EventId::new(now, &*self.chance), wish.order, kind, &body, now);
        let events = match wish.money {
            // Told when the gateway has done it.
            MoneyWish::Capture(_) | MoneyWish::Void => Vec::new(),
            _ if ships => vec![of("order.shipped")],
            _ => vec![of("order.adjusted")],
        };
        let movement = |moved: &Moved| LineMove {
            id: MovementId::new(now, &*self.chance),
            line: moved.line,
            kind: moved.kind,
            quantity: moved.quantity,
        };
        let shipping = match self.terms.capture {
            _ if wish.unpaid => Shipping::Unpaid,
            Capture::OnShipment => Shipping::Captures,
            Capture::Immediate | Capture::Manual => Shipping::Paid,
        };
        ChangeOrder {
            id: wish.id,
            order: wish.order,
            sale,
            moves: wish.moves.iter().map(movement).collect(),
            money: wish.money,
            shipping,
            parcel: wish.parcel,
            reason: wish.reason,
            events,
            key,
            now,
        }
    }

    /// Hands what an order owes the gateway to the collector. What is not handed over is found by
    /// the sweep.
    pub(super) async fn collect_debts(&self, order: OrderId) {
        let order: Option<OrderRow> = match self.store.find_order(order).await {
            Ok(order) => order,
            Err(fault) => {
                tracing::info!(order.id = %order, %fault, "debts wait for the sweep");
                None
            }
        };
        let operations = order.into_iter().flat_map(|order| order.operations);
        for operation in operations.filter(|row| row.state == OperationState::Due) {
            self.collector.collect(operation);
        }
    }
}
