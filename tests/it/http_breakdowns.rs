//! What a breakdown says of taxes that prices contain and of what shipping costs, over all
//! protocols.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{
    http_acp as acp,
    http_shop::Shop,
    http_storefront::{furnish, sent_to, with},
    http_ucp as ucp, http_ucp01 as ucp01,
};

/// A German address as the agentic protocol spells it.
fn acp_home() -> Value {
    json!({"name": "Ada King", "phone_number": "15551234567", "address": {
        "name": "Ada King", "line_one": "1 Main St", "city": "Berlin", "state": "",
        "country": "DE", "postal_code": "10115"}})
}

/// Opens one checkout of these lines over each protocol, sent to Germany.
async fn opened(shop: &Shop, lines: &[(&str, u32)], option: Option<&str>) -> [Value; 3] {
    let wish = with(ucp::cart(lines), "fulfillment", sent_to("DE", option));
    let one = shop.post(ucp::SESSIONS, &wish).await.json();
    let two = ucp01::created(shop, &ucp01::items(lines)).await;
    let sent = ucp01::sent(ucp01::home("DE"), Some("dest_1"), option);
    let two = ucp01::update(shop, &two, &[("fulfillment", sent)]).await;
    let wish = with(acp::items(lines), "fulfillment_details", acp_home());
    let mut three = acp::created(shop, &wish).await;
    if let Some(option) = option {
        let choice = json!({"selected_fulfillment_options": [
            {"type": "shipping", "option_id": option, "item_ids": [lines[0].0]}]});
        three = acp::say(shop, "POST", &acp::path_of(&three), &choice).await.json();
    }
    [one, two, three]
}

fn of<'a>(body: &'a Value, kind: &str) -> Vec<&'a Value> {
    let totals = body["totals"].as_array().expect("totals");
    totals.iter().filter(|total| total["type"] == kind).collect()
}

/// The one amount of this kind.
fn amount(body: &Value, kind: &str) -> i64 {
    let [one] = of(body, kind)[..] else { panic!("one {kind}: {body:#}") };
    one["amount"].as_i64().expect("whole")
}

fn tells_vat(body: &Value) {
    let [tax] = of(body, "tax")[..] else { panic!("one tax: {body:#}") };
    // Of 19.90 those are 19/119; shipping is taxed by rates of its own, of which there are none.
    assert_eq!(tax["display_text"], "VAT 19% (included): EUR 3.18", "{body:#}");
    assert_eq!(tax["amount"], 0, "platforms add up what they are told: {body:#}");
    assert_eq!(amount(body, "total"), 2_980, "{body:#}");
}

// breaks: `entries` that passes over taxes that are included, or adds them
#[actix_web::test]
async fn a_tax_that_prices_contain_is_told_and_adds_nothing() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let bodies = opened(&shop, &[("TEE", 1)], Some("express")).await;
    for body in &bodies {
        tells_vat(body);
    }
    for body in &bodies[..2] {
        assert_eq!(of(body, "tax")[0]["included_amount"], 318, "{body:#}");
    }
    let described = of(&bodies[2], "tax")[0]["description"].as_str().expect("a text");
    assert!(described.contains("Contained in the prices"), "{described}");
    // And so do their orders.
    let paths = [ucp::SESSIONS, ucp01::SESSIONS, acp::SESSIONS];
    let pays = [ucp::pay("success_token"), ucp01::pay("success_token"), acp::pay("success_token")];
    for ((path, pay), body) in paths.iter().zip(pays).zip(&bodies) {
        let complete = format!("{path}/{}/complete", body["id"].as_str().expect("an id"));
        let paid = match *path {
            ucp::SESSIONS => shop.post(&complete, &pay).await,
            ucp01::SESSIONS => ucp01::say(&shop, "POST", &complete, &pay).await,
            _ => acp::say(&shop, "POST", &complete, &pay).await,
        };
        tells_vat(&paid.json());
        let order = paid.json()["order"]["id"].as_str().expect("an order").to_owned();
        tells_vat(&match *path {
            ucp::SESSIONS => shop.get(&format!("/ucp/orders/{order}")).await.json(),
            ucp01::SESSIONS => {
                let path = format!("{}/orders/{order}", ucp01::ENDPOINT);
                ucp01::say(&shop, "GET", &path, &Value::Null).await.json()
            }
            _ => acp::read(&shop, &format!("/acp/orders/{order}")).await.json(),
        });
    }
}

/// Shipping is free for caps, from five euros on.
async fn caps_are_sent_for_nothing(shop: &Shop) {
    let item = json!({"title": "Caps fly", "products": ["CAP"], "currency": "EUR",
        "minimum_subtotal_minor": 500, "benefit": {"kind": "free_shipping"}});
    assert_eq!(shop.ask(Method::PUT, "/v1/discounts/caps", &item).await.status, 200);
    shop.sells("CAP", 900, doorbuster::catalog::StockPolicy::Tracked, 9).await;
}

/// What is taken off sending it, however it is told.
fn sent_off(body: &Value) -> i64 {
    of(body, "discount").iter().map(|one| one["amount"].as_i64().expect("whole").abs()).sum()
}

// breaks: `sends_anything_of` that says yes, no minimum for free shipping
#[actix_web::test]
async fn free_shipping_is_for_the_products_it_names() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    caps_are_sent_for_nothing(&shop).await;
    for body in opened(&shop, &[("TEE", 1)], Some("standard")).await {
        assert_eq!((sent_off(&body), amount(&body, "total")), (0, 2_480), "{body:#}");
    }
    for body in opened(&shop, &[("CAP", 1)], Some("standard")).await {
        assert_eq!((sent_off(&body), amount(&body, "total")), (490, 900), "{body:#}");
    }
    let dearer = json!({"title": "Caps fly", "products": ["CAP"], "currency": "EUR",
        "minimum_subtotal_minor": 901, "benefit": {"kind": "free_shipping"}});
    assert_eq!(shop.ask(Method::PUT, "/v1/discounts/caps", &dearer).await.status, 200);
    for body in opened(&shop, &[("CAP", 1)], Some("standard")).await {
        assert_eq!((sent_off(&body), amount(&body, "total")), (0, 1_390), "{body:#}");
    }
}

// breaks: `cost_of` that says `option.minor`
#[actix_web::test]
async fn an_option_says_what_choosing_it_costs() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    caps_are_sent_for_nothing(&shop).await;
    for (sku, costs) in [("TEE", [490, 990]), ("CAP", [0, 0])] {
        let [one, two, three] = opened(&shop, &[(sku, 1)], None).await;
        let groups =
            |body: &Value| body["fulfillment"]["methods"][0]["groups"][0]["options"].clone();
        for options in [groups(&one), groups(&two), three["fulfillment_options"].clone()] {
            let options = options.as_array().expect("options");
            let total = |option: &Value| {
                let last = option["totals"].as_array().and_then(|all| all.last()).expect("a total");
                last["amount"].as_i64().expect("whole")
            };
            assert_eq!(options.iter().map(total).collect::<Vec<_>>(), costs, "{options:#?}");
        }
    }
}
