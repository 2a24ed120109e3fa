//! What happens to orders on the bench after the sale.

use doorbuster::{
    base::{AttemptId, ChangeId, CheckoutId, MovementId, OrderId},
    ledger::{
        Entry, EntryId, Fact,
        entry::{ChangeOrder, LineMove, LineMoveKind, MoneyWish, Parcel, Sale, SaleLine, Shipping},
    },
};

use super::bench::Bench;

impl Bench {
    pub(crate) async fn line(
        &self,
        checkout: CheckoutId,
        kind: LineMoveKind,
        quantity: u32,
    ) -> Entry {
        let attempt = self.attempt_of(checkout).await;
        self.moves((checkout, attempt), kind, quantity)
    }

    /// Units of the first line move.
    pub(crate) fn moves(
        &self,
        order: (CheckoutId, AttemptId),
        kind: LineMoveKind,
        quantity: u32,
    ) -> Entry {
        let moved =
            LineMove { id: MovementId::new(self.now(), &self.chance), line: 1, kind, quantity };
        self.change(order, vec![moved], MoneyWish::Keep)
    }

    /// The attempt that paid for a checkout's order; another one where there is no order.
    async fn attempt_of(&self, checkout: CheckoutId) -> AttemptId {
        let order = self.store.find_order(OrderId::of(checkout)).await.expect("reads");
        order.map_or_else(|| self.attempt(), |order| order.attempt)
    }

    /// What an order of one line was sold for: 100 cents.
    pub(crate) fn sale(&self, attempt: AttemptId) -> Sale {
        let back = MovementId::new(self.now(), &self.chance);
        Sale {
            attempt,
            authorization: "auth-1".into(),
            lines: vec![SaleLine { line: 1, paid_minor: 100, back }],
            uses: Vec::new(),
        }
    }

    /// Something that happens to the order of a checkout, which this attempt paid for.
    pub(crate) fn change(
        &self,
        (checkout, attempt): (CheckoutId, AttemptId),
        moves: Vec<LineMove>,
        money: MoneyWish,
    ) -> Entry {
        let id = ChangeId::new(self.now(), &self.chance);
        let change = ChangeOrder {
            id,
            order: OrderId::of(checkout),
            sale: self.sale(attempt),
            moves,
            money,
            shipping: Shipping::Paid,
            parcel: Parcel::default(),
            reason: "parcel".into(),
            events: Vec::new(),
            key: None,
            now: self.now(),
        };
        Entry::new(EntryId::of(id), Fact::Change(Box::new(change)))
    }
}
