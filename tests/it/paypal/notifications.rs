//! Notifications: what is believed, and that every order of them ends in the same state.

use doorbuster::{
    ledger::row::{AttemptRow, OperationState, SessionState},
    outbound::{Client, Exchange, Method, OutboundSettings},
};
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    fake::{Fake, Trouble, payments},
    faults::attempts,
    forgeries::{Signed, forgeries},
    shop,
};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_notification_places_the_order_of_a_buyer_who_never_comes_back,
    a_notification_whose_row_exists_is_still_looked_into,
    early_late_repeated_and_reordered_ones_end_in_the_same_state,
    a_notification_of_another_payment_changes_nothing,
    a_late_authorization_is_let_go,
    a_capture_ends_as_it_is_told,
    nothing_forged_is_believed_and_nothing_breaks,
    a_certificate_is_fetched_once_and_made_up_ones_not_without_end,
    a_dispute_is_told_once_and_labels_the_order,
    the_page_a_buyer_comes_back_to_goes_on_with_the_payment,
);

/// A notification of this kind about that.
pub(super) fn event(id: &str, kind: &str, resource: &Value) -> Value {
    json!({"id": id, "event_version": "1.0", "resource_version": "2.0", "event_type": kind,
        "create_time": "2026-11-27T08:00:00Z", "summary": "", "resource": resource})
}

/// Posts a notification to the shop's address for PayPal.
async fn post(shop: &TestShop, signed: &Signed) -> (u16, String) {
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let url = format!("http://{}/webhooks/paypal", shop.app().address);
    let headers: Vec<_> =
        signed.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = Some(signed.body.clone());
    let exchange = Exchange { method: Method::Post, url: &url, headers: &headers, body };
    let answer = client.exchange(exchange, Duration::from_secs(10)).await.expect("it answers");
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

async fn tell(shop: &TestShop, fake: &Fake, event: &Value) -> u16 {
    post(shop, &Signed::new(&fake.url, shop.now(), event.to_string())).await.0
}

/// Looks into everything that is due, and once more for what is due a little later.
async fn rounds(shop: &TestShop) {
    for _ in 0..3 {
        shop.app().notifications.round().await.expect("the ledger answers");
        shop.clock.advance(Duration::from_secs(2));
    }
}

/// A shop with a buyer who was sent to PayPal.
async fn challenged(on: On) -> (TestShop, Fake, AttemptRow) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("redirect").await.text();
    drop(ada);
    let attempt = attempts(&shop).await.remove(0);
    (shop, fake, attempt)
}

async fn state(shop: &TestShop, attempt: &AttemptRow) -> SessionState {
    let row = shop.store().find_session(attempt.checkout).await.expect("reads");
    row.expect("it is there").state
}

/// What PayPal tells of an authorization.
fn authorization(fake: &Fake) -> Value {
    let order = fake.order();
    let mut told = payments(&order, "authorizations").pop().expect("it is authorized");
    told["supplementary_data"] = json!({"related_ids": {"order_id": order["id"]}});
    told
}

