//! Notifications: what is believed, and that every order of them ends in the same state.

use doorbuster::ledger::row::{AttemptRow, SessionState};
use serde_json::{Value, json};

use super::{
    attempts, batch, card,
    fake::{Fake, Trouble},
    forgeries::forgeries,
    looks, post, settled, shop, tell, tell_all,
};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_notification_places_the_order_of_a_buyer_who_never_comes_back,
    a_notification_whose_row_exists_is_still_looked_into,
    early_late_repeated_and_reordered_ones_end_in_the_same_state,
    a_notification_of_another_payment_changes_nothing,
    a_late_authorization_is_let_go,
    who_pays_with_something_else_is_charged_once,
    nothing_forged_is_believed_and_nothing_breaks,
    a_dispute_is_told_once_and_labels_the_order,
);

/// A shop with a buyer who was sent to their bank.
async fn challenged(on: On) -> (TestShop, Fake, AttemptRow) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("challenge")).await.text();
    drop(ada);
    let attempt = attempts(&shop).await.remove(0);
    (shop, fake, attempt)
}

async fn state(shop: &TestShop, attempt: &AttemptRow) -> SessionState {
    let row = shop.store().find_session(attempt.checkout).await.expect("reads");
    row.expect("it is there").state
}

fn with(item: &Value, name: &str, value: Value) -> Value {
    let mut item = item.clone();
    item[name] = value;
    item
}

// breaks: a notification that is kept and never looked into
async fn a_notification_places_the_order_of_a_buyer_who_never_comes_back(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    fake.confirmed();
    tell_all(&shop, &fake).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    settled(&shop, &fake).await;
    assert_eq!(fake.taken(), 1990);
    shop.leaves().await;
}

// breaks: a repeated notification that is taken for one that was looked into
async fn a_notification_whose_row_exists_is_still_looked_into(on: On) {
    let (mut shop, fake, attempt) = challenged(on).await;
    let told = batch(&[fake.confirmed()]).to_string().into_bytes();
    assert_eq!(post(&shop, told.clone()).await.0, 200);
    // It was kept, and the process dies before anybody has looked into it.
    shop.opens_again().await;
    assert_eq!(post(&shop, told).await.0, 200);
    looks(&shop).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    assert_eq!(shop.orders().await, 1);
    shop.leaves().await;
}

// breaks: what comes last taken for what is true, or a movement that ends twice
async fn early_late_repeated_and_reordered_ones_end_in_the_same_state(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let authorised = fake.confirmed();
    let refused = with(&authorised, "success", json!("false"));
    // The refusal of a first card comes after the approval of the second, and everything twice.
    for _ in 0..2 {
        tell(&shop, &[authorised.clone(), refused.clone()]).await;
    }
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    settled(&shop, &fake).await;
    tell(&shop, &[refused, authorised]).await;
    assert_eq!((shop.orders().await, fake.taken()), (1, 1990));
    assert_eq!(state(&shop, &attempt).await, SessionState::Completed);
    shop.leaves().await;
}

// breaks: an amount, a currency or a reference that is not compared
async fn a_notification_of_another_payment_changes_nothing(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let true_one = fake.confirmed();
    let foreign = [
        with(&true_one, "amount", json!({"value": 1, "currency": "EUR"})),
        with(&true_one, "amount", json!({"value": 1990, "currency": "USD"})),
        with(&true_one, "merchantReference", json!("pay_00000000000000000000000000000000")),
        with(&true_one, "merchantReference", json!("somebody's order")),
    ];
    for (number, item) in foreign.iter().enumerate() {
        let item = with(item, "pspReference", json!(format!("FOREIGN{number}")));
        tell(&shop, &[item]).await;
    }
    let expected = (0, SessionState::Completing);
    assert_eq!((shop.orders().await, state(&shop, &attempt).await), expected);
    shop.leaves().await;
}

// breaks: an authorization that stays open because nobody waits for it any more
async fn a_late_authorization_is_let_go(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    fake.untold();
    // The buyer's time is over, and Adyen says that there is nothing to be canceled.
    fake.next("/cancels", Trouble::Says(500, json!({"status": 500})));
    shop.clock.advance(std::time::Duration::from_secs(3600));
    shop.app().keeper.round().await.expect("the ledger answers");
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing, "nobody knows yet");
    let payment = fake.payments().remove(0);
    let none = json!({ "amount": payment.amount, "eventCode": "TECHNICAL_CANCEL",
        "eventDate": "2026-11-27T09:00:00+01:00", "merchantAccountCode": super::MERCHANT,
        "merchantReference": format!("{}-void-255", attempt.id), "originalReference": "",
        "pspReference": "CANCEL1", "reason": "Transaction not found", "success": "false" });
    tell(&shop, &[none]).await;
    shop.app().keeper.round().await.expect("the ledger answers");
    assert_ne!(state(&shop, &attempt).await, SessionState::Completing);
    // And then the buyer confirms.
    fake.confirmed();
    tell_all(&shop, &fake).await;
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.reserved()), (0, 0, 0));
    shop.leaves().await;
}

