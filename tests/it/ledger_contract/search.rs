//! PostgreSQL alone: judgements are found by an index among many, and never by reading them all.

use doorbuster::{
    base::{CheckoutId, Hints},
    fraud::{
        assessment::Outcome,
        cases::Cases,
        links::LinkKeys,
        search::{Filter, LabelIs, WALK_MAX, Wanted},
        signals::Signals,
    },
};
use serde_json::Value;

use super::plans;

/// Judgements of a busy month: one in a hundred declined, one in fifty through the storefront that
/// asks, with a rule that rarely matches and a card that three payments share.
const MANY: &str = "
    insert into assessments (id, checkout_id, outcome, score, degraded, body, at)
        select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
            case when n % 100 = 0 then 'decline' else 'approve' end, n % 1000, false,
            '{\"assessment\":{},\"links\":[0,0,0,0,0,0,0]}', now()
        from generate_series(1, 60000) n;
    insert into assessment_facts (id, checkout_id, storefront, outcome, decided_by, score, currency,
            amount_minor, request)
        select id, checkout_id, 'key_' || score % 50, outcome, 'nothing', score, 'EUR', 100,
            case when outcome <> 'approve' then 'req_' || id end
        from assessments;
    insert into rule_hits select 'rare', id, 1, false from assessments where score = 7;
    insert into rule_hits select 'usual', id, 1, true from assessments;
    insert into checkout_links select 1, score % 900, checkout_id from assessments;
    insert into declined_links select 1, score % 900, id from assessments where outcome = 'decline';
    insert into labels (order_id, fraud, source, at)
        select checkout_id, score = 3, 'dispute', now() from assessments
        where score = 3 or score % 10 = 5;
    update link_places set upto = (select id from assessments order by id desc limit 1);
    analyze";

/// Tables that grow with the orders.
const GROWING: [&str; 8] = [
    "assessments",
    "assessment_facts",
    "rule_hits",
    "checkout_links",
    "declined_links",
    "labels",
    "orders",
    "review_cases",
];

fn read_as_a_whole(node: &Value, faults: &mut Vec<String>) {
    let of = node["Relation Name"].as_str().unwrap_or_default();
    // What is not on disk yet has no rows: reading none of it as a whole costs nothing.
    let is_empty = matches!(of, "orders" | "review_cases");
    if node["Node Type"] == "Seq Scan" && GROWING.contains(&of) && !is_empty {
        faults.push(of.to_owned());
    }
    for part in node["Plans"].as_array().into_iter().flatten() {
        read_as_a_whole(part, faults);
    }
}

// breaks: drop an index of migration 0024, or join `assessment_facts` without `lateral`
#[tokio::test]
async fn judgements_are_found_by_an_index_among_many() {
    let (bench, plans) = plans::watched_after(MANY).await;
    let search = Cases::new(bench.database.clone()).search();
    let mut signals = Signals::unknown(CheckoutId::from_uuid(uuid::Uuid::nil()), bench.now());
    let hints = Hints { card_fingerprint: Some("c1".into()), ..Hints::default() };
    signals.person.hints = Some(Box::new(hints));
    let keys = LinkKeys::of(&signals).iter().collect();
    let some = |text: &str| Some(text.to_owned());
    let checkout = CheckoutId::from_uuid(uuid::Uuid::from_u128(0x7000_9000_0000_0000_0007));
    let filters = [
        Filter::default(),
        Filter { outcome: Some(Outcome::Decline), ..Filter::default() },
        Filter { storefront: some("key_7"), ..Filter::default() },
        Filter { rule: some("rare"), ..Filter::default() },
        Filter { rule: some("usual"), score_from: Some(999), ..Filter::default() },
        Filter { label: Some(LabelIs::Fraud), ..Filter::default() },
        Filter { checkout: Some(checkout), ..Filter::default() },
        Filter { request: some("req_1"), ..Filter::default() },
        Filter { keys, ..Filter::default() },
    ];
    for filter in &filters {
        let wanted = Wanted { cursor: None, limit: 50, counts: false };
        let page = search.page(filter, wanted, bench.now()).await.expect("reads");
        let found = page.items.len();
        assert!(
            found == 50
                || filter.checkout.is_some()
                || filter.request.is_some()
                || !filter.keys.is_empty()
                || filter.label.is_some()
                || filter.rule.is_some(),
            "{found}: {filter:?}"
        );
    }
    let seen = plans.of("passed as");
    assert_eq!(seen.len(), filters.len(), "each statement was seen once");
    for (plan, filter) in seen.iter().zip(&filters) {
        let mut faults = Vec::new();
        read_as_a_whole(&plan["Plan"], &mut faults);
        assert!(faults.is_empty(), "{filter:?} reads all of {faults:?}: {plan:#}");
    }
}

// breaks: no `limit` in `walked`, or `next` from the items alone in `Walked::page`
#[tokio::test]
async fn a_question_looks_at_so_many_and_says_where_to_go_on() {
    let (bench, _) = plans::watched_after(MANY).await;
    let search = Cases::new(bench.database.clone()).search();
    // Labeled orders are as rare as this: each page is short, all of them together are whole.
    let filter = Filter { label: Some(LabelIs::Fraud), ..Filter::default() };
    let (mut cursor, mut seen, mut pages) = (None, 0, 0);
    loop {
        let wanted = Wanted { cursor, limit: 200, counts: true };
        let page = search.page(&filter, wanted, bench.now()).await.expect("reads");
        let counts = page.counts.expect("they were asked for");
        seen += page.items.len();
        pages += 1;
        assert!(counts.total <= u64::from(WALK_MAX));
        assert_eq!(counts.is_exact, page.next.is_none(), "page {pages}");
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (60, 7), "60,000 were looked at, ten thousand a page");
}
