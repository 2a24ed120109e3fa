//! PostgreSQL alone: what happens when several connections, or replicas, want the same at once.

use doorbuster::{
    base::GrantId,
    ledger::{
        CommitFault, Database, DatabaseOptions, LedgerFault, LedgerRefused, Outcome, Store,
        database::Database::Postgres,
    },
};
use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection};
use std::{sync::Arc, time::Duration};

use crate::support::{
    bench::{AGAIN_MAX, Bench, from_grant, write},
    servers,
};

async fn two_replicas() -> (Bench, Arc<dyn Store>, String) {
    let address = servers::postgres().await;
    let bench = Bench::at(address.clone()).await;
    let other = Database::open(&DatabaseOptions::new(address.clone())).await.expect("opens");
    (bench, other.store(), address)
}

/// Commits one entry, judged again as often as it meets another.
async fn one(store: &dyn Store, bench: &Bench, entry: doorbuster::ledger::Entry) -> Outcome {
    let batch = [entry];
    for _ in 0..AGAIN_MAX {
        match store.commit(&batch, bench.now()).await {
            Ok(mut reply) => return reply.outcomes.pop().expect("one outcome"),
            Err(CommitFault::Again(_)) => {}
            Err(fault) => panic!("{fault}"),
        }
    }
    panic!("the entry meets another one each of {AGAIN_MAX} times");
}

#[tokio::test]
async fn replicas_that_race_for_the_last_unit_never_oversell() {
    let (bench, other, _) = two_replicas().await;
    bench.receive("TEE", 10).await;
    for left in (0..10).rev() {
        let entries = [(); 4].map(|()| write(bench.session(bench.checkout(), 1, &[("TEE", 1)])));
        // Bring it down to the last unit, then let four race for it.
        if left > 0 {
            one(&*other, &bench, write(bench.session(bench.checkout(), 1, &[("TEE", 1)])))
                .await
                .expect("there are some");
            continue;
        }
        let [a, b, c, d] = entries;
        let outcomes = tokio::join!(
            one(&*bench.store, &bench, a),
            one(&*other, &bench, b),
            one(&*bench.store, &bench, c),
            one(&*other, &bench, d),
        );
        let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        for refused in refused {
            assert!(matches!(refused, LedgerRefused::Short(_)), "{refused}");
        }
    }
    assert_eq!(bench.levels("TEE").await, [10, 0, 0, 10, 0]);
}

#[tokio::test]
async fn an_entry_sent_twice_at_once_is_written_once() {
    let (bench, other, _) = two_replicas().await;
    bench.receive("TEE", 50).await;
    for _ in 0..10 {
        let entry = write(bench.session(bench.checkout(), 1, &[("TEE", 1)]));
        let (here, there) =
            tokio::join!(one(&*bench.store, &bench, entry.clone()), one(&*other, &bench, entry));
        assert!(here.is_ok(), "{here:?}");
        assert_eq!(here, there);
    }
    assert_eq!(bench.levels("TEE").await, [50, 40, 0, 10, 0]);
}

#[tokio::test]
async fn one_key_claimed_twice_at_once_has_one_owner() {
    let (bench, other, _) = two_replicas().await;
    // They share nothing but the key: no stock row makes one wait for the other.
    for round in 0..40 {
        let session = || {
            let mut session = bench.session(bench.checkout(), 1, &[]);
            session.key = Some(bench.key(&format!("k{round}"), Some("created")));
            write(session)
        };
        let (first, second) = (session(), session());
        let (here, there) =
            tokio::join!(one(&*bench.store, &bench, first), one(&*other, &bench, second));
        assert_ne!(here.is_ok(), there.is_ok(), "{here:?} {there:?}");
        let refused = here.and(there).expect_err("one is refused");
        assert!(matches!(refused, LedgerRefused::KeyTaken(_)), "{refused}");
    }
}