// breaks: a notification that is kept and never looked into, or looked into without going on
async fn a_notification_places_the_order_of_a_buyer_who_never_comes_back(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    fake.approve();
    let told = event("WH-1", "CHECKOUT.ORDER.APPROVED", &fake.order());
    assert_eq!(tell(&shop, &fake, &told).await, 200);
    rounds(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    shop.debts_are_paid().await;
    assert_eq!(fake.captured(), 1990);
    shop.leaves().await;
}

// breaks: a repeated notification that is taken for one that was looked into
async fn a_notification_whose_row_exists_is_still_looked_into(on: On) {
    let (mut shop, fake, attempt) = challenged(on).await;
    fake.approve();
    let told = event("WH-1", "CHECKOUT.ORDER.APPROVED", &fake.order());
    assert_eq!(tell(&shop, &fake, &told).await, 200);
    // It was kept, and the process dies before anybody has looked into it.
    shop.opens_again().await;
    assert_eq!(tell(&shop, &fake, &told).await, 200);
    rounds(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    assert_eq!((shop.orders().await, fake.authorizations()), (1, 1));
    shop.leaves().await;
}

// breaks: a state that is taken from the notification rather than asked for
async fn early_late_repeated_and_reordered_ones_end_in_the_same_state(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let mut early = fake.order();
    early["status"] = json!("APPROVED");
    let early = event("WH-1", "CHECKOUT.ORDER.APPROVED", &early);
    assert_eq!(tell(&shop, &fake, &early).await, 200, "it says so before it is true");
    rounds(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    assert_eq!(fake.authorizations(), 0);
    fake.approve();
    let approved = event("WH-2", "CHECKOUT.ORDER.APPROVED", &fake.order());
    let voided = event("WH-3", "CHECKOUT.ORDER.VOIDED", &fake.order());
    let saved = event("WH-4", "CHECKOUT.ORDER.SAVED", &fake.order());
    for _ in 0..2 {
        // What was first comes last, everything comes twice, and some at once.
        let (one, two, three) = tokio::join!(
            tell(&shop, &fake, &voided),
            tell(&shop, &fake, &approved),
            tell(&shop, &fake, &saved)
        );
        assert_eq!([one, two, three], [200; 3]);
        fake.next("GET /v2/checkout/orders/", Trouble::Says(500, json!({})));
        rounds(&shop).await;
    }
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    shop.debts_are_paid().await;
    let mut capture = payments(&fake.order(), "captures").remove(0);
    capture["supplementary_data"] = json!({"related_ids": {"order_id": fake.order()["id"]}});
    for (id, kind) in [("WH-5", "PAYMENT.CAPTURE.DENIED"), ("WH-6", "PAYMENT.CAPTURE.COMPLETED")] {
        assert_eq!(tell(&shop, &fake, &event(id, kind, &capture)).await, 200);
        rounds(&shop).await;
    }
    let after = event("WH-7", "PAYMENT.AUTHORIZATION.VOIDED", &authorization(&fake));
    assert_eq!(tell(&shop, &fake, &after).await, 200);
    rounds(&shop).await;
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), (1, SessionState::Completed));
    assert_eq!((fake.captured(), fake.authorizations()), (1990, 1));
    shop.leaves().await;
}

// breaks: an amount, a currency or an id that is not compared
async fn a_notification_of_another_payment_changes_nothing(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    fake.approve();
    let order = fake.order();
    let with = |at: &str, value: Value| {
        let mut order = order.clone();
        *order.pointer_mut(at).expect("it is there") = value;
        order
    };
    let foreign = [
        with("/purchase_units/0/amount/value", json!("0.01")),
        with("/purchase_units/0/amount/currency_code", json!("USD")),
        with("/id", json!("SOMEBODYELSES0001")),
        with("/purchase_units/0/custom_id", json!("pay_00000000000000000000000000000000")),
    ];
    for (number, order) in foreign.iter().enumerate() {
        let told = event(&format!("WH-{number}"), "CHECKOUT.ORDER.APPROVED", order);
        assert_eq!(tell(&shop, &fake, &told).await, 200, "{order}");
    }
    let rows = shop.app().notifications.inbox.list_due(shop.now(), 100).await.expect("reads");
    assert_eq!(rows.len(), foreign.len());
    rounds(&shop).await;
    let expected = (0, SessionState::Completing, 0);
    assert_eq!(
        (shop.orders().await, state(&shop, &attempt).await, fake.authorizations()),
        expected
    );
    // One that names no attempt is asked about by PayPal's own name, and is ours.
    let unnamed = with("/purchase_units/0/custom_id", json!("nonsense"));
    assert_eq!(tell(&shop, &fake, &event("WH-9", "CHECKOUT.ORDER.APPROVED", &unnamed)).await, 200);
    rounds(&shop).await;
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), (1, SessionState::Completed));
    shop.leaves().await;
}

