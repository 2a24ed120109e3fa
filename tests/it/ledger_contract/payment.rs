//! T1 pins, T2 sells, settling unpins; whichever comes first wins.

use doorbuster::{
    base::{Buyer, Email, OperationId, OrderId, Person, Sealed},
    ledger::{
        Done, Entry, EntryId, Fact, LedgerRefused,
        entry::OperationWrite,
        row::{AttemptState, OperationState, SessionState},
        store::{BuyerName, OrderFilter},
    },
};
use std::time::Duration;

use crate::support::bench::{Bench, HOLD, sku, write};

on_both!(
    a_paid_checkout_becomes_an_order,
    a_declined_attempt_reopens_the_session_and_renews_its_holds,
    an_express_checkout_that_fails_leaves_nothing,
    t2_before_settle_wins_and_settle_learns_of_the_order,
    settle_before_t2_wins_and_t2_learns_of_it,
    a_completing_session_refuses_other_writes,
    orders_are_listed_newest_first_and_filtered,
    orders_are_found_by_who_bought_and_for_how_much,
    an_order_promises_exactly_what_is_pinned,
    what_became_of_a_debt_is_said_once,
);

async fn a_paid_checkout_becomes_an_order(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 2)], attempt))).await.expect("pins");
    let pinned = bench.store.find_session(checkout).await.expect("reads").expect("is there");
    assert_eq!(pinned.holds[0].pinned_by, Some(attempt));
    // A pinned hold outlives its time.
    bench.clock.advance(HOLD * 2);
    let order = OrderId::of(checkout);
    let placed = bench.one(bench.place(checkout, attempt, &[("TEE", 2)])).await;
    assert_eq!(placed, Ok(Done::Placed { order, version: 2 }));
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 0, 2]);
    let session = bench.store.find_session(checkout).await.expect("reads").expect("is there");
    assert_eq!((session.version, session.state), (2, SessionState::Completed));
    let row = bench.store.find_order(order).await.expect("reads").expect("is there");
    assert_eq!((row.attempt, row.total_minor, row.lines.len()), (attempt, 100, 1));
    assert_eq!(row.personal.expect("the order knows the person").open(), Ok("ada"));
    assert_eq!(row.operations[0].state, OperationState::Due);
    let row = bench.store.find_attempt(attempt).await.expect("reads").expect("is there");
    assert_eq!(row.state, AttemptState::Authorized);
    assert_eq!(row.authorization, Some("auth-1".into()));
    let events = bench.store.list_unsent_events(10).await.expect("lists");
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].order, events[0].kind.as_str()), (order, "order.placed"));
    let figures = bench.store.figures().await.expect("counts");
    assert_eq!((figures.orders, figures.units, figures.sessions), (1, 2, [0, 0, 1, 0, 0]));
    assert_eq!((figures.orphans, figures.dead_holds), (0, 0));
    assert_eq!((figures.stray_pins, figures.unpaid_orders), (0, 0));
}

async fn a_declined_attempt_reopens_the_session_and_renews_its_holds(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.session(checkout, 1, &[("TEE", 2)]))).await.expect("holds");
    bench.one(write(bench.pinning(checkout, 2, &[("TEE", 2)], attempt))).await.expect("pins");
    bench.clock.advance(HOLD);
    let settled = bench.one(bench.settle(checkout, attempt, true)).await;
    assert_eq!(settled, Ok(Done::Settled { version: 3 }));
    let row = bench.store.find_session(checkout).await.expect("reads").expect("is there");
    assert_eq!((row.state, row.version), (SessionState::Open, 3));
    assert_eq!((row.holds[0].pinned_by, row.holds[0].expires_at), (None, bench.now().plus(HOLD)));
    let second = bench.attempt();
    bench.one(write(bench.pinning(checkout, 4, &[("TEE", 2)], second))).await.expect("tries again");
    bench.one(bench.place(checkout, second, &[("TEE", 2)])).await.expect("sells");
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 0, 2]);
    assert_eq!(bench.store.list_attempts(None, 10).await.expect("lists").len(), 2);
}

async fn an_express_checkout_that_fails_leaves_nothing(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 2)], attempt))).await.expect("pins");
    bench.one(bench.settle(checkout, attempt, false)).await.expect("settles");
    assert_eq!(bench.levels("TEE").await, [5, 5, 0, 0, 0]);
    let row = bench.store.find_session(checkout).await.expect("reads").expect("is there");
    assert_eq!((row.state, row.holds.len()), (SessionState::Canceled, 0));
}

pub(super) async fn t2_before_settle_wins_and_settle_learns_of_the_order(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 2)], attempt))).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &[("TEE", 2)])).await.expect("sells");
    let refused = LedgerRefused::AlreadyPlaced { order: OrderId::of(checkout) };
    assert_eq!(bench.one(bench.settle(checkout, attempt, true)).await, Err(refused));
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 0, 2]);
}

