//! After the sale: units ship, come back, go back on sale; each once.

use doorbuster::{
    base::{AttemptId, CheckoutId, MovementId, OrderId},
    ledger::{
        Entry, LedgerRefused,
        entry::{LineMove, LineMoveKind, MoneyWish},
        row::{NewOperation, OperationKind, OperationState, OrderRow},
    },
};
use futures_util::future::join_all;

use crate::support::bench::{Bench, write};

on_both!(
    units_of_a_line_move_once,
    a_line_that_does_not_stand_is_refused,
    units_and_money_move_together_or_not_at_all,
    no_more_is_given_back_than_was_taken,
    of_many_refunds_at_once_only_as_much_as_was_taken_is_owed,
    what_was_sold_comes_back_piece_by_piece,
);

async fn sold(bench: &Bench, quantity: u32) -> CheckoutId {
    paid(bench, quantity).await.0
}

/// An order of so many units for 100 cents that are authorized and owed.
async fn paid(bench: &Bench, quantity: u32) -> (CheckoutId, AttemptId) {
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let wants = [("TEE", quantity)];
    bench.one(write(bench.pinning(checkout, 1, &wants, attempt))).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &wants)).await.expect("sells");
    (checkout, attempt)
}

/// The same, captured.
async fn captured(bench: &Bench, quantity: u32) -> (CheckoutId, AttemptId) {
    let (checkout, attempt) = paid(bench, quantity).await;
    let capture = order(bench, checkout).await.operations.remove(0).operation;
    bench.one(bench.settled(capture, OperationState::Done)).await.expect("captured");
    (checkout, attempt)
}

async fn order(bench: &Bench, checkout: CheckoutId) -> OrderRow {
    let order = bench.store.find_order(OrderId::of(checkout)).await.expect("reads");
    order.expect("is there")
}

fn gives_back(bench: &Bench, (checkout, attempt): (CheckoutId, AttemptId), minor: i64) -> Entry {
    bench.change((checkout, attempt), Vec::new(), MoneyWish::Refund(minor))
}

async fn refunds(bench: &Bench, checkout: CheckoutId) -> Vec<(NewOperation, OperationState)> {
    let operations = order(bench, checkout).await.operations.into_iter();
    let refunds = operations.filter(|row| row.operation.kind == OperationKind::Refund);
    refunds.map(|row| (row.operation, row.state)).collect()
}

pub(super) async fn units_of_a_line_move_once(bench: Bench) {
    bench.receive("TEE", 10).await;
    let order = sold(&bench, 6).await;
    assert_eq!(bench.levels("TEE").await, [10, 4, 0, 0, 6]);
    let step = async |kind, quantity| bench.one(bench.line(order, kind, quantity).await).await;
    step(LineMoveKind::Ship, 3).await.expect("ships");
    assert_eq!(bench.levels("TEE").await, [7, 4, 0, 0, 3]);
    step(LineMoveKind::Restock, 2).await.expect("restocks");
    assert_eq!(bench.levels("TEE").await, [7, 6, 0, 0, 1]);
    let short = |available| Err(LedgerRefused::LineShort { available });
    assert_eq!(step(LineMoveKind::Ship, 2).await, short(1));
    assert_eq!(step(LineMoveKind::Restock, 2).await, short(1));
    step(LineMoveKind::Return, 3).await.expect("comes back");
    assert_eq!(bench.levels("TEE").await, [10, 9, 0, 0, 1]);
    assert_eq!(step(LineMoveKind::Return, 1).await, short(0));
    // Sent again, the same movement is the same movement.
    let entry = bench.line(order, LineMoveKind::Ship, 1).await;
    bench.one(entry.clone()).await.expect("ships");
    bench.one(entry).await.expect("is recorded");
    assert_eq!(bench.levels("TEE").await, [9, 9, 0, 0, 0]);
    let row = self::order(&bench, order).await;
    let line = &row.lines[0];
    assert_eq!((line.shipped, line.returned, line.restocked), (4, 3, 2));
}

async fn a_line_that_does_not_stand_is_refused(bench: Bench) {
    let unknown = bench.line(bench.checkout(), LineMoveKind::Ship, 1).await;
    assert_eq!(bench.one(unknown).await, Err(LedgerRefused::NoSuchLine));
}

