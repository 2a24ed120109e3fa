//! Judgements and the ends of reviews: whoever decides first decides, and money and units follow
//! once.

use doorbuster::{
    base::{AssessmentId, AttemptId, ChangeId, CheckoutId, MovementId, OrderId},
    fraud::cases::{Cases, QueueFilter},
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::{LineMoveKind, MoneyWish, OperationWrite},
        review::{CaseState, NewAssessment, NewCase, NewLabel, Resolve},
        row::{OperationKind, OperationState},
    },
};
use std::time::Duration;

use crate::support::bench::{Bench, document, write};

on_both!(
    a_judgement_is_kept_with_its_attempt,
    an_approval_takes_the_money_once,
    a_decline_lets_the_money_go_and_restocks_once,
    a_refund_needs_the_money_to_have_been_taken,
    of_two_who_decide_one_does,
    nothing_ships_before_somebody_has_decided,
    a_case_is_one_reviewers_at_a_time,
    the_most_urgent_case_comes_first,
    a_case_ends_by_time,
    whoever_decides_has_the_case_when_it_ends,
);

/// An order of three units in review.
async fn in_review(bench: &Bench, priority: i64) -> (CheckoutId, AttemptId) {
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let wants = [("TEE", 3)];
    let mut pinning = bench.pinning(checkout, 1, &wants, attempt);
    pinning.assessment = Some(judgement(bench, checkout, Some(attempt)));
    bench.one(write(pinning)).await.expect("pins");
    let mut entry = bench.place(checkout, attempt, &wants);
    let Fact::Place(place) = &mut entry.fact else { panic!("a place") };
    place.operations.clear();
    place.case = Some(NewCase {
        order: OrderId::of(checkout),
        attempt,
        priority,
        due_at: bench.now().plus(Duration::from_secs(60)),
        expires_at: bench.now().plus(Duration::from_secs(3_600)),
        opened_at: bench.now(),
    });
    bench.one(entry).await.expect("sells");
    (checkout, attempt)
}

fn judgement(bench: &Bench, checkout: CheckoutId, attempt: Option<AttemptId>) -> NewAssessment {
    NewAssessment {
        id: AssessmentId::new(bench.now(), &bench.chance),
        checkout,
        attempt,
        outcome: "review",
        score: Some(987),
        degraded: false,
        body: document("{\"why\": \"a card seen often\"}"),
        at: bench.now(),
    }
}

fn ending(bench: &Bench, (checkout, attempt): (CheckoutId, AttemptId), to: CaseState) -> Entry {
    let order = OrderId::of(checkout);
    let resolve = Resolve {
        order,
        sale: bench.sale(attempt),
        to,
        by: "grace".into(),
        claimed: false,
        reason: "known customer".into(),
        captures: true,
        change: ChangeId::new(bench.now(), &bench.chance),
        label: Some(NewLabel {
            order,
            fraud: to != CaseState::Approved,
            source: "reviewer".into(),
            at: bench.now(),
            details: Default::default(),
        }),
        events: Vec::new(),
        key: None,
        now: bench.now(),
    };
    let id = EntryId::of(MovementId::new(bench.now(), &bench.chance));
    Entry::new(id, Fact::Resolve(Box::new(resolve)))
}

/// What is owed or done about the order's money.
async fn money(bench: &Bench, checkout: CheckoutId) -> Vec<(OperationKind, OperationState)> {
    let order = bench.store.find_order(OrderId::of(checkout)).await.expect("reads");
    let operations = order.expect("is there").operations;
    operations.iter().map(|row| (row.operation.kind, row.state)).collect()
}

fn cases(bench: &Bench) -> Cases {
    Cases::new(bench.database.clone())
}

async fn a_judgement_is_kept_with_its_attempt(bench: Bench) {
    bench.receive("TEE", 10).await;
    let (checkout, attempt) = in_review(&bench, 5).await;
    let rows = cases(&bench).list_assessments(checkout).await.expect("reads");
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.attempt, &*row.outcome, row.score), (Some(attempt), "review", Some(987)));
    assert_eq!(row.body.get().replace(' ', ""), "{\"why\":\"acardseenoften\"}");
    let past = cases(&bench).list_past(bench.now(), None, 10).await.expect("reads");
    assert_eq!(past.iter().map(|past| past.failed).collect::<Vec<_>>(), [false]);
    let rest = cases(&bench).list_past(bench.now(), Some(row.id), 10).await.expect("reads");
    assert!(rest.is_empty(), "{rest:?}");
}

