//! A replay against a shop that turns every request away once.

use super::*;
use crate::{
    base::{AnchoredClock, SeededChance},
    outbound::{Client, OutboundSettings},
    replay::{
        fake_shop::{Call, FakeShop},
        read::read,
    },
};

const FILE: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n\
    1,MUG,MUG,6,2010-12-01 08:00:00,2.50,7\n\
    1,TEE,TEE,2,2010-12-01 08:00:00,9.00,7\n\
    2,GONE,GONE,1,2010-12-01 09:00:00,1.00,7\n\
    3,MUG,MUG,1,2010-12-01 10:00:00,2.50,\n\
    C4,TEE,TEE,-1,2010-12-02 08:00:00,9.00,7\n\
    C5,GONE,GONE,-1,2010-12-02 08:00:00,1.00,7\n";

async fn replayed(concurrency: usize) -> (FakeShop, Plan, Outcome) {
    let fake = FakeShop::open();
    let plan = read(FILE.as_bytes()).expect("a good file");
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let shop = Shop::discover(client, &fake.address, None).await.expect("it is there");
    let (clock, chance) = (AnchoredClock::from_system(), SeededChance::new(7));
    let outcome = replay(&shop, &plan, concurrency, &clock, &chance).await;
    (fake, plan, outcome.expect("it is filled"))
}

fn paths(calls: &[Call], part: &str) -> Vec<String> {
    let matching = calls.iter().filter(|call| call.path.contains(part));
    matching.map(|call| call.path.clone()).collect()
}

#[tokio::test]
async fn each_invoice_is_bought_once_and_each_return_follows_its_sale() {
    for concurrency in [1, 8] {
        let (fake, plan, outcome) = replayed(concurrency).await;
        let calls = fake.calls();
        assert_eq!(paths(&calls, "/v1/products/bulk").len(), 1);
        assert_eq!(paths(&calls, "/v1/stock/movements").len(), 1);
        assert_eq!(paths(&calls, "complete").len(), 2, "{calls:?}");
        assert_eq!(paths(&calls, "cancel").len(), 1, "what is not bought is given back");
        let moved = paths(&calls, "/v1/orders/");
        assert!(moved[0].ends_with("/lines/2/ship") && moved[1].ends_with("/adjustments"));
        assert_eq!(moved.len(), 2, "a sale that came to nothing sends nothing back");
        let back = calls.iter().find(|call| call.path.ends_with("/adjustments"));
        let back = &back.expect("it came back").body;
        assert_eq!((&back["refund"], &back["reason"]), (&900.into(), &"C4".into()), "{back}");
        let line = serde_json::json!([{"line": 2, "kind": "return", "quantity": 1}]);
        assert_eq!(back["lines"], line, "{back}");
        assert_eq!((outcome.orders, outcome.lines, outcome.units), (2, 3, 9));
        assert_eq!(outcome.refused["out_of_stock"], 1);
        assert_eq!(outcome.money.iter().collect::<Vec<_>>(), [(&"captured".to_owned(), &2)]);
        assert_eq!(outcome.captured_minor, 2 * 1_500);
        assert_eq!((outcome.returns, outcome.returned_units), (1, 1));
        assert_eq!(outcome.returns_refused["its sale came to no order"], 1);
        // Everything but the discovery was sent twice, and carried out once.
        assert_eq!(outcome.sent_again, calls.len() as u64);
        assert_eq!(plan.sales.len(), 3);
    }
}

#[tokio::test]
async fn buyers_say_who_they_are_and_what_they_want() {
    let (fake, _, _) = replayed(1).await;
    let calls = fake.calls();
    let opened: Vec<_> =
        calls.iter().filter(|call| call.path == "/ucp/checkout-sessions").collect();
    assert_eq!(opened[0].body["buyer"]["email"], "customer-7@replay.invalid");
    assert_eq!(opened[2].body["buyer"]["email"], "guest-3@replay.invalid");
    let line = &opened[0].body["line_items"][0];
    assert_eq!((line["item"]["id"].as_str(), line["quantity"].as_u64()), (Some("MUG"), Some(6)));
    let stocked = calls.iter().find(|call| call.path == "/v1/stock/movements");
    let first = &stocked.expect("stock came in").body["movements"][0];
    assert_eq!((first["sku"].as_str(), first["quantity"].as_u64()), (Some("MUG"), Some(7)));
}
