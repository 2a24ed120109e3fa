//! Orders that share something are found from each other, the same on both databases.

use doorbuster::{
    base::{AssessmentId, CheckoutId, Hints, OrderId},
    fraud::{
        assessment::{Assessment, Outcome},
        bench::Written,
        cases::Cases,
        links::{LinkKeys, Links, walk::Linked},
        signals::Signals,
    },
    ledger::{
        Database, Entry, EntryId, Fact,
        review::{Assess, LabelsWrite, NewAssessment, NewLabel},
    },
};
use std::time::Duration;

use crate::support::bench::{Bench, document, write};

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::postgres().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::sqlite().await).await;
            })+
        }
    };
}

on_both!(
    who_shares_is_found_over_two_steps,
    what_became_visible_late_is_found_by_the_second_reader,
    a_key_that_many_share_is_cut_and_said,
    a_checkout_that_was_paid_for_again_and_again_is_found_once,
);

/// Who took part: card, device and network.
type Who = (&'static str, &'static str, &'static str);

fn links(bench: &Bench) -> Links {
    Cases::new(bench.database.clone()).links()
}

fn judged(bench: &Bench, checkout: CheckoutId, (card, device, ip): Who) -> NewAssessment {
    let mut signals = Signals::unknown(checkout, bench.now());
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let hints = Hints { card_fingerprint: some(card), device_id: some(device), ..Hints::default() };
    signals.person.hints = Some(Box::new(hints));
    signals.person.ip = some(ip);
    let links = LinkKeys::of(&signals);
    let written = Written { assessment: Assessment::default(), event: None, links };
    let body = serde_json::to_string(&written).expect("it is written");
    NewAssessment {
        id: AssessmentId::new(bench.now(), &bench.chance),
        checkout,
        attempt: None,
        outcome: Outcome::Approve.as_str(),
        score: None,
        degraded: false,
        body: document(&body),
        at: bench.now(),
    }
}

/// An order of these, as the ledger keeps it. Each is a second later than the one before.
async fn order(bench: &Bench, who: Who) -> OrderId {
    let checkout = begun(bench, who).await;
    OrderId::of(checkout)
}

async fn begun(bench: &Bench, who: Who) -> CheckoutId {
    bench.clock.advance(Duration::from_secs(1));
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let mut pinning = bench.pinning(checkout, 1, &[("TEE", 1)], attempt);
    pinning.assessment =
        Some(NewAssessment { attempt: Some(attempt), ..judged(bench, checkout, who) });
    bench.one(write(pinning)).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &[("TEE", 1)])).await.expect("sells");
    checkout
}

async fn fraud(bench: &Bench, order: OrderId) {
    let label = NewLabel {
        order,
        fraud: true,
        source: "dispute".into(),
        at: bench.now(),
        details: Default::default(),
    };
    let key = bench.key("found out", Some("said"));
    let write = LabelsWrite { labels: vec![label], key };
    let id = EntryId::of("labels/found out");
    bench.one(Entry::new(id, Fact::Labels(Box::new(write)))).await.expect("it is kept");
}

/// Everything that was judged until now.
async fn noted(bench: &Bench) -> u64 {
    bench.clock.advance(Duration::from_secs(1));
    links(bench).round(bench.now()).await.expect("notes")
}

async fn of(bench: &Bench, order: OrderId) -> Linked {
    links(bench).of(order).await.expect("reads").expect("it was judged")
}

fn told(linked: &Linked) -> Vec<(u8, OrderId, String)> {
    let told = |item: &doorbuster::fraud::links::walk::LinkedOrder| {
        (item.hops, item.head.order, item.shares.join(" "))
    };
    linked.items.iter().map(told).collect()
}

