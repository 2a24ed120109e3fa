//! The database has the last word: what no rule of ours would write, no hand can write either.

use crate::support::bench::{Bench, write};

on_both!(the_database_itself_refuses_what_the_rules_forbid);

/// A change, and how the refusal begins to name its reason: PostgreSQL, SQLite.
type Forbidden = (&'static str, &'static str, &'static str);

/// The same words in both.
const fn check(sql: &'static str, name: &'static str) -> Forbidden {
    (sql, name, name)
}

const STOCK: [Forbidden; 7] = [
    check("update stock set on_hand = -1, unallocated = -1", "stock_on_hand_not_negative"),
    check("update stock set unallocated = -1", "stock_unallocated_not_negative"),
    check("update stock set unallocated = on_hand + 1", "stock_unallocated_within_on_hand"),
    check("update stock_grants set consumed = granted + 1", "stock_grants_consumed_within_granted"),
    check("update stock_grants set consumed = -1", "stock_grants_consumed_within_granted"),
    check("update stock_grants set granted = 0", "stock_grants_granted_positive"),
    check("update holds set quantity = 0", "holds_quantity_positive"),
];

const MONEY: [Forbidden; 10] = [
    check(
        "insert into payment_operations (id, attempt_id, kind, amount_minor, authorization_id,
             state, note, created_at, updated_at)
         select '00000000-0000-7000-8000-000000000003', attempt_id, 'refund', amount_minor + 1,
             authorization_id, 'due', note, created_at, updated_at
         from payment_operations where kind = 'capture'",
        "payment_operations_refunds_within_capture",
    ),
    (
        "insert into payment_attempts (id, checkout_id, order_id, number, state, amount_minor,
             currency, gateway, deadline, created_at)
         select '00000000-0000-7000-8000-000000000001', checkout_id, order_id, 9, 'pending',
             amount_minor, currency, gateway, deadline, created_at
         from payment_attempts where state = 'pending'",
        "payment_attempts_one_live",
        "UNIQUE constraint failed: payment_attempts.checkout_id",
    ),
    (
        "insert into payment_attempts (id, checkout_id, order_id, number, state, amount_minor,
             currency, gateway, authorization_id, deadline, created_at, settled_at)
         select '00000000-0000-7000-8000-000000000001', checkout_id, order_id, 9, 'authorized',
             amount_minor, currency, gateway, 'auth-9', deadline, created_at, created_at
         from payment_attempts where state = 'authorized'",
        "payment_attempts_one_live",
        "UNIQUE constraint failed: payment_attempts.checkout_id",
    ),
    check(
        "update payment_attempts set authorization_id = null where state = 'authorized'",
        "payment_attempts_authorized_with_reference",
    ),
    check(
        "update payment_attempts set settled_at = null where state = 'authorized'",
        "payment_attempts_settled_unless_pending",
    ),
    check("update payment_attempts set amount_minor = -1", "payment_attempts_amount_not_negative"),
    (
        "insert into payment_operations (id, attempt_id, kind, amount_minor, authorization_id,
             state, note, created_at, updated_at)
         select '00000000-0000-7000-8000-000000000002', attempt_id, kind, amount_minor,
             authorization_id, state, note, created_at, updated_at
         from payment_operations where kind = 'capture'",
        "payment_operations_captures_within_authorization",
        "payment_operations_captures_within_authorization",
    ),
    (
        "insert into orders (id, checkout_id, attempt_id, total_minor, currency, body, placed_at)
         select id, checkout_id,
             (select id from payment_attempts where state = 'pending'), total_minor, currency,
             body, placed_at
         from orders",
        "orders_one_per_checkout",
        "UNIQUE constraint failed: orders.",
    ),
    (
        "insert into orders (id, checkout_id, attempt_id, total_minor, currency, body, placed_at)
         select '00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000003',
             attempt_id, total_minor, currency, body, placed_at
         from orders",
        "orders_one_per_attempt",
        "UNIQUE constraint failed: orders.attempt_id",
    ),
    check("update orders set total_minor = -1", "orders_total_not_negative"),
];

const AFTER_THE_SALE: [Forbidden; 5] = [
    check("update order_lines set shipped = quantity + 1", "order_lines_moved_within_quantity"),
    check(
        "update order_lines set shipped = 1, restocked = quantity",
        "order_lines_moved_within_quantity",
    ),
    check("update order_lines set returned = 1", "order_lines_returned_within_shipped"),
    check("update order_lines set quantity = 0", "order_lines_quantity_positive"),
    check("update stock_movements set quantity = 0", "stock_movements_quantity_positive"),
];

async fn the_database_itself_refuses_what_the_rules_forbid(bench: Bench) {
    bench.receive("TEE", 9).await;
    let holder = bench.replica().await;
    bench.one(bench.granted(bench.grant(), holder, "TEE", 2)).await.expect("granted");
    for sells in [true, false] {
        let (checkout, attempt) = (bench.checkout(), bench.attempt());
        let wants = [("TEE", 2)];
        bench.one(write(bench.pinning(checkout, 1, &wants, attempt))).await.expect("pins");
        if sells {
            bench.one(bench.place(checkout, attempt, &wants)).await.expect("sells");
        }
    }
    for (sql, postgres, sqlite) in STOCK.into_iter().chain(MONEY).chain(AFTER_THE_SALE) {
        let why = bench.by_hand(sql).await.expect_err(sql).to_string();
        assert!(why.contains(postgres) || why.contains(sqlite), "{sql}: {why}");
    }
    assert_eq!(bench.levels("TEE").await, [9, 3, 2, 2, 2]);
}
