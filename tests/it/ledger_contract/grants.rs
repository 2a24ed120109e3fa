//! Grants: blocks of units that a replica decides about from memory.

use doorbuster::{
    base::{Clock, HolderId},
    ledger::{Done, LedgerRefused, Shortage, entry::MoveKind},
};
use std::time::Duration;

use crate::support::bench::{Bench, from_grant, sku, write};

on_both!(
    a_grant_is_taken_consumed_and_closed,
    a_direct_entry_recalls_grants_before_it_gives_up,
    sold_out_is_the_truth,
    a_stale_replica_is_fenced_and_its_units_are_back_on_sale,
    a_write_off_closes_grants_and_never_takes_promised_units,
    a_block_beside_direct_holds_in_one_batch_adds_up,
);

async fn a_grant_is_taken_consumed_and_closed(bench: Bench) {
    bench.receive("TEE", 100).await;
    let (holder, grant) = (bench.replica().await, bench.grant());
    let granted = bench.one(bench.granted(grant, holder, "TEE", 30)).await;
    assert_eq!(granted, Ok(Done::Granted { grant, granted: 30 }));
    let checkout = bench.checkout();
    let taken = from_grant(bench.session(checkout, 1, &[("TEE", 4)]), grant);
    let reply = bench.batch(&[write(taken)]).await;
    assert_eq!(reply.outcomes, [Ok(Done::Session { version: 1 })]);
    assert_eq!((reply.grants[0].id, reply.grants[0].left), (grant, 26));
    assert!(reply.stock.is_empty(), "a hold from a grant leaves the stock row alone");
    assert_eq!(bench.levels("TEE").await, [100, 70, 26, 4, 0]);
    // Released units never go back to a grant.
    let fewer = from_grant(bench.session(checkout, 2, &[("TEE", 1)]), grant);
    bench.one(write(fewer)).await.expect("changes");
    assert_eq!(bench.levels("TEE").await, [100, 73, 26, 1, 0]);
    assert_eq!(bench.one(bench.close(&[grant])).await, Ok(Done::Ended { count: 1 }));
    assert_eq!(bench.one(bench.close(&[grant])).await, Ok(Done::Ended { count: 0 }));
    assert_eq!(bench.levels("TEE").await, [100, 99, 0, 1, 0]);
    let late = from_grant(bench.session(bench.checkout(), 1, &[("TEE", 1)]), grant);
    assert_eq!(bench.one(write(late)).await, Err(LedgerRefused::GrantsClosed(vec![grant])));
}

async fn a_direct_entry_recalls_grants_before_it_gives_up(bench: Bench) {
    bench.receive("TEE", 10).await;
    let (holder, grant) = (bench.replica().await, bench.grant());
    bench.one(bench.granted(grant, holder, "TEE", 50)).await.expect("half is granted");
    assert_eq!(bench.levels("TEE").await, [10, 5, 5, 0, 0]);
    bench.one(write(bench.session(bench.checkout(), 1, &[("TEE", 8)]))).await.expect("recalls");
    assert_eq!(bench.levels("TEE").await, [10, 2, 0, 8, 0]);
    let late = from_grant(bench.session(bench.checkout(), 1, &[("TEE", 1)]), grant);
    assert_eq!(bench.one(write(late)).await, Err(LedgerRefused::GrantsClosed(vec![grant])));
}

async fn sold_out_is_the_truth(bench: Bench) {
    bench.receive("TEE", 4).await;
    let (holder, grant) = (bench.replica().await, bench.grant());
    bench.one(bench.granted(grant, holder, "TEE", 50)).await.expect("half is granted");
    let first = bench.session(bench.checkout(), 1, &[("TEE", 5)]);
    let short = |wanted, available| {
        Err(LedgerRefused::Short(vec![Shortage { sku: sku("TEE"), wanted, available }]))
    };
    assert_eq!(bench.one(write(first)).await, short(5, 4));
    bench.one(write(bench.session(bench.checkout(), 1, &[("TEE", 4)]))).await.expect("takes all");
    let last = bench.session(bench.checkout(), 1, &[("TEE", 1)]);
    assert_eq!(bench.one(write(last)).await, short(1, 0));
    assert_eq!(bench.levels("TEE").await, [4, 0, 0, 4, 0]);
}