async fn who_shares_is_found_over_two_steps(bench: Bench) {
    bench.receive("TEE", 9).await;
    let far = order(&bench, ("c3", "d1", "198.51.100.9")).await;
    let stranger = order(&bench, ("c9", "d9", "203.0.113.1")).await;
    let neighbor = order(&bench, ("c8", "d8", "192.0.2.200")).await;
    let near = order(&bench, ("c1", "d1", "203.0.113.7")).await;
    assert_eq!(noted(&bench).await, 4);
    assert_eq!(noted(&bench).await, 0, "once");
    fraud(&bench, far).await;
    // Its own keys are known before the index has them.
    let own = order(&bench, ("c1", "d2", "192.0.2.7")).await;
    let linked = of(&bench, own).await;
    let card = |text: &str| text.to_owned();
    assert_eq!(
        told(&linked),
        [(1, near, card("card")), (1, neighbor, card("ip_prefix")), (2, far, card("device")),],
        "{stranger} shares a network with one of them, which is not followed"
    );
    assert_eq!(linked.items[2].via, [near]);
    assert_eq!((linked.confirmed_frauds, linked.items[2].confirmed_fraud), (1, true));
    assert_eq!(linked.items[0].head.total_minor, 100);
    // The other way round it is found once the index has it.
    assert_eq!(told(&of(&bench, near).await).len(), 2, "far and the stranger");
    noted(&bench).await;
    assert_eq!(told(&of(&bench, near).await)[1].1, own);
    let nobody = OrderId::of(bench.checkout());
    assert_eq!(links(&bench).of(nobody).await.expect("reads"), None);
}

async fn what_became_visible_late_is_found_by_the_second_reader(bench: Bench) {
    bench.receive("TEE", 9).await;
    let late = begun(&bench, ("c1", "d1", "")).await;
    let now = bench.now();
    // Whoever was here before passed it over.
    let passed = "update link_places set upto = (
        select id from assessments order by id desc limit 1) where name = 'first'";
    bench.by_hand(passed).await.expect("by hand");
    let other = order(&bench, ("c1", "d2", "")).await;
    noted(&bench).await;
    assert_eq!(told(&of(&bench, other).await), [], "not yet");
    bench.clock.advance(Duration::from_secs(60 * 60));
    assert!(bench.now().since(now) > Duration::from_secs(60 * 60));
    noted(&bench).await;
    assert_eq!(told(&of(&bench, other).await), [(1, OrderId::of(late), "card".to_owned())]);
}

async fn a_key_that_many_share_is_cut_and_said(bench: Bench) {
    bench.receive("TEE", 99).await;
    for _ in 0..51 {
        order(&bench, ("", "", "192.0.2.7")).await;
    }
    noted(&bench).await;
    let last = order(&bench, ("c1", "", "192.0.2.8")).await;
    let linked = of(&bench, last).await;
    assert_eq!((linked.items.len(), &linked.more_share[..]), (50, &["ip_prefix"][..]));
    let placed: Vec<_> = linked.items.iter().map(|item| item.head.placed_at).collect();
    assert!(placed.is_sorted_by(|one, other| one > other), "the latest ones: {placed:?}");
    assert!(!linked.has_more, "no more than those were looked at");
}

async fn a_checkout_that_was_paid_for_again_and_again_is_found_once(bench: Bench) {
    bench.receive("TEE", 9).await;
    let tester = begun(&bench, ("c1", "", "")).await;
    for number in 0..50 {
        noted(&bench).await;
        let judged = judged(&bench, tester, ("c1", "", ""));
        let assessment = NewAssessment { attempt: Some(bench.attempt()), ..judged };
        let key = bench.key(&format!("again {number}"), Some("said"));
        let id = EntryId::of(format_args!("again/{number}"));
        let fact = Fact::Assess(Box::new(Assess { assessment, key }));
        bench.one(Entry::new(id, fact)).await.expect("it is kept");
    }
    let other = order(&bench, ("c1", "", "")).await;
    noted(&bench).await;
    let last = order(&bench, ("c1", "", "")).await;
    let linked = of(&bench, last).await;
    let tester = (1, OrderId::of(tester), "card".to_owned());
    assert_eq!(told(&linked), [(1, other, "card".to_owned()), tester]);
    assert_eq!(linked.more_share, [""; 0], "two share it, and not fifty");
    // The second reader has nothing to add: 51 judgements of the one, one of each other.
    bench.clock.advance(Duration::from_secs(2 * 60 * 60));
    noted(&bench).await;
    if matches!(bench.database, Database::Postgres(_)) {
        let fails = "select 1 / (case count(*) when 53 then 1 else 0 end) from checkout_links";
        bench.by_hand(fails).await.expect("each was noted once");
    }
}
