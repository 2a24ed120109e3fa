//! After the sale: units ship, come back, go back on sale; each once.

use doorbuster::ledger::{LedgerRefused, entry::LineMoveKind};

use crate::support::bench::{Bench, write};

on_both!(units_of_a_line_move_once, a_line_that_does_not_stand_is_refused);

async fn sold(bench: &Bench, quantity: u32) -> doorbuster::base::CheckoutId {
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let wants = [("TEE", quantity)];
    bench.one(write(bench.pinning(checkout, 1, &wants, attempt))).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &wants)).await.expect("sells");
    checkout
}

async fn units_of_a_line_move_once(bench: Bench) {
    bench.receive("TEE", 10).await;
    let order = sold(&bench, 6).await;
    assert_eq!(bench.levels("TEE").await, [10, 4, 0, 0, 6]);
    let step = async |kind, quantity| bench.one(bench.line(order, kind, quantity)).await;
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
    let entry = bench.line(order, LineMoveKind::Ship, 1);
    bench.one(entry.clone()).await.expect("ships");
    bench.one(entry).await.expect("is recorded");
    assert_eq!(bench.levels("TEE").await, [9, 9, 0, 0, 0]);
    let row = bench.store.find_order(order_of(order)).await.expect("reads").expect("is there");
    let line = &row.lines[0];
    assert_eq!((line.shipped, line.returned, line.restocked), (4, 3, 2));
}

async fn a_line_that_does_not_stand_is_refused(bench: Bench) {
    let unknown = bench.line(bench.checkout(), LineMoveKind::Ship, 1);
    assert_eq!(bench.one(unknown).await, Err(LedgerRefused::NoSuchLine));
}

fn order_of(checkout: doorbuster::base::CheckoutId) -> doorbuster::base::OrderId {
    doorbuster::base::OrderId::of(checkout)
}