// breaks: an attempt that has ended and whose authorization stays
async fn a_late_authorization_is_let_go(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    shop.after(16).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Open);
    // A call that was on its way all the time arrives after all.
    fake.change(|order| {
        order["status"] = json!("COMPLETED");
        let unit = &order["purchase_units"][0];
        let authorization = json!({"id": "LATE0000000000001", "status": "CREATED",
            "amount": unit["amount"], "custom_id": unit["custom_id"]});
        order["purchase_units"][0]["payments"]["authorizations"] = json!([authorization]);
    });
    let told = event("WH-1", "PAYMENT.AUTHORIZATION.CREATED", &authorization(&fake));
    assert_eq!(tell(&shop, &fake, &told).await, 200);
    rounds(&shop).await;
    shop.debts_are_paid().await;
    assert_eq!(payments(&fake.order(), "authorizations")[0]["status"], "VOIDED");
    assert_eq!((shop.orders().await, fake.captured()), (0, 0));
    shop.leaves().await;
}

// breaks: a capture whose part or amount is not read, or one that is told denied and taken for done
async fn a_capture_ends_as_it_is_told(on: On) {
    for (kind, state) in [
        ("PAYMENT.CAPTURE.COMPLETED", OperationState::Done),
        ("PAYMENT.CAPTURE.DENIED", OperationState::Refused),
    ] {
        let (shop, fake) = shop(on).await;
        shop.stock("TEE", 1).await;
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        fake.next("/capture", Trouble::Says(503, json!({})));
        ada.pays("paypal:8kk8451t").await.text();
        let attempt = attempts(&shop).await.remove(0);
        let capture = json!({"id": "CAPT0000000000001", "status": "COMPLETED",
            "amount": {"currency_code": "EUR", "value": "19.90"},
            "custom_id": attempt.id, "invoice_id": format!("{}-capture-0", attempt.id),
            "supplementary_data": {"related_ids": {"order_id": fake.order()["id"]}}});
        let mut other = capture.clone();
        other["amount"]["value"] = json!("0.01");
        let due = async || {
            let far = shop.now().plus(Duration::from_secs(3600));
            shop.store().list_due_operations(far, 9).await.expect("reads").len()
        };
        assert_eq!(tell(&shop, &fake, &event("WH-1", kind, &other)).await, 200);
        rounds(&shop).await;
        assert_eq!(due().await, 1, "it is told of another amount");
        assert_eq!(tell(&shop, &fake, &event("WH-2", kind, &capture)).await, 200);
        rounds(&shop).await;
        shop.debts_are_paid().await;
        let order = shop.store().find_order(attempt.order).await.expect("reads").expect("it is");
        assert_eq!(order.operations[0].state, state, "{kind}");
        assert_eq!(fake.captured(), 0, "it was not asked for again");
        shop.leaves().await;
    }
}

// breaks: a check of the signature that is left out, or a body that is read before it
async fn nothing_forged_is_believed_and_nothing_breaks(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    fake.approve();
    let good = event("WH-F", "CHECKOUT.ORDER.APPROVED", &fake.order());
    let forgeries = forgeries(&fake.url, shop.now(), &good);
    assert!(forgeries.len() >= 30, "{}", forgeries.len());
    for (name, signed) in forgeries {
        let (status, text) = post(&shop, &signed).await;
        assert!((400..500).contains(&status), "{name}: {status} {text}");
    }
    let due = shop.app().notifications.inbox.list_due(shop.now(), 100).await.expect("reads");
    assert!(due.is_empty(), "{due:?}");
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    // Kinds that nobody here knows are acknowledged, and so is what PayPal could not deliver for
    // two days.
    let unknown = event("WH-N", "VAULT.CREDIT-CARD.CREATED", &json!({"id": "CARD-1"}));
    assert_eq!(tell(&shop, &fake, &unknown).await, 200);
    let two_days = Duration::from_secs(2 * 24 * 60 * 60);
    let old = Signed::new(&fake.url, shop.now().minus(two_days), unknown.to_string());
    assert_eq!(post(&shop, &old).await.0, 200);
    let ten_minutes = Duration::from_secs(10 * 60);
    let ahead = Signed::new(&fake.url, shop.now().plus(ten_minutes), unknown.to_string());
    let (status, text) = post(&shop, &ahead).await;
    assert!(status == 401 && text.contains("clock"), "{text}");
    let (status, text) =
        post(&shop, &Signed::for_webhook("ANOTHER", &fake.url, shop.now(), "{}")).await;
    assert!(status == 401 && text.contains("webhook_id"), "{text}");
    shop.leaves().await;
}

