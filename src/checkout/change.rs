//! After the sale: parcels leave, goods come back, money is given back.

use serde_json::json;

use super::{desk::Checkout, record::event};
use crate::{
    base::{ChangeId, EventId, MovementId, OrderId, Timestamp},
    ledger::{
        Authorization, Entry, EntryId, Fact, LedgerFault, LedgerRefused, Outcome,
        entry::{ChangeOrder, KeyWrite, LineMove, LineMoveKind, Moved, Parcel, Refund},
        row::{OperationKind, OperationState, OrderRow},
    },
};

/// What somebody wants to happen to an order.
#[derive(Debug, Clone)]
pub struct ChangeWish {
    /// The name of the change.
    pub id: ChangeId,
    /// The order.
    pub order: OrderId,
    /// Which units move, and which way.
    pub moves: Vec<Moved>,
    /// What is given back, in minor units of the order's currency: more than nothing.
    pub refund_minor: Option<i64>,
    /// How the goods travel.
    pub parcel: Parcel,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Checkout {
    /// Changes an order: units and money together, or nothing. A refund is owed from then on, and
    /// asked of the gateway at once. Without a key it is the wish's id alone that makes doing it
    /// twice doing it once.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn change_order(
        &self,
        wish: ChangeWish,
        key: Option<KeyWrite>,
    ) -> Result<Outcome, LedgerFault> {
        let refund = match wish.refund_minor {
            Some(amount_minor) => match self.refund_of(wish.order, amount_minor).await? {
                Ok(refund) => Some(refund),
                Err(refused) => return Ok(Err(refused)),
            },
            None => None,
        };
        let (order, owes) = (wish.order, refund.is_some());
        let change = self.change(wish, refund, key);
        let id = EntryId::of(change.id);
        let written = self.writer.write(Entry::new(id, Fact::Change(Box::new(change)))).await?;
        if written.is_ok() && owes {
            self.collect_refunds(order).await;
        }
        Ok(written)
    }

    fn change(
        &self,
        wish: ChangeWish,
        refund: Option<Refund>,
        key: Option<KeyWrite>,
    ) -> ChangeOrder {
        let now = wish.at;
        let ships = wish.moves.iter().any(|moved| moved.kind == LineMoveKind::Ship);
        let kind = if ships { "order.shipped" } else { "order.adjusted" };
        let body = json!({ "order": wish.order, "change": wish.id });
        let movement = |moved: &Moved| LineMove {
            id: MovementId::new(now, &*self.chance),
            line: moved.line,
            kind: moved.kind,
            quantity: moved.quantity,
        };
        ChangeOrder {
            id: wish.id,
            order: wish.order,
            moves: wish.moves.iter().map(movement).collect(),
            refund,
            parcel: wish.parcel,
            reason: wish.reason,
            events: vec![event(EventId::new(now, &*self.chance), wish.order, kind, &body, now)],
            key,
            now,
        }
    }

    async fn refund_of(
        &self,
        order: OrderId,
        amount_minor: i64,
    ) -> Result<Result<Refund, LedgerRefused>, LedgerFault> {
        let Some(order) = self.store.find_order(order).await? else {
            return Ok(Err(LedgerRefused::NotCaptured));
        };
        let attempt = self.store.find_attempt(order.attempt).await?;
        let refund = |authorization| Refund { attempt: order.attempt, authorization, amount_minor };
        Ok(match attempt.and_then(|attempt| attempt.authorization) {
            Some(Authorization::Named(authorization)) => Ok(refund(authorization)),
            Some(Authorization::NothingToPay) => Err(LedgerRefused::RefundTooLarge { left: 0 }),
            None => Err(LedgerRefused::NotCaptured),
        })
    }

    /// Hands the refunds that an order owes to the collector. What is not handed over is found by
    /// the sweep.
    pub(super) async fn collect_refunds(&self, order: OrderId) {
        let order: Option<OrderRow> = match self.store.find_order(order).await {
            Ok(order) => order,
            Err(fault) => {
                tracing::info!(%order, %fault, "refunds wait for the sweep");
                None
            }
        };
        for operation in order.into_iter().flat_map(|order| order.operations) {
            let is_refund = operation.operation.kind == OperationKind::Refund;
            if is_refund && operation.state == OperationState::Due {
                self.collector.collect(operation);
            }
        }
    }
}