// breaks: a second attempt before the first has definitely ended
async fn who_pays_with_something_else_is_charged_once(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("challenge")).await.text();
    // The end of the first is asked for, and not known yet.
    let told = ada.pays(&card("good")).await;
    assert!(told.refusal().contains("completing"), "{}", told.refusal());
    assert_eq!(fake.calls("/payments").len(), 1);
    tell_all(&shop, &fake).await;
    let told = ada.pays(&card("good")).await;
    assert!(told.says("\"completed\""), "{}", told.text());
    settled(&shop, &fake).await;
    assert_eq!((shop.orders().await, fake.taken(), fake.reserved()), (1, 1990, 0));
    shop.leaves().await;
}

// breaks: a check of the signature that is left out, or a batch of which a part is believed
async fn nothing_forged_is_believed_and_nothing_breaks(on: On) {
    let (shop, fake, attempt) = challenged(on).await;
    let good = fake.confirmed();
    let forgeries = forgeries(&good);
    assert!(forgeries.len() >= 30, "{}", forgeries.len());
    for (name, body) in forgeries {
        let (status, text) = post(&shop, body).await;
        assert!((400..500).contains(&status), "{name}: {status} {text}");
    }
    let unread = post(&shop, vec![b'x'; 300 * 1024]).await.0;
    assert!((400..500).contains(&unread), "too long: {unread}");
    let due = shop.app().notifications.inbox.list_due(shop.now(), 100).await.expect("reads");
    assert!(due.is_empty(), "{due:?}");
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    // Codes that nobody knows are acknowledged: Adyen would send them for days.
    let unknown = with(&good, "eventCode", json!("CODE_OF_TOMORROW"));
    tell(&shop, &[unknown]).await;
    assert_eq!(state(&shop, &attempt).await, SessionState::Completing);
    shop.leaves().await;
}

// breaks: a dispute that is not told, told twice, or one that was won and still labels
async fn a_dispute_is_told_once_and_labels_the_order(on: On) {
    let (shop, fake) = shop(on).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(&card("good")).await.text();
    let authorised = fake.state.lock().unwrap().calls[0].3.1.clone();
    settled(&shop, &fake).await;
    let before = shop.store().list_unsent_events(100).await.expect("reads").len();
    for (number, code) in
        ["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED"].iter().enumerate()
    {
        let item = json!({ "amount": {"value": 1990, "currency": "EUR"}, "eventCode": code,
            "eventDate": "2026-12-20T09:00:00+01:00", "merchantAccountCode": super::MERCHANT,
            "merchantReference": authorised["merchantReference"], "reason": "Other Fraud",
            "originalReference": authorised["pspReference"], "success": "true",
            "pspReference": format!("DISPUTE{number}"), "additionalData": {
                "chargebackReasonCode": "10.4", "chargebackSchemeCode": "visa",
                "defensePeriodEndsAt": "2027-01-08T00:00:00+01:00" } });
        tell(&shop, &[item]).await;
    }
    let events = shop.store().list_unsent_events(100).await.expect("reads");
    let told: Vec<_> = events[before..].iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(told, ["payment.disputed", "payment.disputed"]);
    let body = events[before].body.get();
    assert!(body.contains("\"open\"") && body.contains("2027-01-07T23:00:00"), "{body}");
    assert!(events[before + 1].body.get().contains("\"won\""));
    // What Visa calls TC40: fraud, before anybody disputes.
    let warning = json!({ "amount": {"value": 1990, "currency": "EUR"},
        "eventCode": "NOTIFICATION_OF_FRAUD", "eventDate": "2026-12-21T09:00:00+01:00",
        "merchantAccountCode": super::MERCHANT, "reason": "Stolen card", "success": "true",
        "merchantReference": authorised["merchantReference"], "pspReference": "FRAUD1",
        "originalReference": authorised["pspReference"] });
    tell(&shop, &[warning]).await;
    let order = attempts(&shop).await[0].order;
    let url = format!("http://{}/v1/orders/{order}/labels", shop.app().address);
    let (_, labels) = super::ask(super::Method::Get, &url, None).await;
    let labels: Value = serde_json::from_str(&labels).expect("JSON");
    let items = labels["items"].as_array().expect("a list");
    let warned = items.iter().find(|label| label["source"] == "early_warning").expect("a label");
    assert_eq!((&warned["fraud"], &warned["reason"]), (&json!(true), &json!("Stolen card")));
    shop.leaves().await;
}
