//! A day of Stripe's own list beside the ledger.

use doorbuster::{
    commands::reconcile::{self, Reconcile},
    ledger::row::{AttemptRow, AttemptState},
    payment::Gateways,
    reconcile::{BreakFilter, Reconciler, Run},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

use super::{fake::Fake, faults::settings};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_day_that_agrees_has_no_breaks,
    every_kind_of_difference_is_found_and_closed_when_it_is_gone,
    yesterday_is_compared_once_whoever_comes,
    the_command_lists_what_differs_and_fails,
);

async fn shop(on: On) -> (TestShop, Fake) {
    let fake = Fake::start();
    let gateways = vec![settings("stripe", &fake.url)];
    let shop = on.shop_with(move |config| config.payment.gateways = gateways).await;
    (shop, fake)
}

fn reconciler(shop: &TestShop) -> &Reconciler {
    &shop.app().reconciler
}

/// What differs yesterday: `kind of payment`.
async fn breaks(shop: &TestShop) -> Vec<String> {
    let reconciler = reconciler(shop);
    let gateway = reconciler.gateways.named("stripe").expect("it is configured").clone();
    let day = doorbuster::reconcile::Day::of(shop.now()).before();
    let report = reconciler.compare(&*gateway, day).await.expect("it is compared");
    let report = report.expect("Stripe has a list");
    let mut words: Vec<_> =
        report.breaks.iter().map(|found| found.finding.word().to_owned()).collect();
    words.sort();
    words
}

/// So many buyers, one after another, and then a day passes.
async fn sells(shop: &TestShop, tokens: &[&str]) -> Vec<AttemptRow> {
    shop.stock("TEE", 20).await;
    for token in tokens {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        ada.pays(token).await.text();
    }
    shop.debts_are_paid().await;
    shop.clock.advance(Duration::from_secs(24 * 60 * 60));
    let mut all = shop.store().list_attempts(None, 100).await.expect("the ledger answers");
    // What came to nothing stands last.
    all.sort_by_key(|attempt| attempt.state != AttemptState::Authorized);
    all
}

fn change(fake: &Fake, attempt: &AttemptRow, change: impl FnOnce(&mut Value)) {
    let mut state = fake.state.lock().unwrap();
    let name = attempt.id.to_string();
    let ours = |intent: &&mut Value| intent["metadata"]["attempt"] == name;
    change(state.intents.values_mut().find(ours).expect("it was asked for"));
}

// breaks: a capture or a decline that is taken for a difference
async fn a_day_that_agrees_has_no_breaks(on: On) {
    let (shop, fake) = shop(on).await;
    let declined = "pm_declined_insufficient_funds";
    sells(&shop, &["pm_card_visa", declined, "pm_card_visa"]).await;
    let other = json!({"id": "pi_other", "amount": 5, "currency": "eur", "status": "succeeded"});
    fake.state.lock().unwrap().intents.insert("pi_other".into(), other);
    assert_eq!(breaks(&shop).await, Vec::<String>::new());
    let runs = reconciler(&shop).records.runs(10).await.expect("the ledger answers");
    let Run { compared, foreign, breaks, day, .. } = &runs[0];
    assert_eq!((*compared, *foreign, *breaks, day.as_str()), (3, 1, 0, "2026-11-27"));
    shop.leaves().await;
}