#[tokio::test]
async fn replicas_that_mix_everything_neither_block_each_other_nor_lose_a_unit() {
    let (bench, other, _) = two_replicas().await;
    for name in ["A", "B", "C"] {
        bench.receive(name, 40).await;
    }
    let holder = bench.replica().await;
    let shopper = async |number: u32| {
        let store = if number.is_multiple_of(2) { &*bench.store } else { &*other };
        for round in 0..8_u32 {
            let checkout = bench.checkout();
            let wants = [("A", 1 + number % 2), ("B", 1), ("C", 1 + round % 3)];
            let session = bench.session(checkout, 1, &wants);
            if one(store, &bench, write(session)).await.is_err() {
                continue;
            }
            if round.is_multiple_of(3) {
                let grant = bench.grant();
                let name = ["A", "B"][number as usize % 2];
                drop(one(store, &bench, bench.granted(grant, holder, name, 4)).await);
                let more = from_grant(bench.session(bench.checkout(), 1, &[(name, 1)]), grant);
                drop(one(store, &bench, write(more)).await);
            } else if round.is_multiple_of(2) {
                drop(one(store, &bench, write(bench.session(checkout, 2, &[("B", 1)]))).await);
            } else {
                let attempt = bench.attempt();
                let pin = bench.pinning(checkout, 2, &wants, attempt);
                one(store, &bench, write(pin)).await.expect("its holds stand");
                one(store, &bench, bench.place(checkout, attempt, &wants)).await.expect("sells");
            }
        }
    };
    join_all((0..6).map(shopper)).await;
    for name in ["A", "B", "C"] {
        let level = bench.level(name).await;
        assert_eq!(level.on_hand, 40, "{level:?}");
    }
    let figures = bench.store.figures().await.expect("counts");
    assert!(figures.orders > 0, "{figures:?}");
    assert_eq!((figures.orphans, figures.unpaid_orders, figures.stray_pins), (0, 0, 0));
}

#[tokio::test]
async fn fencing_waits_for_a_grant_in_flight_and_closes_it() {
    let (bench, other, address) = two_replicas().await;
    bench.receive("TEE", 10).await;
    let (holder, grant) = (bench.replica().await, bench.grant());
    let mut slow = PgConnection::connect(&address).await.expect("connects");
    // A replica that takes a block, paused before its commit.
    let ask = serde_json::json!({ "id": grant, "holder": holder }).to_string();
    slow.execute("begin").await.expect("begins");
    for sql in [
        "select from replicas where id = right($1::jsonb->>'holder', 32)::uuid for key share",
        "update stock set unallocated = unallocated - 4 where $1 is not null",
        "insert into stock_grants (id, sku, holder, granted) select
            right($1::jsonb->>'id', 32)::uuid, 'TEE', right($1::jsonb->>'holder', 32)::uuid, 4",
    ] {
        sqlx::query(sql).bind(&ask).execute(&mut slow).await.expect("takes the block");
    }
    let stale_before = bench.now().plus(Duration::from_secs(60));
    let fence = other.fence(holder, stale_before, bench.now());
    let commit = async {
        let waits = tokio::time::timeout(Duration::from_secs(10), until_somebody_waits(&address));
        waits.await.expect("the fence waits for the block in flight");
        slow.execute("commit").await.expect("commits late");
    };
    let (closed, ()) = tokio::join!(fence, commit);
    assert_eq!(closed.expect("fences"), [grant] as [GrantId; 1]);
    assert_eq!(bench.levels("TEE").await, [10, 10, 0, 0, 0]);
}

/// Returns when a connection to this database waits for a lock.
async fn until_somebody_waits(address: &str) {
    let mut conn = PgConnection::connect(address).await.expect("connects");
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut conn)
        .await
        .expect("reads");
        if waiting > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn connections_that_died_on_the_shelf_are_replaced() {
    let (bench, _, address) = two_replicas().await;
    bench.receive("TEE", 5).await;
    let checkout = bench.checkout();
    bench.one(write(bench.session(checkout, 1, &[("TEE", 1)]))).await.expect("holds");
    bench.store.find_version(checkout).await.expect("a reader is open");
    let kill = async || {
        let mut admin = PgConnection::connect(&address).await.expect("connects");
        let sql = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";
        admin.execute(sql).await.expect("ends them");
    };
    kill().await;
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(bench.store.find_version(checkout).await.expect("asks again"), Some(1));
    bench.one(write(bench.session(checkout, 2, &[("TEE", 2)]))).await.expect("commits again");
    kill().await;
    let Postgres(postgres) = &bench.database else { panic!("this is PostgreSQL") };
    let two = postgres.run(|conn| {
        Box::pin(async move { sqlx::query_scalar::<_, i32>("select 2").fetch_one(conn).await })
    });
    assert_eq!(two.await.expect("is run once, on a sound connection"), 2);
}

