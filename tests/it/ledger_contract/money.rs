//! The money of orders after the sale: captured in parts, let go, given back by line.

use doorbuster::{
    base::{AttemptId, CheckoutId, MovementId, OrderId},
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::{LineMove, LineMoveKind, MoneyWish, OperationWrite},
        review::{CaseState, NewCase},
        row::{OperationKind, OperationRow, OperationState, OrderRow, OrderStatus},
        store::OrderFilter,
    },
};
use futures_util::future::join_all;
use std::time::Duration;

use crate::support::bench::{Bench, write};

on_both!(
    what_is_given_up_before_it_is_captured_is_not_captured,
    of_many_captures_at_once_no_more_than_was_authorized_is_owed,
    a_capture_and_a_void_at_once_never_contradict_each_other,
    a_line_is_given_back_once_however_often_it_is_asked,
    a_refused_capture_opens_a_case_and_opens_it_again,
    orders_are_found_by_status_and_by_what_is_not_captured,
);

type Sold = (CheckoutId, AttemptId);

/// An order of so many units for 100 cents, of which nothing is captured.
async fn authorized(bench: &Bench, quantity: u32) -> Sold {
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let wants = [("TEE", quantity)];
    bench.one(write(bench.pinning(checkout, 1, &wants, attempt))).await.expect("pins");
    let mut entry = bench.place(checkout, attempt, &wants);
    let Fact::Place(place) = &mut entry.fact else { panic!("a place") };
    place.operations.clear();
    bench.one(entry).await.expect("sells");
    (checkout, attempt)
}

async fn order(bench: &Bench, sold: Sold) -> OrderRow {
    let order = bench.store.find_order(OrderId::of(sold.0)).await.expect("reads");
    order.expect("is there")
}

/// What is owed or done, in the order of its ids.
async fn money(bench: &Bench, sold: Sold) -> Vec<(OperationKind, i64, OperationState)> {
    let mut rows: Vec<OperationRow> = order(bench, sold).await.operations;
    rows.sort_by_key(|row| row.operation.part());
    let told = |row: OperationRow| (row.operation.kind, row.operation.amount_minor, row.state);
    rows.into_iter().map(told).collect()
}

/// Every debt is done.
async fn collect(bench: &Bench, sold: Sold) {
    for row in order(bench, sold).await.operations {
        if row.state == OperationState::Due {
            let entry = bench.settled(row.operation, OperationState::Done);
            bench.one(entry).await.expect("is recorded");
        }
    }
}

fn moved(bench: &Bench, kind: LineMoveKind, quantity: u32) -> Vec<LineMove> {
    let id = MovementId::new(bench.now(), &bench.chance);
    vec![LineMove { id, line: 1, kind, quantity }]
}

// breaks: leave `released` out of `Funds::capturable`, or out of the statements named `GIVEN`.
async fn what_is_given_up_before_it_is_captured_is_not_captured(bench: Bench) {
    bench.receive("TEE", 10).await;
    let sold = authorized(&bench, 3).await;
    let one = moved(&bench, LineMoveKind::Restock, 1);
    bench.one(bench.change(sold, one, MoneyWish::Keep)).await.expect("goes back");
    let capture = |minor| bench.change(sold, Vec::new(), MoneyWish::Capture(minor));
    let left = bench.one(capture(Some(68))).await;
    assert_eq!(left, Err(LedgerRefused::CaptureTooLarge { left: 67 }));
    bench.one(capture(None)).await.expect("captures");
    use OperationState::{Done, Due};
    assert_eq!(money(&bench, sold).await, [(OperationKind::Capture, 67, Due)]);
    collect(&bench, sold).await;
    bench.one(bench.change(sold, Vec::new(), MoneyWish::Cancel)).await.expect("cancels");
    let owed = [(OperationKind::Capture, 67, Done), (OperationKind::Refund, 67, Due)];
    assert_eq!(money(&bench, sold).await, owed);
    assert_eq!(bench.levels("TEE").await, [10, 10, 0, 0, 0]);
    assert_eq!(order(&bench, sold).await.status(), OrderStatus::Canceled);
}

