//! Orders that PayPal's buttons made on the platform's page.

use doorbuster::ledger::row::{AttemptState, SessionState};
use serde_json::{Value, json};

use super::{
    fake::{Fake, Trouble, payments},
    faults::attempts,
    shop,
};
use crate::shop::{On, in_shops_on_both};

in_shops_on_both!(
    an_order_of_paypals_buttons_is_paid_under_our_name,
    an_order_pays_for_one_attempt,
    an_order_that_does_not_fit_is_declined_and_nothing_moves,
    a_buyer_who_pays_with_something_else_is_not_charged_twice,
);

/// PayPal's name for an order that the platform has made.
const ORDER: &str = "5O190127TN364715T";

/// An order that the platform has made.
fn made(fake: &Fake, status: &str, change: impl FnOnce(&mut Value)) {
    let mut order = json!({"id": ORDER, "status": status, "intent": "AUTHORIZE",
        "purchase_units": [{"reference_id": "default", "payments": {},
            "amount": {"currency_code": "EUR", "value": "19.90"}}],
        "links": [{"rel": "approve", "method": "GET",
            "href": format!("https://www.sandbox.paypal.com/checkoutnow?token={ORDER}")}]});
    change(&mut order);
    fake.state.lock().unwrap().orders.insert(ORDER.into(), order);
}

// breaks: an order that is paid before the ledger knows its name, or without the attempt's on it
async fn an_order_of_paypals_buttons_is_paid_under_our_name(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    made(&fake, "APPROVED", |_| ());
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let token = format!("order:{ORDER}");
    let told = ada.pays(&token).await;
    let attempt = attempts(&shop).await[0].id;
    // The buyer has agreed: the address is our own page, which goes on with it.
    assert!(told.says(&format!("/payments/return/{attempt}")), "{}", told.text());
    assert_eq!((fake.authorizations(), fake.orders().len()), (0, 1));
    assert!(ada.pays(&token).await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.orders().len()), (1, 1990, 1));
    assert_eq!(fake.order()["purchase_units"][0]["custom_id"], json!(attempt));
    shop.leaves().await;
}

// breaks: an attempt that takes the money of an order which has another one's name by then
async fn an_order_pays_for_one_attempt(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 3).await;
    made(&fake, "APPROVED", |_| ());
    let token = format!("order:{ORDER}");
    let (ada, bob) = (shop.shopper(), shop.shopper().named("bob@example.com"));
    for buyer in [&ada, &bob] {
        buyer.adds("TEE", 1).await.text();
        assert!(buyer.pays(&token).await.says("requires_escalation"));
    }
    // The last one who has written its name has it.
    assert!(ada.pays(&token).await.says("(canceled)"));
    assert!(bob.pays(&token).await.says("\"completed\""));
    assert_eq!(ada.state().await, SessionState::Open);
    assert!(ada.pays(&token).await.says("(invalid_instrument)"));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured(), fake.authorizations()), (1, 1990, 1));
    shop.leaves().await;
}

// breaks: an amount, a currency or an intent that is not looked at
async fn an_order_that_does_not_fit_is_declined_and_nothing_moves(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 2).await;
    let (ada, bob) = (shop.shopper(), shop.shopper().named("bob@example.com"));
    for buyer in [&ada, &bob] {
        buyer.adds("TEE", 1).await.text();
    }
    let token = format!("order:{ORDER}");
    assert!(ada.pays(&token).await.says("(invalid_instrument)"), "there is none");
    let unit = |name: &'static str, value: Value| {
        move |order: &mut Value| order["purchase_units"][0][name] = value
    };
    made(&fake, "APPROVED", unit("amount", json!({"currency_code": "EUR", "value": "0.01"})));
    assert!(ada.pays(&token).await.says("(invalid_instrument)"), "less");
    made(&fake, "APPROVED", unit("amount", json!({"currency_code": "JPY", "value": "1990"})));
    assert!(ada.pays(&token).await.says("(invalid_instrument)"), "another currency");
    made(&fake, "APPROVED", |order| order["intent"] = json!("CAPTURE"));
    assert!(bob.pays(&token).await.says("(invalid_instrument)"), "captured at once");
    made(&fake, "APPROVED", unit("reference_id", json!("x'/amount")));
    assert!(bob.pays(&token).await.says("(invalid_instrument)"), "a path in its name");
    made(&fake, "COMPLETED", |_| ());
    fake.next("PATCH", Trouble::Says(422, json!({"name": "UNPROCESSABLE_ENTITY"})));
    assert!(bob.pays(&token).await.says("(invalid_instrument)"), "it cannot be changed");
    assert_eq!((bob.state().await, fake.authorizations()), (SessionState::Open, 0));
    // The platform changes the amount once it is ours: it is not paid.
    made(&fake, "APPROVED", |_| ());
    assert!(bob.pays(&token).await.says("requires_escalation"));
    fake.change(|order| order["purchase_units"][0]["amount"]["value"] = json!("0.01"));
    assert!(bob.pays(&token).await.says("requires_escalation"));
    assert_eq!((shop.orders().await, fake.authorizations()), (0, 0));
    shop.leaves().await;
}

// breaks: an order that is authorized after it was given up
async fn a_buyer_who_pays_with_something_else_is_not_charged_twice(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays("redirect").await.says("requires_escalation"));
    fake.approve();
    assert!(ada.pays("paypal:8kk8451t").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, fake.captured()), (1, 1990));
    let states: Vec<_> = attempts(&shop).await.iter().map(|row| row.state).collect();
    let authorized = states.iter().filter(|state| **state == AttemptState::Authorized);
    assert_eq!((states.len(), authorized.count()), (1, 1), "the first had the buyer's word");
    let captures: Vec<_> =
        fake.orders().iter().flat_map(|order| payments(order, "captures")).collect();
    assert_eq!(captures.len(), 1);
    shop.leaves().await;
}
