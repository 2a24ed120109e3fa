//! T0: holds are taken, changed, renewed, released, reclaimed.

use doorbuster::{
    base::Clock,
    ledger::{
        Done, LedgerRefused, Shortage,
        row::{HoldRow, SessionState},
    },
};

use crate::support::bench::{Bench, HOLD, sku, write};

on_both!(
    a_session_holds_changes_renews_and_releases,
    a_shortage_names_every_short_sku_and_takes_nothing,
    a_write_from_an_old_version_is_refused,
    expired_holds_are_reclaimed_inside_the_batch_that_needs_them,
    a_batch_reclaims_as_many_expired_holds_as_it_needs,
    a_sweep_gives_back_what_is_over_and_nothing_else,
    neighbors_in_a_batch_share_the_last_units_in_order,
    an_ended_session_takes_no_more_writes,
);

pub(super) async fn a_session_holds_changes_renews_and_releases(bench: Bench) {
    bench.receive("TEE", 10).await;
    bench.receive("CAP", 5).await;
    let checkout = bench.checkout();
    let done = bench.one(write(bench.session(checkout, 1, &[("CAP", 1), ("TEE", 4)]))).await;
    assert_eq!(done, Ok(Done::Session { version: 1 }));
    assert_eq!(bench.levels("TEE").await, [10, 6, 0, 4, 0]);
    assert_eq!(bench.levels("CAP").await, [5, 4, 0, 1, 0]);

    // More of one, less of the other: the differences move.
    bench.one(write(bench.session(checkout, 2, &[("CAP", 3), ("TEE", 1)]))).await.expect("changes");
    assert_eq!(bench.levels("TEE").await, [10, 9, 0, 1, 0]);
    assert_eq!(bench.levels("CAP").await, [5, 2, 0, 3, 0]);

    // Renewing moves the expiry, and only forward.
    bench.clock.advance(HOLD / 2);
    let renewed = bench.session(checkout, 3, &[("CAP", 3), ("TEE", 1)]);
    let until = renewed.hold_until;
    bench.one(write(renewed)).await.expect("renews");
    let mut earlier = bench.session(checkout, 4, &[("CAP", 3)]);
    earlier.hold_until = bench.now();
    bench.one(write(earlier)).await.expect("releases the tee");
    let row = bench.store.find_session(checkout).await.expect("reads").expect("is there");
    let hold =
        HoldRow { checkout, sku: sku("CAP"), quantity: 3, expires_at: until, pinned_by: None };
    assert_eq!(row.holds, [hold]);
    assert_eq!((row.version, row.state), (4, SessionState::Open));
    assert_eq!(row.personal.expect("the person stays").open(), Ok("ada"));
    assert_eq!(row.body.get().replace(' ', ""), "{\"v\":4}");
    assert_eq!(bench.levels("TEE").await, [10, 10, 0, 0, 0]);
    assert_eq!(bench.store.find_version(checkout).await.expect("reads"), Some(4));
    assert_eq!(bench.store.find_version(bench.checkout()).await.expect("reads"), None);
}

async fn a_shortage_names_every_short_sku_and_takes_nothing(bench: Bench) {
    bench.receive("TEE", 2).await;
    bench.receive("MUG", 5).await;
    let session = bench.session(bench.checkout(), 1, &[("CAP", 1), ("MUG", 5), ("TEE", 3)]);
    let short = |name, wanted, available| Shortage { sku: sku(name), wanted, available };
    let refused = LedgerRefused::Short(vec![short("CAP", 1, 0), short("TEE", 3, 2)]);
    assert_eq!(bench.one(write(session)).await, Err(refused));
    assert_eq!(bench.levels("TEE").await, [2, 2, 0, 0, 0]);
    assert_eq!(bench.levels("MUG").await, [5, 5, 0, 0, 0]);
}

async fn a_write_from_an_old_version_is_refused(bench: Bench) {
    bench.receive("TEE", 9).await;
    let checkout = bench.checkout();
    bench.one(write(bench.session(checkout, 1, &[("TEE", 1)]))).await.expect("creates");
    let mut again = write(bench.session(checkout, 1, &[("TEE", 2)]));
    again.id = doorbuster::ledger::EntryId::session(checkout, 1, 7);
    let refused = LedgerRefused::VersionConflict { current: 1 };
    assert_eq!(bench.one(again).await, Err(refused));
    let leap = write(bench.session(bench.checkout(), 2, &[]));
    assert_eq!(bench.one(leap).await, Err(LedgerRefused::VersionConflict { current: 0 }));
    assert_eq!(bench.levels("TEE").await, [9, 8, 0, 1, 0]);
}