// breaks: a kind that is not looked for; a break that stays open, or is told twice
async fn every_kind_of_difference_is_found_and_closed_when_it_is_gone(on: On) {
    let (shop, fake) = shop(on).await;
    let mut tokens = vec!["pm_card_visa"; 6];
    tokens.push("pm_declined_insufficient_funds");
    let attempts = sells(&shop, &tokens).await;
    let before = fake.state.lock().unwrap().intents.clone();
    change(&fake, &attempts[0], |intent| intent["amount_received"] = json!(1000));
    change(&fake, &attempts[1], |intent| intent["latest_charge"]["amount_refunded"] = json!(500));
    change(&fake, &attempts[2], |intent| intent["amount"] = json!(1991));
    change(&fake, &attempts[3], |intent| intent["metadata"] = json!({}));
    let least = doorbuster::base::AttemptId::least(attempts[4].id.begun_at());
    change(&fake, &attempts[4], |intent| intent["metadata"]["attempt"] = json!(least));
    change(&fake, &attempts[6], |intent| {
        intent["status"] = json!("requires_capture");
        intent["amount_capturable"] = json!(1990);
    });
    let expected =
        ["captured", "missing", "missing", "orphan", "other_amount", "refunded", "unrecorded"];
    assert_eq!(breaks(&shop).await, expected);
    assert_eq!(breaks(&shop).await, expected, "the same again, and not twice");
    let records = &reconciler(&shop).records;
    assert_eq!(records.count_open().await.expect("reads"), 7);
    let open = records.list(BreakFilter { closed: false, limit: 100 }).await.expect("reads");
    let words: Vec<_> = open.iter().map(|row| row.found.to_string()).collect();
    assert!(
        words.iter().any(|text| text.contains("captured EUR 19.90 here and EUR 10.00 there")),
        "{words:#?}"
    );
    let url = format!("http://{}/v1/payments/breaks", shop.app().address);
    let told = super::notifications::get(&url).await;
    let orphan = told["breaks"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["kind"] == "orphan")
        .expect("it is told")
        .clone();
    assert_eq!(orphan["capturable_minor"], 1990, "{orphan}");
    assert_eq!((&orphan["day"], orphan.get("closed_at")), (&json!("2026-11-27"), None));
    fake.state.lock().unwrap().intents = before;
    assert_eq!(breaks(&shop).await, Vec::<String>::new());
    assert_eq!(records.count_open().await.expect("reads"), 0);
    let all = records.list(BreakFilter { closed: true, limit: 100 }).await.expect("reads");
    assert_eq!((all.len(), all.iter().filter(|row| row.closed_at.is_some()).count()), (7, 7));
    shop.leaves().await;
}

// breaks: a round that compares every time it comes, or never after a fault
async fn yesterday_is_compared_once_whoever_comes(on: On) {
    let (shop, fake) = shop(on).await;
    sells(&shop, &["pm_card_visa"]).await;
    let error = json!({"type": "api_error"});
    fake.next("GET /v1/payment_intents", super::fake::Trouble::Says(500, error));
    assert_eq!(reconciler(&shop).round().await.expect("the ledger answers"), 0);
    assert_eq!(reconciler(&shop).round().await.expect("the ledger answers"), 1);
    assert_eq!(reconciler(&shop).round().await.expect("the ledger answers"), 0);
    let bank: Arc<dyn doorbuster::payment::Gateway> = shop.bank.clone();
    let Reconciler { store, records, clock, .. } = reconciler(&shop);
    let (store, records, clock) = (store.clone(), records.clone(), clock.clone());
    let listless = Reconciler { store, records, gateways: Gateways::only(bank), clock };
    assert_eq!(listless.round().await.expect("the ledger answers"), 0, "it has no list");
    shop.leaves().await;
}

// breaks: a command that ends well although something differs
async fn the_command_lists_what_differs_and_fails(on: On) {
    let (shop, fake) = shop(on).await;
    let attempts = sells(&shop, &["pm_card_visa"]).await;
    let (config, _folder) = (shop.config().clone(), shop.folder());
    shop.leaves().await;
    let run = async |day: &str, gateway: Option<&str>| {
        let mut out = Vec::new();
        let gateway = gateway.map(str::to_owned);
        let asked = Reconcile { day: Some(day.to_owned()), gateway };
        let ended = reconcile::run(&asked, &config, &mut out).await;
        let text = String::from_utf8(out).expect("text");
        (ended.map_err(|error| error.to_string()), text)
    };
    let agreed = run("2026-11-27", None).await;
    let line = "2026-11-27  stripe: 1 compared, 0 of others, 0 differ\n";
    assert_eq!(agreed, (Ok(()), line.to_owned()));
    change(&fake, &attempts[0], |intent| intent["amount_received"] = json!(0));
    let (ended, text) = run("2026-11-27", Some("stripe")).await;
    assert!(ended.expect_err("it differs").contains("1 payments differ"));
    assert!(text.contains("captured EUR 19.90 here and EUR 0.00 there"), "{text}");
    let (ended, _) = run("yesterday", None).await;
    assert!(ended.expect_err("no day").contains("write it as 2026-11-27"));
    let (ended, _) = run("2026-11-27", Some("strip")).await;
    assert!(ended.expect_err("no gateway").contains("there are: stripe"));
}
