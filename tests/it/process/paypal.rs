//! "Connect PayPal", followed as it is written, against a PayPal of our own.

use serde_json::json;
use std::{fs, path::Path};

use super::{house::Setup, till::fresh_key};
use crate::paypal::fake::{CLIENT, Fake, SECRET, Trouble};

/// The first TOML block of the section, with our account in it.
fn written(fake: &Fake) -> String {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PAYMENTS.md");
    let document = fs::read_to_string(document).expect("the document is there");
    let (_, section) = document.split_once("## Connect PayPal").expect("a section");
    let (_, block) = section.split_once("```toml\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    let mut settings = String::new();
    for line in block.lines().map(str::trim) {
        let ours = match line.split(" = ").next() {
            Some("client_id") => format!("client_id = \"{CLIENT}\"\nurl = \"{}\"", fake.url),
            Some("client_secret") => format!("client_secret = \"{SECRET}\""),
            Some("webhook_id") => "webhook_id = \"5GP028458E2496506\"".to_owned(),
            _ => line.to_owned(),
        };
        settings.push_str(&ours);
        settings.push('\n');
    }
    settings
}

// breaks: a key that the document spells otherwise, or a page that does not go on with the payment
#[actix_web::test]
async fn connect_paypal_is_followed_as_it_is_written() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().expect("a folder"));
    fs::write(folder.path().join("shop.toml"), written(&fake)).expect("written");
    let setup = Setup::new(folder.path());
    let file = ["--config", "shop.toml"];
    let known = setup.done(&["check-config", "--config", "shop.toml"]);
    assert!(known.contains("paypal") && !known.contains(SECRET), "{known}");
    setup.fill(&[("TEE", 5)]);
    let house = setup.start_as(&file, "doorbuster serves ").await;
    let till = house.till();
    let order = json!({
        "lines": [{"sku": "TEE", "quantity": 1}],
        "buyer": {"email": "ada@example.com"}, "payment": {"token": "redirect"},
    });
    let buys = async || {
        let told = till.post(&fresh_key(), "/v1/orders", &order).await.expect("it answers");
        format!("{} {}", told.status, String::from_utf8_lossy(&told.body))
    };
    // A wrong secret says what to do.
    fake.next("oauth2/token", Trouble::Says(401, json!({"error": "invalid_client"})));
    let told = buys().await;
    assert!(told.contains("could not be reached"), "{told}");
    house.logs("compare `client_id` and `client_secret` of this gateway").await;
    let told = buys().await;
    assert!(told.contains("checkoutnow?token="), "{told}");
    // The buyer agrees, and comes back to our page.
    fake.approve();
    let attempt = fake.order()["purchase_units"][0]["custom_id"].clone();
    let attempt = attempt.as_str().expect("its name").to_owned();
    let page = till.get(&format!("/payments/return/{attempt}")).await.expect("it answers");
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(page.contains("Thank you"), "{page}");
    assert_eq!(fake.authorizations(), 1);
    house.stop().await;
}
