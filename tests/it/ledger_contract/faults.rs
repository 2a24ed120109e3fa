//! What the types did not stop, the constraints do; and a database that is gone says so.

use doorbuster::ledger::{CommitFault, Fact, LedgerFault};

use crate::support::bench::{Bench, write};

on_both!(a_poisoned_entry_fails_its_batch_and_leaves_nothing, a_closed_ledger_is_unreachable,);

async fn a_poisoned_entry_fails_its_batch_and_leaves_nothing(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 1)], attempt))).await.expect("pins");
    let mut poison = bench.place(checkout, attempt, &[("TEE", 1)]);
    if let Fact::Place(place) = &mut poison.fact {
        place.order.total_minor = -1;
    }
    let good = write(bench.session(bench.checkout(), 1, &[("TEE", 2)]));
    let fault = bench.try_batch(&[good.clone(), poison]).await.expect_err("a constraint stands");
    let CommitFault::Fault(LedgerFault::Broken(why)) = fault else { panic!("{fault:?}") };
    assert!(why.contains("orders_total_not_negative"), "{why}");
    assert_eq!(bench.levels("TEE").await, [5, 4, 0, 1, 0]);
    bench.one(good).await.expect("alone it is written");
    assert_eq!(bench.levels("TEE").await, [5, 2, 0, 3, 0]);
}

async fn a_closed_ledger_is_unreachable(bench: Bench) {
    bench.store.close().await;
    let fault = bench.try_batch(&[write(bench.session(bench.checkout(), 1, &[]))]).await;
    let fault = fault.expect_err("nothing is written any more");
    assert!(matches!(fault, CommitFault::Fault(LedgerFault::Unreachable(_))), "{fault:?}");
    let read = bench.store.find_version(bench.checkout()).await;
    assert!(matches!(read, Err(LedgerFault::Unreachable(_))), "{read:?}");
}
