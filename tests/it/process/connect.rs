//! "Connect Stripe", "Connect PayPal" and "Connect Adyen", followed as they are written, against
//! gateways of our own: the settings of the document, the compiled service, a purchase, and what it
//! says to wrong keys, wrong webhook secrets and a clock that is off.

use doorbuster::base::{AnchoredClock, Clock};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};

use super::{
    house::{House, Setup},
    till::{fresh_key, text},
};
use crate::{adyen, paypal, stripe};

/// How long a movement of money is waited for: it follows the answer to the buyer.
const PATIENCE: u32 = 200;

/// The first TOML block of a section, with our account in it: a value for each key of the account,
/// and where it is.
fn written(section: &str, url: &str, account: &[(&str, &str)]) -> String {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PAYMENTS.md");
    let document = fs::read_to_string(document).expect("the document is there");
    let (_, section) = document.split_once(&format!("## {section}\n")).expect("a section");
    let (_, block) = section.split_once("```toml\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    let mut settings = String::new();
    for line in block.lines().map(str::trim) {
        let key = line.split(" = ").next().unwrap_or_default();
        match account.iter().find(|(name, _)| *name == key) {
            Some((name, value)) => settings.push_str(&format!("{name} = \"{value}\"\n")),
            None => settings.push_str(&format!("{line}\n")),
        }
    }
    settings.push_str(&format!("url = \"{url}\"\n"));
    settings
}

/// The service with these settings, which `check-config` takes and prints without its secret.
async fn open(folder: &Path, settings: &str, secret: &str) -> House {
    fs::write(folder.join("shop.toml"), settings).expect("written");
    let setup = Setup::new(folder);
    let known = setup.done(&["check-config", "--config", "shop.toml"]);
    assert!(known.contains("payment.gateways") && !known.contains(secret), "{known}");
    setup.fill(&[("TEE", 5)]);
    setup.start_as(&["--config", "shop.toml"], "doorbuster serves ").await
}

/// Buys a shirt, and tells the answer.
async fn buys(house: &House, token: &str) -> (u16, Value) {
    let order = json!({
        "lines": [{"sku": "TEE", "quantity": 1}],
        "buyer": {"email": "ada@example.com"}, "payment": {"token": token},
    });
    let told = house.till().post(&fresh_key(), "/v1/orders", &order).await.expect("it answers");
    (told.status, serde_json::from_slice(&told.body).unwrap_or(Value::Null))
}

/// Waits until the order's payment stands there.
async fn until_payment_is(house: &House, order: &Value, state: &str) {
    let path = format!("/v1/orders/{}", order["id"].as_str().expect("an order"));
    let mut seen = Value::Null;
    for _ in 0..PATIENCE {
        seen = house.till().json(&path).await;
        if seen["payment"] == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is not {state}: {seen}");
}

// breaks: a key that the document spells otherwise, or a refusal that says not what to do
#[actix_web::test]
async fn connect_stripe_is_followed_as_it_is_written() {
    use stripe::fake::{Fake, Trouble};
    let (fake, folder) = (Fake::start(), tempfile::tempdir().expect("a folder"));
    let account = [("secret_key", "sk_test_shop"), ("webhook_secret", stripe::SECRET)];
    let settings = written("Connect Stripe", &fake.url, &account);
    let house = open(folder.path(), &settings, "sk_test_shop").await;
    // A wrong key says what to do.
    let error = json!({"type": "invalid_request_error", "message": "Invalid API Key"});
    fake.next("POST /v1/payment_intents", Trouble::Says(401, error));
    let (status, told) = buys(&house, "pm_card_visa").await;
    assert!(status == 503 || told.to_string().contains("could not be reached"), "{told}");
    house.logs("compare `secret_key` of this gateway").await;
    let (status, order) = buys(&house, "pm_card_visa").await;
    assert_eq!(status, 201, "{order}");
    until_payment_is(&house, &order, "captured").await;
    assert_eq!(fake.intents()[0]["metadata"]["order"], order["id"]);
    // A wrong secret of the webhook and a clock that is off say what to do.
    let event =
        stripe::notifications::event("evt_1", "payment_intent.succeeded", &fake.intents()[0]);
    let tell = async |secret: &str, late: i64| {
        let at = AnchoredClock::from_system().now().micros() / 1_000_000 - late;
        let header = stripe::notifications::signed(secret, at, &event.to_string());
        let headers = [("stripe-signature", header.as_str())];
        let told = house.till().post_with(&headers, "/webhooks/stripe", &event).await;
        text(&told.expect("it answers"))
    };
    let told = tell("whsec_other", 0).await;
    assert!(told.starts_with("401") && told.contains("compare it with the"), "{told}");
    let told = tell(stripe::SECRET, 600).await;
    assert!(told.starts_with("401") && told.contains("compare the clock"), "{told}");
    assert!(tell(stripe::SECRET, 0).await.starts_with("200"));
    house.stop().await;
}

// breaks: a key that the document spells otherwise, or a page that does not go on with the payment
#[actix_web::test]
async fn connect_paypal_is_followed_as_it_is_written() {
    use paypal::fake::{CLIENT, Fake, SECRET, Trouble};
    let (fake, folder) = (Fake::start(), tempfile::tempdir().expect("a folder"));
    let account =
        [("client_id", CLIENT), ("client_secret", SECRET), ("webhook_id", paypal::WEBHOOK)];
    let settings = written("Connect PayPal", &fake.url, &account);
    let house = open(folder.path(), &settings, SECRET).await;
    // A wrong secret says what to do.
    fake.next("oauth2/token", Trouble::Says(401, json!({"error": "invalid_client"})));
    let (_, told) = buys(&house, "redirect").await;
    assert!(told.to_string().contains("could not be reached"), "{told}");
    house.logs("compare `client_id` and `client_secret` of this gateway").await;
    let (_, told) = buys(&house, "redirect").await;
    assert!(told.to_string().contains("checkoutnow?token="), "{told}");
    // The buyer agrees, and comes back to our page.
    fake.approve();
    let attempt = fake.order()["purchase_units"][0]["custom_id"].clone();
    let attempt = attempt.as_str().expect("its name").to_owned();
    let page = house.till().get(&format!("/payments/return/{attempt}")).await.expect("it answers");
    assert!(text(&page).contains("Thank you"), "{}", text(&page));
    assert_eq!(fake.authorizations(), 1);
    house.stop().await;
}

// breaks: a key that the document spells otherwise, or a capture that nobody hears of
#[actix_web::test]
async fn connect_adyen_is_followed_as_it_is_written() {
    use adyen::fake::{Fake, HMAC_KEY, KEY, MERCHANT, Trouble, signed};
    let (fake, folder) = (Fake::start(), tempfile::tempdir().expect("a folder"));
    let account = [("api_key", KEY), ("merchant_account", MERCHANT), ("hmac_key", HMAC_KEY)];
    let settings = written("Connect Adyen", &fake.url, &account);
    let house = open(folder.path(), &settings, KEY).await;
    // A wrong key says what to do.
    fake.next("/payments", Trouble::Says(401, json!({"status": 401, "errorCode": "000"})));
    let (_, told) = buys(&house, &adyen::card("good")).await;
    assert!(told.to_string().contains("could not be reached"), "{told}");
    house.logs("compare `api_key` and `merchant_account` of this gateway").await;
    let (status, order) = buys(&house, &adyen::card("good")).await;
    assert_eq!(status, 201, "{order}");
    for _ in 0..PATIENCE {
        if !fake.calls("/captures").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let items = fake.untold();
    let tell = async |body: &Value| {
        text(&house.till().post_with(&[], "/webhooks/adyen", body).await.expect("it answers"))
    };
    // Another webhook's key says what to do.
    let other =
        json!({ "NotificationRequestItem": signed(&HMAC_KEY.replace('0', "1"), &items[0]) });
    let told = tell(&json!({ "live": "false", "notificationItems": [other] })).await;
    assert!(told.starts_with("401") && told.contains("compare it with the key"), "{told}");
    assert_eq!(tell(&adyen::batch(&items)).await, "200 [accepted]");
    until_payment_is(&house, &order, "captured").await;
    assert_eq!(Some(fake.taken()), fake.payments()[0].amount["value"].as_i64());
    house.stop().await;
}