/// What a replica meets that was frozen in the middle of a transaction and goes on.
#[tokio::test]
async fn a_transaction_that_was_ended_while_we_were_frozen_is_a_lost_connection() {
    let (bench, _, _) = two_replicas().await;
    let Postgres(postgres) = &bench.database else { panic!("this is PostgreSQL") };
    let frozen = postgres.run(|conn| {
        Box::pin(async move {
            conn.execute("begin; set local idle_in_transaction_session_timeout = 1").await?;
            // Whatever is sent after the server has hung up is answered with why it did.
            loop {
                sqlx::query_scalar::<_, i32>("select 2").fetch_one(&mut *conn).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    });
    let frozen: Result<i32, _> = frozen.await;
    let fault = frozen.expect_err("the transaction was ended");
    assert!(matches!(fault, LedgerFault::Unreachable(_)), "{fault}");
}

#[tokio::test]
async fn a_batch_on_known_rows_whose_line_breaks_is_unknown_until_sent_again() {
    let (bench, _, address) = two_replicas().await;
    bench.receive("TEE", 5).await;
    let mut admin = PgConnection::connect(&address).await.expect("connects");
    let sql = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    admin.execute(sql).await.expect("ends them");
    let mut entry = write(bench.session(bench.checkout(), 1, &[("TEE", 1)]));
    let fault = bench.store.commit(std::slice::from_ref(&entry), bench.now()).await;
    assert!(matches!(fault, Err(CommitFault::Unknown(_))), "it may have arrived: {fault:?}");
    entry.resubmitted = true;
    bench.one(entry).await.expect("is sent again, under lock");
    assert_eq!(bench.levels("TEE").await, [5, 4, 0, 1, 0]);
}

#[tokio::test]
async fn a_batch_that_waits_too_long_is_not_committed_and_gives_its_connection_up() {
    let address = servers::postgres().await;
    let bench = Bench::at(address.clone()).await;
    bench.receive("TEE", 5).await;
    let mut options = DatabaseOptions::new(address.clone());
    (options.deadline, options.writers) = (Duration::from_millis(150), 1);
    let hasty = Database::open(&options).await.expect("opens").store();
    let mut slow = PgConnection::connect(&address).await.expect("connects");
    slow.execute("begin; select from stock for update").await.expect("locks");
    let entry = write(bench.session(bench.checkout(), 1, &[("TEE", 1)]));
    let fault = hasty.commit(std::slice::from_ref(&entry), bench.now()).await;
    let fault = fault.expect_err("somebody has the row");
    assert!(matches!(fault, CommitFault::Fault(LedgerFault::Unreachable(_))), "{fault}");
    slow.execute("rollback").await.expect("lets go");
    one(&*hasty, &bench, entry).await.expect("the only writer's slot is free");
    assert_eq!(bench.levels("TEE").await, [5, 4, 0, 1, 0]);
}

#[tokio::test]
async fn a_commit_that_is_not_answered_in_time_is_unknown_until_its_ids_are_sent_again() {
    let address = servers::postgres().await;
    let bench = Bench::at(address.clone()).await;
    bench.receive("TEE", 5).await;
    let mut server = PgConnection::connect(&address).await.expect("connects");
    // From now on the server is slow to commit a hold, and only then.
    let slow = "create function slow() returns trigger language plpgsql as
                    $$ begin perform pg_sleep(1); return null; end $$;
                create constraint trigger slow after insert on holds
                    deferrable initially deferred for each row execute function slow()";
    sqlx::raw_sql(slow).execute(&mut server).await.expect("the server gets slow");
    let mut options = DatabaseOptions::new(address);
    options.deadline = Duration::from_millis(300);
    let hasty = Database::open(&options).await.expect("opens").store();
    let mut entry = write(bench.session(bench.checkout(), 1, &[("TEE", 1)]));
    let fault = hasty.commit(std::slice::from_ref(&entry), bench.now()).await;
    let fault = fault.expect_err("it takes too long");
    assert!(matches!(fault, CommitFault::Unknown(_)), "it may have happened: {fault}");
    entry.resubmitted = true;
    let done = one(&*bench.store, &bench, entry).await;
    assert_eq!(done, Ok(doorbuster::ledger::Done::Session { version: 1 }));
    assert_eq!(bench.levels("TEE").await, [5, 4, 0, 1, 0]);
}