async fn a_stale_replica_is_fenced_and_its_units_are_back_on_sale(bench: Bench) {
    bench.receive("TEE", 10).await;
    let (holder, grant) = (bench.replica().await, bench.grant());
    bench.one(bench.granted(grant, holder, "TEE", 5)).await.expect("granted");
    let taken = from_grant(bench.session(bench.checkout(), 1, &[("TEE", 2)]), grant);
    bench.one(write(taken)).await.expect("holds");
    bench.clock.advance(Duration::from_secs(10));
    let stale_before = bench.now();
    assert_eq!(bench.store.list_stale_holders(stale_before).await.expect("lists"), [holder]);
    // A heartbeat that came meanwhile saves it.
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.store.heartbeat(holder, bench.now()).await.expect("beats"));
    let fence =
        async |before| bench.store.fence(holder, before, bench.clock.now()).await.expect("fences");
    assert!(fence(stale_before).await.is_empty());
    bench.clock.advance(Duration::from_secs(9));
    assert_eq!(fence(bench.now()).await, [grant]);
    assert_eq!(bench.levels("TEE").await, [10, 8, 0, 2, 0]);
    assert!(fence(bench.now()).await.is_empty(), "once");
    assert!(!bench.store.heartbeat(holder, bench.now()).await.expect("beats"), "revives nobody");
    let again = bench.one(bench.granted(bench.grant(), holder, "TEE", 5)).await;
    assert_eq!(again, Err(LedgerRefused::Fenced));
    let nobody = HolderId::new(bench.now(), &bench.chance);
    let stranger = bench.one(bench.granted(bench.grant(), nobody, "TEE", 5)).await;
    assert_eq!(stranger, Err(LedgerRefused::Fenced));
}

async fn a_write_off_closes_grants_and_never_takes_promised_units(bench: Bench) {
    bench.receive("TEE", 10).await;
    let (holder, grant) = (bench.replica().await, bench.grant());
    bench.one(bench.granted(grant, holder, "TEE", 5)).await.expect("granted");
    bench.one(write(bench.session(bench.checkout(), 1, &[("TEE", 2)]))).await.expect("holds");
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 1)], attempt))).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &[("TEE", 1)])).await.expect("sells");
    let refused = bench.one(bench.moved("TEE", MoveKind::WriteOff, 8)).await;
    let promised = LedgerRefused::WriteOffPromised { sku: sku("TEE"), unallocated: 7, promised: 3 };
    assert_eq!(refused, Err(promised));
    let done = bench.one(bench.moved("TEE", MoveKind::WriteOff, 6)).await;
    assert_eq!(done, Ok(Done::Stock { on_hand: 4, unallocated: 1 }));
    assert_eq!(bench.levels("TEE").await, [4, 1, 0, 2, 1]);
    let unknown = bench.one(bench.moved("MUG", MoveKind::WriteOff, 1)).await;
    assert_eq!(unknown, Err(LedgerRefused::NoSuchStock { sku: sku("MUG") }));
    let moves = bench.store.list_movements(&sku("TEE"), None, 9).await.expect("lists");
    let kinds: Vec<_> = moves.iter().map(|row| (row.kind.as_str(), row.quantity)).collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert!(kinds.contains(&("receive", 10)) && kinds.contains(&("write_off", 6)), "{kinds:?}");
}

async fn a_block_beside_direct_holds_in_one_batch_adds_up(bench: Bench) {
    bench.receive("TEE", 10).await;
    let holder = bench.replica().await;
    let old = bench.grant();
    bench.one(bench.granted(old, holder, "TEE", 4)).await.expect("granted");
    // Six are free; the new block takes three of them, and the direct hold wants five.
    let block = bench.granted(bench.grant(), holder, "TEE", 9);
    let hold = write(bench.session(bench.checkout(), 1, &[("TEE", 5)]));
    let outcomes = bench.batch(&[block, hold]).await.outcomes;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let level = bench.level("TEE").await;
    assert_eq!((level.held, level.available()), (5, 5));
}
