//! How long an authorization lasts is PayPal's to say.

use doorbuster::config::{Capture, GatewaySettings};
use std::time::Duration;

use super::fake::{CLIENT, Fake, SECRET, payments};
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    it_is_told_and_let_go_while_paypal_still_honours_it,
    what_another_gateway_keeps_for_longer_stays,
);

/// An account at this address, as its owner writes it into the configuration.
fn settings(url: &str) -> GatewaySettings {
    let account = format!("client_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\nsandbox = true");
    let text = format!("name = \"paypal\"\nkind = \"paypal\"\nurl = \"{url}\"\n{account}");
    toml::from_str(&text).expect("settings of a gateway")
}

/// What was told of one order's payment, and how much PayPal has reserved.
async fn told(shop: &TestShop) -> Vec<String> {
    let events = shop.store().list_unsent_events(100).await.expect("reads");
    events.into_iter().map(|event| event.kind).filter(|kind| kind.starts_with("payment.")).collect()
}

async fn hours(shop: &TestShop, hours: u64) {
    shop.clock.advance(Duration::from_secs(hours * 60 * 60));
    // A round looks at a day of authorizations at most, and a process that starts at a week.
    for _ in 0..9 {
        shop.app().keeper.round().await.expect("the ledger answers");
    }
    shop.debts_are_paid().await;
}

// breaks: a lapse counted by the configured time alone
async fn it_is_told_and_let_go_while_paypal_still_honours_it(on: On) {
    let fake = Fake::start();
    let gateway = settings(&fake.url);
    let shop = on
        .shop_with(move |config| {
            config.payment.gateways = vec![gateway];
            config.checkout.capture = Capture::Manual;
        })
        .await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let answer = ada.pays("paypal:8kk8451t").await;
    assert!(answer.says("\"completed\""), "{}", answer.text());
    hours(&shop, 47).await;
    assert_eq!(told(&shop).await, Vec::<String>::new());
    hours(&shop, 2).await;
    assert_eq!(told(&shop).await, ["payment.expiring"]);
    hours(&shop, 22).await;
    assert_eq!(told(&shop).await, ["payment.expiring"], "once, and it is honoured yet");
    hours(&shop, 2).await;
    assert_eq!(told(&shop).await, ["payment.expiring", "payment.voided"]);
    assert_eq!(payments(&fake.order(), "authorizations")[0]["status"], "VOIDED");
    shop.leaves().await;
}

// breaks: one gateway's time taken for all
async fn what_another_gateway_keeps_for_longer_stays(on: On) {
    let shop = on.shop_with(|config| config.checkout.capture = Capture::Manual).await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("success_token").await.text();
    hours(&shop, 5 * 24).await;
    assert_eq!(told(&shop).await, Vec::<String>::new());
    hours(&shop, 26).await;
    assert_eq!(told(&shop).await, ["payment.expiring"]);
    shop.leaves().await;
}