// breaks: take `money_of` out of `Ask::add_sale`.
async fn of_many_captures_at_once_no_more_than_was_authorized_is_owed(bench: Bench) {
    bench.receive("TEE", 10).await;
    let sold = authorized(&bench, 1).await;
    let capture = |_| bench.change(sold, Vec::new(), MoneyWish::Capture(Some(15)));
    let asked: Vec<_> = (0..12).map(capture).collect();
    let outcomes = join_all(asked.into_iter().map(|entry| bench.one(entry))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 6, "{outcomes:?}");
    let owed = money(&bench, sold).await;
    assert_eq!(owed.iter().map(|(_, minor, _)| minor).sum::<i64>(), 90);
}

async fn a_capture_and_a_void_at_once_never_contradict_each_other(bench: Bench) {
    bench.receive("TEE", 90).await;
    for _ in 0..8 {
        let sold = authorized(&bench, 1).await;
        let ask = |money| bench.one(bench.change(sold, Vec::new(), money));
        let (capture, void) = tokio::join!(ask(MoneyWish::Capture(None)), ask(MoneyWish::Void));
        assert!(capture.is_ok() != void.is_ok(), "{capture:?} {void:?}");
        let kind = if capture.is_ok() { OperationKind::Capture } else { OperationKind::Void };
        assert_eq!(money(&bench, sold).await, [(kind, 100, OperationState::Due)]);
    }
}

// breaks: leave `refunded` out of `LineMoney::room`, or out of the statements named `GIVEN`.
async fn a_line_is_given_back_once_however_often_it_is_asked(bench: Bench) {
    bench.receive("TEE", 10).await;
    let sold = authorized(&bench, 4).await;
    bench.one(bench.change(sold, Vec::new(), MoneyWish::Capture(None))).await.expect("captures");
    collect(&bench, sold).await;
    // Of the 100 cents the line was paid 80; the rest is delivery, which no line gives back.
    let gives = |quantity, money| {
        let units = moved(&bench, LineMoveKind::Restock, quantity);
        let mut entry = bench.change(sold, units, money);
        let Fact::Change(change) = &mut entry.fact else { panic!("a change") };
        change.sale.lines[0].paid_minor = 80;
        entry
    };
    bench.one(gives(1, MoneyWish::Refund(50))).await.expect("more than its share, not the line's");
    let left = bench.one(gives(1, MoneyWish::Refund(31))).await;
    assert_eq!(left, Err(LedgerRefused::LineRefundTooLarge { left: 30 }));
    let left = bench.one(gives(1, MoneyWish::Refund(51))).await;
    assert_eq!(left, Err(LedgerRefused::RefundTooLarge { left: 50 }));
    let both = [gives(1, MoneyWish::Worth), gives(1, MoneyWish::Worth)];
    let outcomes = bench.batch(&both).await.outcomes;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let owed: Vec<i64> = money(&bench, sold).await.iter().map(|(_, minor, _)| *minor).collect();
    assert_eq!(owed, [100, 50, 20, 10], "each its share, and no more than is left of the line");
    // What the gateway refuses was not given back.
    let refunds = order(&bench, sold).await.operations.into_iter();
    let first = refunds.map(|row| row.operation).find(|one| one.amount_minor == 50);
    let refused = bench.settled(first.expect("owed"), OperationState::Refused);
    bench.one(refused).await.expect("is recorded");
    assert_eq!(order(&bench, sold).await.refunded_of(1), 30);
    bench.one(gives(1, MoneyWish::Worth)).await.expect("gives back");
    assert_eq!(order(&bench, sold).await.refunded_of(1), 50);
}