async fn settle_before_t2_wins_and_t2_learns_of_it(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 2)], attempt))).await.expect("pins");
    bench.clock.advance(Duration::from_secs(30));
    let overdue = bench.store.list_overdue_attempts(bench.now(), 5).await.expect("lists");
    assert_eq!(overdue.iter().map(|row| row.id).collect::<Vec<_>>(), [attempt]);
    let mut unheard = bench.settle(checkout, attempt, true);
    if let Fact::Settle(settle) = &mut unheard.fact {
        settle.state = AttemptState::Unheard;
        settle.watch_until = Some(bench.now().plus(HOLD));
    }
    bench.one(unheard).await.expect("unpins");
    let late = bench.one(bench.place(checkout, attempt, &[("TEE", 2)])).await;
    assert_eq!(late, Err(LedgerRefused::AlreadySettled { state: AttemptState::Unheard }));
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 2, 0]);
    let watched = bench.store.list_watched_attempts(bench.now(), None, 5).await.expect("lists");
    assert_eq!(watched.iter().map(|row| row.id).collect::<Vec<_>>(), [attempt]);
    let after = bench.store.list_watched_attempts(bench.now(), Some(attempt), 5).await;
    assert!(after.expect("lists").is_empty());
    assert!(bench.store.list_overdue_attempts(bench.now(), 5).await.expect("lists").is_empty());
}

async fn a_completing_session_refuses_other_writes(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 2)], attempt))).await.expect("pins");
    let refused = bench.one(write(bench.session(checkout, 2, &[]))).await;
    assert_eq!(refused, Err(LedgerRefused::Completing));
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 2, 0]);
}

async fn orders_are_listed_newest_first_and_filtered(bench: Bench) {
    bench.receive("TEE", 9).await;
    bench.receive("CAP", 9).await;
    let mut orders = Vec::new();
    for name in ["TEE", "CAP", "TEE"] {
        bench.clock.advance(Duration::from_secs(60));
        let (checkout, attempt) = (bench.checkout(), bench.attempt());
        bench.one(write(bench.pinning(checkout, 1, &[(name, 1)], attempt))).await.expect("pins");
        bench.one(bench.place(checkout, attempt, &[(name, 1)])).await.expect("sells");
        orders.push((OrderId::of(checkout), bench.now()));
    }
    let [(first, _), (second, at), (third, _)] = orders[..] else { unreachable!() };
    let list = async |filter: OrderFilter, cursor, limit| {
        let rows = bench.store.list_orders(&filter, cursor, limit).await.expect("lists");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(OrderFilter::default(), None, 9).await, [third, second, first]);
    assert_eq!(list(OrderFilter::default(), Some(third), 1).await, [second]);
    let of_tee = OrderFilter { sku: Some(sku("TEE")), ..OrderFilter::default() };
    assert_eq!(list(of_tee, None, 9).await, [third, first]);
    let since = OrderFilter { placed_from: Some(at), ..OrderFilter::default() };
    assert_eq!(list(since, None, 9).await, [third, second]);
    let before = OrderFilter { placed_before: Some(at), ..OrderFilter::default() };
    assert_eq!(list(before, None, 9).await, [first]);

    // Capturing one takes it out of those whose money still moves.
    bench.clock.advance(Duration::from_secs(60));
    let due = bench.store.list_due_operations(bench.now(), 9).await.expect("lists");
    assert_eq!(due.iter().map(|row| row.order).collect::<Vec<_>>(), [first, second, third]);
    let done = doorbuster::ledger::entry::OperationWrite {
        operation: due[0].operation.clone(),
        state: OperationState::Done,
        note: "captured".into(),
        events: Vec::new(),
        case: None,
        now: bench.now(),
    };
    let entry = |n: u32| {
        let id = EntryId::of(format!("{}/{n}", done.operation.id));
        doorbuster::ledger::Entry::new(id, Fact::Operation(done.clone()))
    };
    assert_eq!(bench.one(entry(1)).await, Ok(Done::Written));
    assert_eq!(bench.one(entry(2)).await, Ok(Done::Written), "saying it twice is fine");
    let due = OrderFilter { payment: Some(OperationState::Due), ..OrderFilter::default() };
    assert_eq!(list(due, None, 9).await, [third, second]);
}