// breaks: a certificate for each notification, or for each address that somebody makes up
async fn a_certificate_is_fetched_once_and_made_up_ones_not_without_end(on: On) {
    let (shop, fake, _) = challenged(on).await;
    let fetched = || {
        let state = fake.state.lock().unwrap();
        state.calls.iter().filter(|call| call.line.contains("/certs/")).count()
    };
    let told = event("WH-N", "VAULT.CREDIT-CARD.CREATED", &json!({}));
    for _ in 0..3 {
        assert_eq!(tell(&shop, &fake, &told).await, 200);
    }
    assert_eq!(fetched(), 1);
    for number in 0..40 {
        let mut made_up = Signed::new(&fake.url, shop.now(), told.to_string());
        made_up.certificate(&fake.url, &format!("CERT-{number}"));
        let (status, text) = post(&shop, &made_up).await;
        assert!(matches!(status, 401 | 503), "{status} {text}");
    }
    assert_eq!(fetched(), 20);
    assert_eq!(tell(&shop, &fake, &told).await, 200, "the one that is known goes on");
    shop.leaves().await;
}

// breaks: a dispute that is not told, told twice, or one that was won and still labels
async fn a_dispute_is_told_once_and_labels_the_order(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("paypal:8kk8451t").await.text();
    shop.debts_are_paid().await;
    let before = shop.store().list_unsent_events(100).await.expect("reads").len();
    let capture = payments(&fake.order(), "captures").remove(0);
    let attempt = attempts(&shop).await[0].id;
    for (number, kind, status, custom) in [
        (1, "CUSTOMER.DISPUTE.CREATED", "OPEN", Some(attempt)),
        // Without our name PayPal is asked whose capture it is.
        (2, "CUSTOMER.DISPUTE.UPDATED", "WAITING_FOR_SELLER_RESPONSE", None),
        (3, "CUSTOMER.DISPUTE.RESOLVED", "RESOLVED", None),
    ] {
        let mut transaction = json!({"seller_transaction_id": capture["id"]});
        if let Some(custom) = custom {
            transaction["custom"] = json!(custom);
        }
        let dispute = json!({"dispute_id": "PP-D-4012", "disputed_transactions": [transaction],
            "reason": "UNAUTHORISED", "status": status,
            "dispute_amount": {"currency_code": "EUR", "value": "19.90"},
            "dispute_outcome": {"outcome_code": "RESOLVED_SELLER_FAVOUR"},
            "seller_response_due_date": "2026-12-07T08:00:00.000Z"});
        let told = event(&format!("WH-{number}"), kind, &dispute);
        assert_eq!(tell(&shop, &fake, &told).await, 200);
        rounds(&shop).await;
    }
    let events = shop.store().list_unsent_events(100).await.expect("reads");
    let told: Vec<_> = events[before..].iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(told, ["payment.disputed", "payment.disputed"]);
    let bodies: Vec<_> = events[before..].iter().map(|event| event.body.get()).collect();
    assert!(bodies[0].contains("\"open\"") && bodies[0].contains("2026-12-07"), "{}", bodies[0]);
    assert!(bodies[1].contains("\"won\""), "{}", bodies[1]);
    shop.leaves().await;
}

// breaks: a page that believes its address, or that does not go on with the payment
async fn the_page_a_buyer_comes_back_to_goes_on_with_the_payment(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let returns = async || {
        // What stands behind the question mark is anybody's.
        let query = "?token=SOMEBODYELSES0001&PayerID=QYR5Z8XDVJNXQ";
        let url = format!("http://{}/payments/return/{}{query}", shop.app().address, attempt.id);
        let exchange = Exchange { method: Method::Get, url: &url, headers: &[], body: None };
        let answer = client.exchange(exchange, Duration::from_secs(10)).await.expect("it answers");
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    assert!(returns().await.contains("One moment"));
    assert_eq!(fake.authorizations(), 0);
    fake.approve();
    let (one, two) = tokio::join!(returns(), returns());
    assert!(one.contains("Thank you") && two.contains("Thank you"), "{one} {two}");
    assert_eq!((shop.orders().await, fake.authorizations()), (1, 1));
    shop.leaves().await;
}