async fn units_and_money_move_together_or_not_at_all(bench: Bench) {
    bench.receive("TEE", 10).await;
    let (checkout, attempt) = captured(&bench, 6).await;
    let moved = |kind, quantity| LineMove {
        id: MovementId::new(bench.now(), &bench.chance),
        line: 1,
        kind,
        quantity,
    };
    bench.one(bench.line(checkout, LineMoveKind::Ship, 2).await).await.expect("ships");
    let (back, off) = (LineMoveKind::Return, LineMoveKind::Restock);
    let short = |available| Err(LedgerRefused::LineShort { available });
    let stands = [8, 4, 0, 0, 4];
    let refused = [
        (vec![moved(back, 3)], 10, short(2)),
        (vec![moved(off, 3), moved(off, 2)], 10, short(4)),
        (vec![moved(back, 1)], 101, Err(LedgerRefused::RefundTooLarge { left: 100 })),
        (vec![moved(back, 1)], 0, Err(LedgerRefused::RefundTooLarge { left: 100 })),
        (vec![LineMove { line: 9, ..moved(back, 1) }], 10, Err(LedgerRefused::NoSuchLine)),
    ];
    for (moves, minor, expected) in refused {
        let entry = bench.change((checkout, attempt), moves, MoneyWish::Refund(minor));
        assert_eq!(bench.one(entry).await, expected);
        assert_eq!(bench.levels("TEE").await, stands);
        assert_eq!(refunds(&bench, checkout).await, []);
    }
    let both = vec![moved(back, 1), moved(off, 2)];
    let entry = bench.change((checkout, attempt), both, MoneyWish::Refund(40));
    bench.one(entry.clone()).await.expect("changes");
    bench.one(entry).await.expect("is recorded");
    assert_eq!(bench.levels("TEE").await, [9, 7, 0, 0, 2]);
    let order = order(&bench, checkout).await;
    let line = &order.lines[0];
    assert_eq!((line.shipped, line.returned, line.restocked), (2, 1, 2));
    let [shipped, adjusted] = &order.changes[..] else { panic!("{:?}", order.changes) };
    assert_eq!((shipped.moved.len(), shipped.money), (1, None));
    let owed = refunds(&bench, checkout).await;
    let [(operation, OperationState::Due)] = &owed[..] else { panic!("{owed:?}") };
    assert_eq!((operation.amount_minor, adjusted.money), (40, Some(operation.id)));
    assert_eq!((adjusted.moved.len(), &*adjusted.reason), (2, "parcel"));
}

async fn no_more_is_given_back_than_was_taken(bench: Bench) {
    bench.receive("TEE", 10).await;
    let owed = paid(&bench, 1).await;
    assert_eq!(bench.one(gives_back(&bench, owed, 1)).await, Err(LedgerRefused::NotCaptured));
    let taken = captured(&bench, 1).await;
    let stranger = bench.change((taken.0, owed.1), Vec::new(), MoneyWish::Refund(1));
    assert_eq!(bench.one(stranger).await, Err(LedgerRefused::NoSuchAttempt));
    bench.one(gives_back(&bench, taken, 60)).await.expect("gives back");
    let left = |left| Err(LedgerRefused::RefundTooLarge { left });
    assert_eq!(bench.one(gives_back(&bench, taken, 41)).await, left(40));
    // Those of one batch see each other.
    let batch = [gives_back(&bench, taken, 30), gives_back(&bench, taken, 11)];
    let outcomes = bench.batch(&batch).await.outcomes;
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    assert_eq!(outcomes[1], left(10));
    // What the gateway will never do can be given back in another way.
    let (operation, _) = refunds(&bench, taken.0).await.remove(0);
    let (id, minor) = (operation.id, operation.amount_minor);
    bench.one(bench.settled(operation, OperationState::Refused)).await.expect("settles");
    bench.one(gives_back(&bench, taken, minor + 10)).await.expect("gives back");
    assert_eq!(bench.one(gives_back(&bench, taken, 1)).await, left(0));
    let given = refunds(&bench, taken.0).await;
    let mut parts: Vec<_> = given.iter().map(|(operation, _)| operation.part()).collect();
    parts.sort_unstable();
    assert_eq!(parts, [1, 2, 3], "each is another one to the gateway");
    assert!(given.iter().any(|(operation, _)| operation.id == id));
}

async fn of_many_refunds_at_once_only_as_much_as_was_taken_is_owed(bench: Bench) {
    bench.receive("TEE", 10).await;
    let taken = captured(&bench, 1).await;
    let asked: Vec<_> = (0..12).map(|_| gives_back(&bench, taken, 15)).collect();
    let outcomes = join_all(asked.into_iter().map(|entry| bench.one(entry))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 6);
    let owed = refunds(&bench, taken.0).await;
    assert_eq!(owed.iter().map(|(operation, _)| operation.amount_minor).sum::<i64>(), 90);
}

// breaks: give refunds the numbers below those of later captures alone
async fn what_was_sold_comes_back_piece_by_piece(bench: Bench) {
    bench.receive("TEE", 1).await;
    let sold = captured(&bench, 1).await;
    for _ in 0..60 {
        bench.one(gives_back(&bench, sold, 1)).await.expect("there is money left");
    }
    let given = refunds(&bench, sold.0).await;
    let parts: std::collections::BTreeSet<_> = given.iter().map(|(one, _)| one.part()).collect();
    assert_eq!(parts.len(), 60, "each has a number of its own, which the gateway knows it by");
}