async fn expired_holds_are_reclaimed_inside_the_batch_that_needs_them(bench: Bench) {
    bench.receive("TEE", 3).await;
    let (stale, fresh) = (bench.checkout(), bench.checkout());
    bench.one(write(bench.session(stale, 1, &[("TEE", 3)]))).await.expect("holds all");
    let blocked = bench.one(write(bench.session(fresh, 1, &[("TEE", 2)]))).await;
    assert!(matches!(blocked, Err(LedgerRefused::Short(_))), "{blocked:?}");
    bench.clock.advance(HOLD);
    bench.one(write(bench.session(fresh, 1, &[("TEE", 2)]))).await.expect("the stale hold goes");
    assert_eq!(bench.levels("TEE").await, [3, 1, 0, 2, 0]);
    let row = bench.store.find_session(stale).await.expect("reads").expect("is there");
    assert!(row.holds.is_empty(), "{:?}", row.holds);
}

// breaks: read one expired hold fewer than units are wanted (`limit` in `ledger_lock`, `offset` in
// SQLite's `SCARCE`)
async fn a_batch_reclaims_as_many_expired_holds_as_it_needs(bench: Bench) {
    bench.receive("TEE", 9).await;
    bench.receive("CAP", 2).await;
    let mut stale = Vec::new();
    for _ in 0..9 {
        let checkout = bench.checkout();
        bench.one(write(bench.session(checkout, 1, &[("TEE", 1)]))).await.expect("holds");
        stale.push(checkout);
        bench.clock.advance(std::time::Duration::from_secs(1));
    }
    bench.one(write(bench.session(bench.checkout(), 1, &[("CAP", 2)]))).await.expect("holds");
    bench.clock.advance(HOLD);
    let wants = |units: &[(&str, u32)]| write(bench.session(bench.checkout(), 1, units));
    let batch = [wants(&[("TEE", 2)]), wants(&[("TEE", 3), ("CAP", 2)]), wants(&[("TEE", 1)])];
    let outcomes = bench.batch(&batch).await.outcomes;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(bench.levels("TEE").await, [9, 0, 0, 9, 0], "three stale holds are left to stand");
    assert_eq!(bench.levels("CAP").await, [2, 0, 0, 2, 0]);
    bench.one(wants(&[("TEE", 3)])).await.expect("they are still to be had");
    let short = bench.one(wants(&[("TEE", 1)])).await;
    assert!(matches!(short, Err(LedgerRefused::Short(_))), "{short:?}");
}

async fn a_sweep_gives_back_what_is_over_and_nothing_else(bench: Bench) {
    bench.receive("TEE", 9).await;
    let (over, pinned, renewed) = (bench.checkout(), bench.checkout(), bench.checkout());
    bench.one(write(bench.session(over, 1, &[("TEE", 1)]))).await.expect("holds");
    let attempt = bench.attempt();
    bench.one(write(bench.pinning(pinned, 1, &[("TEE", 2)], attempt))).await.expect("pins");
    bench.one(write(bench.session(renewed, 1, &[("TEE", 3)]))).await.expect("holds");
    bench.clock.advance(HOLD);
    let mut seen = bench.store.list_expired_holds(bench.clock.now(), 10).await.expect("lists");
    seen.sort();
    let mut expected = [(over, sku("TEE")), (renewed, sku("TEE"))];
    expected.sort();
    assert_eq!(seen, expected);
    bench.one(write(bench.session(renewed, 2, &[("TEE", 3)]))).await.expect("renews in time");
    let everything = [over, pinned, renewed].map(|checkout| (checkout, sku("TEE"))).to_vec();
    assert_eq!(bench.one(bench.expire(everything)).await, Ok(Done::Ended { count: 1 }));
    assert_eq!(bench.levels("TEE").await, [9, 4, 0, 5, 0]);
    let over = bench.store.list_expired_holds(bench.now(), 10).await.expect("lists");
    assert!(over.is_empty(), "{over:?}");
}

async fn neighbors_in_a_batch_share_the_last_units_in_order(bench: Bench) {
    bench.receive("TEE", 5).await;
    let entries: Vec<_> =
        (0..4).map(|_| write(bench.session(bench.checkout(), 1, &[("TEE", 2)]))).collect();
    let outcomes = bench.batch(&entries).await.outcomes;
    let won = outcomes.iter().map(Result::is_ok).collect::<Vec<_>>();
    assert_eq!(won, [true, true, false, false]);
    assert_eq!(bench.levels("TEE").await, [5, 1, 0, 4, 0]);
}

async fn an_ended_session_takes_no_more_writes(bench: Bench) {
    bench.receive("TEE", 5).await;
    let checkout = bench.checkout();
    bench.one(write(bench.session(checkout, 1, &[("TEE", 2)]))).await.expect("holds");
    let mut end = bench.session(checkout, 2, &[]);
    end.state = SessionState::Canceled;
    bench.one(write(end)).await.expect("cancels");
    assert_eq!(bench.levels("TEE").await, [5, 5, 0, 0, 0]);
    let late = bench.one(write(bench.session(checkout, 3, &[("TEE", 1)]))).await;
    assert_eq!(late, Err(LedgerRefused::SessionEnded));
}
