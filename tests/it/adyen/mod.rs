//! Adyen, from the shopper to the books, against a fake of our own: the faults that others have had
//! with it, each by its name.

pub(crate) mod fake;
mod faults;
mod forgeries;
mod notifications;
mod schema;

use doorbuster::{
    config::GatewaySettings,
    ledger::row::AttemptRow,
    outbound::{Client, Exchange, Method, OutboundSettings},
};
use serde_json::{Value, json};
use std::time::Duration;

use crate::shop::{On, TestShop};
use fake::{Fake, HMAC_KEY, KEY, MERCHANT, signed};

/// What Adyen's component in the browser makes of a card.
pub(crate) fn card(word: &str) -> String {
    json!({ "paymentMethod": { "type": "scheme", "encryptedCardNumber": word },
        "browserInfo": { "language": "de-DE", "userAgent": "x", "acceptHeader": "*/*",
            "colorDepth": 24, "screenHeight": 800, "screenWidth": 600, "timeZoneOffset": 0,
            "javaEnabled": false } })
    .to_string()
}

/// The account at this address, as its owner writes it into the configuration.
fn settings(url: &str) -> GatewaySettings {
    let text = format!(
        "name = \"adyen\"\nkind = \"adyen\"\napi_key = \"{KEY}\"\n\
         merchant_account = \"{MERCHANT}\"\nhmac_key = \"{HMAC_KEY}\"\nurl = \"{url}\""
    );
    toml::from_str(&text).expect("settings of a gateway")
}

/// An empty shop whose money Adyen moves.
async fn shop(on: On) -> (TestShop, Fake) {
    let fake = Fake::start();
    let gateway = settings(&fake.url);
    let shop = on.shop_with(move |config| config.payment.gateways = vec![gateway]).await;
    (shop, fake)
}

/// Posts bytes to the shop's address for Adyen.
async fn post(shop: &TestShop, body: Vec<u8>) -> (u16, String) {
    let url = format!("http://{}/webhooks/adyen", shop.app().address);
    ask(Method::Post, &url, Some(body)).await
}

async fn ask(method: Method, url: &str, body: Option<Vec<u8>>) -> (u16, String) {
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let exchange = Exchange { method, url, headers: &[], body };
    let answer = client.exchange(exchange, Duration::from_secs(10)).await.expect("it answers");
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

/// Notifications in one batch, signed.
pub(crate) fn batch(items: &[Value]) -> Value {
    let wrapped = |item: &Value| json!({ "NotificationRequestItem": signed(HMAC_KEY, item) });
    let items: Vec<_> = items.iter().map(wrapped).collect();
    json!({ "live": "false", "notificationItems": items })
}

/// Adyen tells these in one batch, and they are looked into.
async fn tell(shop: &TestShop, items: &[Value]) {
    let told = post(shop, batch(items).to_string().into_bytes()).await;
    assert_eq!(told, (200, "[accepted]".to_owned()));
    looks(shop).await;
}

/// Looks into everything that is due, and once more for what is due a little later.
async fn looks(shop: &TestShop) {
    for _ in 0..3 {
        shop.app().notifications.round().await.expect("the ledger answers");
        shop.clock.advance(Duration::from_secs(2));
    }
}

/// Adyen tells everything that has happened since it told last.
async fn tell_all(shop: &TestShop, fake: &Fake) {
    let items = fake.untold();
    if !items.is_empty() {
        tell(shop, &items).await;
    }
}

/// Debts are asked for, and Adyen tells how they ended.
async fn settled(shop: &TestShop, fake: &Fake) {
    let far = shop.now().plus(Duration::from_secs(3600));
    for _ in 0..400 {
        tell_all(shop, fake).await;
        let due = shop.store().list_due_operations(far, 100).await.expect("the ledger answers");
        if due.is_empty() {
            return;
        }
        due.into_iter().for_each(|due| shop.app().desk.collector.collect(due));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("debts are still due:\n{}", shop.state().await);
}

async fn attempts(shop: &TestShop) -> Vec<AttemptRow> {
    shop.store().list_attempts(None, 100).await.expect("the ledger answers")
}

/// The buyer comes back from the bank with what it gave them.
async fn returns(shop: &TestShop, attempt: &AttemptRow, result: &str) -> String {
    let address = shop.app().address;
    let url = format!("http://{address}/payments/return/{}?redirectResult={result}", attempt.id);
    let (status, page) = ask(Method::Get, &url, None).await;
    assert_eq!(status, 200, "{page}");
    page
}