async fn an_approval_takes_the_money_once(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    assert_eq!(money(&bench, case.0).await, []);
    let entry = ending(&bench, case, CaseState::Approved);
    bench.one(entry.clone()).await.expect("approves");
    bench.one(entry).await.expect("the same decision again is the same");
    let again = bench.one(ending(&bench, case, CaseState::Approved)).await;
    assert_eq!(again, Err(LedgerRefused::CaseEnded { state: CaseState::Approved }));
    assert_eq!(money(&bench, case.0).await, [(OperationKind::Capture, OperationState::Due)]);
    assert_eq!(bench.levels("TEE").await, [10, 7, 0, 0, 3]);
    let row = cases(&bench).find(OrderId::of(case.0)).await.expect("reads").expect("is there");
    assert_eq!((row.state, row.closed_by.as_deref()), (CaseState::Approved, Some("grace")));
    let labels = cases(&bench).list_labels(OrderId::of(case.0)).await.expect("reads");
    assert_eq!(labels.iter().map(|label| label.fraud).collect::<Vec<_>>(), [false]);
    let events = cases(&bench).list_events(OrderId::of(case.0)).await.expect("reads");
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "approved"]);
}

async fn a_decline_lets_the_money_go_and_restocks_once(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    let entries =
        [ending(&bench, case, CaseState::Declined), ending(&bench, case, CaseState::Declined)];
    let outcomes = bench.batch(&entries).await.outcomes;
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    let ended = LedgerRefused::CaseEnded { state: CaseState::Declined };
    assert_eq!(outcomes[1], Err(ended), "one of a batch ends it");
    assert_eq!(money(&bench, case.0).await, [(OperationKind::Void, OperationState::Due)]);
    assert_eq!(bench.levels("TEE").await, [10, 10, 0, 0, 0]);
}

async fn a_refund_needs_the_money_to_have_been_taken(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    let refund = || ending(&bench, case, CaseState::Refunded);
    assert_eq!(bench.one(refund()).await, Err(LedgerRefused::NotCaptured));
    bench.one(ending(&bench, case, CaseState::Approved)).await.expect("approves");
    assert_eq!(bench.one(refund()).await, Err(LedgerRefused::NotCaptured), "owed is not taken");
    let due = bench.store.list_due_operations(bench.now().plus(Duration::from_secs(9)), 9).await;
    let due = due.expect("reads").remove(0);
    let captured = OperationWrite {
        operation: due.operation,
        state: OperationState::Done,
        note: String::new(),
        events: Vec::new(),
        case: None,
        now: bench.now(),
    };
    let id = EntryId::of("captured");
    bench.one(Entry::new(id, Fact::Operation(captured))).await.expect("captured");
    // A part was given back before: the review gives back the rest.
    bench.one(bench.change(case, Vec::new(), MoneyWish::Refund(30))).await.expect("gives back");
    bench.one(refund()).await.expect("refunds");
    assert_eq!(bench.levels("TEE").await, [10, 10, 0, 0, 0]);
    let money = money(&bench, case.0).await;
    assert!(money.contains(&(OperationKind::Capture, OperationState::Done)), "{money:?}");
    assert!(money.contains(&(OperationKind::Refund, OperationState::Due)), "{money:?}");
    let order = bench.store.find_order(OrderId::of(case.0)).await.expect("reads");
    let order = order.expect("is there");
    let refunds = order.operations.iter().filter(|row| row.operation.kind == OperationKind::Refund);
    let mut minor: Vec<_> = refunds.map(|row| row.operation.amount_minor).collect();
    minor.sort_unstable();
    assert_eq!(minor, [30, 70]);
    let mut moved: Vec<_> = order.changes.iter().map(|change| change.moved.len()).collect();
    moved.sort_unstable();
    assert_eq!(moved, [0, 1], "{:?}", order.changes);
}

async fn of_two_who_decide_one_does(bench: Bench) {
    bench.receive("TEE", 90).await;
    for _ in 0..8 {
        let case = in_review(&bench, 5).await;
        let (approve, expire) = tokio::join!(
            bench.one(ending(&bench, case, CaseState::Approved)),
            bench.one(ending(&bench, case, CaseState::Expired)),
        );
        assert!(approve.is_ok() != expire.is_ok(), "{approve:?} {expire:?}");
        let owed = money(&bench, case.0).await;
        let kind = if approve.is_ok() { OperationKind::Capture } else { OperationKind::Void };
        assert_eq!(owed, [(kind, OperationState::Due)]);
    }
}

async fn nothing_ships_before_somebody_has_decided(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    let ship = async || bench.one(bench.line(case.0, LineMoveKind::Ship, 1).await).await;
    assert_eq!(ship().await, Err(LedgerRefused::InReview));
    bench.one(ending(&bench, case, CaseState::Approved)).await.expect("approves");
    ship().await.expect("ships");
}