/// The gateway refuses every capture that is due; a person is to decide.
async fn refuse(bench: &Bench, sold: Sold) {
    for row in order(bench, sold).await.operations {
        if row.state == OperationState::Due {
            let case = NewCase {
                order: OrderId::of(sold.0),
                attempt: sold.1,
                priority: 100,
                due_at: bench.now().plus(Duration::from_secs(60)),
                expires_at: bench.now().plus(Duration::from_secs(3_600)),
                opened_at: bench.now(),
            };
            let write = OperationWrite {
                operation: row.operation.clone(),
                state: OperationState::Refused,
                note: "the issuer refuses".into(),
                events: Vec::new(),
                case: Some(case),
                now: bench.now(),
            };
            let id = EntryId::of(format!("{}/refused", row.operation.id));
            bench.one(Entry::new(id, Fact::Operation(write))).await.expect("is recorded");
        }
    }
}

async fn a_refused_capture_opens_a_case_and_opens_it_again(bench: Bench) {
    bench.receive("TEE", 10).await;
    let sold = authorized(&bench, 1).await;
    let capture = || bench.change(sold, Vec::new(), MoneyWish::Capture(None));
    for times in 1..=2 {
        bench.one(capture()).await.expect("may be tried again");
        refuse(&bench, sold).await;
        let seen = order(&bench, sold).await;
        assert_eq!((seen.case, seen.status()), (Some(CaseState::Open), OrderStatus::InReview));
        assert_eq!(money(&bench, sold).await.len(), times);
    }
    let ship = bench.moves(sold, LineMoveKind::Ship, 1);
    assert_eq!(bench.one(ship).await, Err(LedgerRefused::InReview));
    bench.one(bench.change(sold, Vec::new(), MoneyWish::Void)).await.expect("lets go");
    assert_eq!(order(&bench, sold).await.case, Some(CaseState::Canceled));
    let ship = bench.moves(sold, LineMoveKind::Ship, 1);
    assert_eq!(bench.one(ship).await, Err(LedgerRefused::Unpaid { missing: 100 }));
}

// breaks: compare another word in the view `order_rows`, or take a kind out of `list_uncaptured`.
async fn orders_are_found_by_status_and_by_what_is_not_captured(bench: Bench) {
    bench.receive("TEE", 90).await;
    let from = AttemptId::least(bench.now());
    let mut sold = Vec::new();
    for _ in 0..6 {
        sold.push(authorized(&bench, 2).await);
    }
    let captures = |at: usize| bench.change(sold[at], Vec::new(), MoneyWish::Capture(None));
    for at in 1..6 {
        bench.one(captures(at)).await.expect("captures");
    }
    for (at, kind, quantity) in [
        (1, LineMoveKind::Ship, 1),
        (2, LineMoveKind::Ship, 2),
        (3, LineMoveKind::Ship, 2),
        (3, LineMoveKind::Return, 1),
        (4, LineMoveKind::Ship, 2),
        (4, LineMoveKind::Return, 2),
        (5, LineMoveKind::Restock, 2),
    ] {
        bench.one(bench.moves(sold[at], kind, quantity)).await.expect("moves");
    }
    let stands = [
        OrderStatus::Placed,
        OrderStatus::PartlyShipped,
        OrderStatus::Shipped,
        OrderStatus::PartlyReturned,
        OrderStatus::Returned,
        OrderStatus::Canceled,
    ];
    for (one, status) in sold.iter().zip(stands) {
        assert_eq!(order(&bench, *one).await.status(), status);
        let filter = OrderFilter { status: Some(status), ..OrderFilter::default() };
        let found = bench.store.list_orders(&filter, None, 9).await.expect("lists");
        let found: Vec<_> = found.iter().map(|row| row.id).collect();
        assert_eq!(found, [OrderId::of(one.0)], "{status:?}");
    }
    let until = AttemptId::least(bench.now().plus(Duration::from_secs(1)));
    let uncaptured = async || {
        let rows = bench.store.list_uncaptured(from, until, 9).await.expect("lists");
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(uncaptured().await, [sold[0].1]);
    bench.one(bench.change(sold[0], Vec::new(), MoneyWish::Void)).await.expect("lets go");
    assert_eq!(uncaptured().await, []);
}