// breaks: comparing addresses as they stand, or finding by another's index
async fn orders_are_found_by_who_bought_and_for_how_much(bench: Bench) {
    bench.receive("TEE", 9).await;
    let buyers = [
        ("Ada", Some("King"), "Ada@Example.com"),
        ("Bob", Some("King"), "bob@a.example"),
        ("Prince", None, "prince@a.example"),
    ];
    let mut orders = Vec::new();
    for (first, last, email) in buyers {
        let buyer = Buyer {
            first_name: Some(first.into()),
            last_name: last.map(str::to_owned),
            email: Email::parse(email).ok(),
            ..Buyer::default()
        };
        let person = Person { buyer: Some(Box::new(buyer)), ..Person::default() };
        let (checkout, attempt) = (bench.checkout(), bench.attempt());
        let mut pin = bench.pinning(checkout, 1, &[("TEE", 1)], attempt);
        pin.personal = Some(Sealed::seal_json(&person));
        bench.one(write(pin)).await.expect("pins");
        bench.one(bench.place(checkout, attempt, &[("TEE", 1)])).await.expect("sells");
        orders.push(OrderId::of(checkout));
    }
    let [ada, bob, prince] = orders[..] else { unreachable!() };
    let list = async |filter: OrderFilter| {
        let mut rows = bench.store.list_orders(&filter, None, 9).await.expect("lists");
        rows.sort_by_key(|row| orders.iter().position(|id| *id == row.id));
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let all = OrderFilter::default();
    let of = |email: &str| OrderFilter { email: Email::parse(email).ok(), ..all.clone() };
    let named = |name: &str| OrderFilter { name: BuyerName::parse(name), ..all.clone() };
    assert_eq!(list(of("ada@EXAMPLE.com")).await, [ada]);
    assert_eq!(list(of("nobody@example.com")).await, []);
    assert_eq!(list(named("king")).await, [ada, bob]);
    assert_eq!(list(named(" ADA  King")).await, [ada]);
    assert_eq!(list(named("prince")).await, [prince]);
    assert_eq!(list(named("Eve King")).await, []);
    assert_eq!(list(OrderFilter { id: Some(bob), ..all.clone() }).await, [bob]);
    assert_eq!(list(OrderFilter { id: Some(bob), ..of("ada@example.com") }).await, []);
    assert_eq!(
        list(OrderFilter { name: BuyerName::parse("king"), ..of("bob@a.example") }).await,
        [bob]
    );
    let total = bench.store.find_order(ada).await.expect("finds").expect("there").total_minor;
    let from = |min| OrderFilter { min_minor: Some(min), ..all.clone() };
    assert_eq!(list(from(total)).await, [ada, bob, prince]);
    assert_eq!(list(from(total + 1)).await, []);
    assert_eq!(list(OrderFilter { max_minor: Some(total - 1), ..all.clone() }).await, []);
    let currency = "USD".parse().ok();
    assert_eq!(list(OrderFilter { currency, ..of("ada@example.com") }).await, []);
}

async fn an_order_promises_exactly_what_is_pinned(bench: Bench) {
    bench.receive("TEE", 5).await;
    bench.receive("CAP", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let wants = [("CAP", 1), ("TEE", 2)];
    bench.one(write(bench.pinning(checkout, 1, &wants, attempt))).await.expect("pins");
    for other in [&[("CAP", 1), ("TEE", 3)][..], &[("TEE", 2)], &[("CAP", 2), ("TEE", 1)], &[]] {
        let placed = bench.one(bench.place(checkout, attempt, other)).await;
        assert_eq!(placed, Err(LedgerRefused::PinsDiffer), "{other:?}");
    }
    // Two lines of one SKU are promised together.
    let lines = [("TEE", 1), ("CAP", 1), ("TEE", 1)];
    bench.one(bench.place(checkout, attempt, &lines)).await.expect("sells");
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 0, 2]);
    assert_eq!(bench.levels("CAP").await, [5, 4, 0, 0, 1]);
}

async fn what_became_of_a_debt_is_said_once(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    bench.one(write(bench.pinning(checkout, 1, &[("TEE", 1)], attempt))).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &[("TEE", 1)])).await.expect("sells");
    let later = bench.now().plus(Duration::from_secs(1));
    let due = bench.store.list_due_operations(later, 9).await.expect("lists");
    let says = async |number: u32, state| {
        let operation = due[0].operation.clone();
        let id = EntryId::of(format!("{}/{number}", operation.id));
        let (note, now) = (String::new(), bench.now());
        let said = OperationWrite { operation, state, note, events: Vec::new(), case: None, now };
        bench.one(Entry::new(id, Fact::Operation(said))).await
    };
    assert_eq!(says(1, OperationState::Due).await, Ok(Done::Written), "it is owed already");
    assert_eq!(says(2, OperationState::Done).await, Ok(Done::Written));
    for (number, state) in [(3, OperationState::Due), (4, OperationState::Refused)] {
        assert_eq!(says(number, state).await, Err(LedgerRefused::OperationSettled));
    }
    assert!(bench.store.list_due_operations(later, 9).await.expect("lists").is_empty());
    let mut stray = due[0].operation.clone();
    (stray.id, stray.attempt) = (OperationId::of(bench.attempt(), 1), bench.attempt());
    let said = OperationWrite {
        operation: stray,
        state: OperationState::Due,
        note: String::new(),
        events: Vec::new(),
        case: None,
        now: bench.now(),
    };
    let stray = Entry::new(EntryId::of("stray"), Fact::Operation(said));
    assert_eq!(bench.one(stray).await, Err(LedgerRefused::NoSuchAttempt));
}