async fn a_case_is_one_reviewers_at_a_time(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    let (queue, lease) = (cases(&bench), Duration::from_secs(60));
    let claim = async |by, now| queue.claim_next(by, (lease, 9), now).await.expect("reads");
    let (grace, ada) = tokio::join!(claim("grace", bench.now()), claim("ada", bench.now()));
    assert!(grace.is_some() != ada.is_some(), "{grace:?} {ada:?}");
    let owner = grace.or(ada).and_then(|case| case.claimed_by).expect("claimed");
    let other = if owner == "grace" { "ada" } else { "grace" };
    let order = OrderId::of(case.0);
    let theirs = queue.claim(order, other, (lease, 9), bench.now()).await.expect("reads");
    assert_eq!(theirs, None, "the other cannot take it");
    let later = bench.now().plus(lease);
    assert!(
        queue.claim(order, other, (lease, 9), later).await.expect("reads").is_some(),
        "run out"
    );
    assert!(queue.release(order, &owner, later).await.expect("reads").is_none(), "not theirs");
    assert!(queue.release(order, other, later).await.expect("reads").is_some());
    queue.assign(order, ("grace", "ada"), later).await.expect("reads").expect("open");
    assert_eq!(claim("grace", later).await, None, "it is to be another's");
    assert!(claim("ada", later).await.is_some());
    let events = queue.list_events(order).await.expect("reads");
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "claimed", "claimed", "released", "assigned", "claimed"]);
    assert_eq!(events[4].note, "ada");
}

async fn the_most_urgent_case_comes_first(bench: Bench) {
    bench.receive("TEE", 20).await;
    let small = in_review(&bench, 10).await;
    let large = in_review(&bench, 500).await;
    let middle = in_review(&bench, 100).await;
    let (queue, now) = (cases(&bench), bench.now());
    let why = ("grace", "the buyer calls");
    queue.escalate(OrderId::of(small.0), why, now).await.expect("reads").expect("open");
    let open = QueueFilter { states: vec![CaseState::Open], ..QueueFilter::default() };
    let listed = queue.list(&open, None, bench.now(), 10).await.expect("reads");
    let orders: Vec<_> = listed.iter().map(|row| row.order).collect();
    assert_eq!(orders, [small.0, large.0, middle.0].map(OrderId::of));
    for expected in [small, large, middle] {
        let claimed = queue.claim_next("ada", (Duration::from_secs(60), 9), now).await;
        assert_eq!(claimed.expect("reads").map(|row| row.order), Some(OrderId::of(expected.0)));
    }
    assert_eq!(
        queue.claim_next("ada", (Duration::from_secs(60), 9), now).await.expect("reads"),
        None
    );
}

async fn a_case_ends_by_time(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    let queue = cases(&bench);
    let expired = async |now| queue.list_expired(now, 10).await.expect("reads").len();
    assert_eq!(expired(bench.now()).await, 0);
    assert_eq!(expired(bench.now().plus(Duration::from_secs(3_600))).await, 1);
    bench.one(ending(&bench, case, CaseState::Expired)).await.expect("ends");
    assert_eq!(expired(bench.now().plus(Duration::from_secs(3_600))).await, 0);
}

// breaks: leave `is_theirs` out of `Rows::resolve`, or the claims out of a database's reading
async fn whoever_decides_has_the_case_when_it_ends(bench: Bench) {
    bench.receive("TEE", 10).await;
    let case = in_review(&bench, 5).await;
    let (queue, order) = (cases(&bench), OrderId::of(case.0));
    let decides = async |later: Duration| {
        let mut entry = ending(&bench, case, CaseState::Approved);
        let Fact::Resolve(resolve) = &mut entry.fact else { panic!("an end") };
        (resolve.claimed, resolve.now) = (true, bench.now().plus(later));
        bench.one(entry).await
    };
    let (lease, at_once) = (Duration::from_secs(60), Duration::ZERO);
    let not_theirs =
        |by: Option<&str>| Err(LedgerRefused::CaseNotTheirs { by: by.map(str::to_owned) });
    assert_eq!(decides(at_once).await, not_theirs(None));
    let claim = async |by: &str, now| {
        let claimed = queue.claim(order, by, (lease, 9), now).await.expect("reads");
        assert!(claimed.is_some(), "{by} claims it");
    };
    claim("grace", bench.now()).await;
    assert_eq!(decides(lease).await, not_theirs(None), "the lease is over");
    // Grace looked at it, and before she decides another replica gives it to Ada.
    claim("ada", bench.now().plus(lease)).await;
    assert_eq!(decides(lease).await, not_theirs(Some("ada")));
    queue.release(order, "ada", bench.now()).await.expect("reads").expect("it was hers");
    claim("grace", bench.now()).await;
    decides(at_once).await.expect("it is hers");
    let owed = money(&bench, case.0).await;
    assert_eq!(owed, [(OperationKind::Capture, OperationState::Due)]);
}
