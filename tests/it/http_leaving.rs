//! Products that leave, and settings that can do nothing.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, created, pay},
};

async fn removed(shop: &Shop, sku: &str) -> Value {
    let answer = shop.ask(Method::DELETE, &format!("/v1/products/{sku}"), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

// breaks: archive whatever goes in `product_removal::remove`
#[actix_web::test]
async fn a_product_is_deleted_and_tells_what_referred_to_it() {
    let shop = Shop::open().await;
    shop.sells("MUG", 700, StockPolicy::Tracked, 5).await;
    let price = shop.ask(Method::PUT, "/v1/price-lists/USD/MUG", &json!({"minor": 8})).await;
    assert_eq!(price.status, 200);
    let discount = json!({"title": "D", "products": ["MUG"],
        "benefit": {"kind": "percent", "basis_points": 100}});
    assert_eq!(shop.ask(Method::PUT, "/v1/discounts/d", &discount).await.status, 200);
    let told = shop.get("/v1/products/MUG/references").await.json();
    let expected = json!({"orders": [], "on_hand": 5, "held": 0, "sold": 0, "discounts": ["d"],
        "price_lists": ["USD"]});
    assert_eq!(told, expected);
    let gone = removed(&shop, "MUG").await;
    assert_eq!((&gone["archived"], &gone["references"]), (&json!(false), &expected));
    shop.get("/v1/products/MUG").await.problem(404, "not_found");
    shop.get("/v1/products/MUG/references").await.problem(404, "not_found");
    assert_eq!(shop.get("/v1/price-lists/USD").await.json()["items"], json!([]));
    assert_eq!(removed(&shop, "MUG").await["archived"], false, "gone already is as good");
}

// breaks: delete what orders name or checkouts hold, or list what is archived
#[actix_web::test]
async fn a_product_that_orders_name_is_archived_and_comes_back_when_it_is_put() {
    let shop = Shop::open().await;
    let (session, _) = created(&shop, &[("TEE", 1)]).await;
    assert_eq!(removed(&shop, "TEE").await["archived"], true);
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    let order = paid["order"]["id"].as_str().expect("an order").to_owned();
    let again = removed(&shop, "TEE").await;
    let named = (&again["archived"], &again["references"]["orders"]);
    assert_eq!(named, (&json!(true), &json!([order])));
    let listed = shop.get("/v1/products").await.json().to_string();
    assert!(!listed.contains("\"TEE\""), "{listed}");
    let found = shop.get("/v1/products?q=TEE").await.json().to_string();
    assert!(!found.contains("\"TEE\""), "{found}");
    let archived = shop.get("/v1/products?archived=true").await.json();
    assert_eq!(archived["items"][0]["sku"], "TEE", "{archived}");
    assert!(archived["items"][0]["archived_at"].is_string(), "{archived}");
    let exported = String::from_utf8(shop.get("/v1/exports/products").await.bytes).expect("UTF-8");
    assert!(!exported.contains("\nTEE,"), "{exported}");
    let refused = shop.post(SESSIONS, &cart(&[("TEE", 1)])).await.json();
    assert!(refused.to_string().contains("item_unavailable"), "{refused}");
    assert_eq!(shop.get(&format!("/v1/orders/{order}")).await.status, 200);
    let product = json!({"title": "Tee", "price": {"minor": 5, "currency": "EUR"}});
    let back = shop.ask(Method::PUT, "/v1/products/TEE", &product).await.json();
    assert_eq!((&back["active"], &back["archived_at"]), (&json!(true), &Value::Null));
    assert_eq!(shop.get("/v1/products?archived=true").await.json()["items"], json!([]));
}

async fn warned(shop: &Shop, path: &str, body: &Value) -> Vec<String> {
    let answer = shop.ask(Method::PUT, &format!("/v1/{path}"), body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    let warnings = answer.json()["warnings"].clone();
    warnings.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn has(warnings: &[String], text: &str) -> bool {
    warnings.iter().any(|one| one.contains(text))
}

// breaks: leave a case out of `checkout::warnings`
#[actix_web::test]
async fn a_setting_that_can_do_nothing_is_saved_with_a_warning() {
    let shop = Shop::open().await;
    let benefit = json!({"kind": "percent", "basis_points": 100});
    for (more, told) in [
        (json!({"ends_at": "2020-01-01T00:00:00Z"}), "It ended at 2020"),
        (json!({"active": false}), "not active"),
        (json!({"usage_limit": 0}), "nobody can use it"),
        (json!({"products": ["TEE", "NO-SUCH"]}), "There is no product `NO-SUCH`"),
        (json!({"products": ["NO-SUCH"]}), "It concerns no product"),
        (json!({"categories": ["Nowhere"]}), "No product has the category `Nowhere`"),
    ] {
        let mut body = json!({"title": "D", "benefit": benefit});
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let warnings = warned(&shop, "discounts/d", &body).await;
        assert!(has(&warnings, told), "{body}: {warnings:?}");
    }
    let fine = json!({"title": "D", "benefit": benefit, "products": ["TEE"]});
    assert_eq!(warned(&shop, "discounts/d", &fine).await, [""; 0]);
    let rate = json!({"title": "R", "service": "standard", "amount_minor": 1, "currency": "EUR",
        "max_weight_grams": 0});
    assert!(has(&warned(&shop, "shipping-rates/r", &rate).await, "never offered"));
    let rate = json!({"title": "R", "service": "standard", "amount_minor": 1, "currency": "EUR",
        "max_subtotal_minor": 0});
    assert!(has(&warned(&shop, "shipping-rates/r", &rate).await, "No value of goods"));
    let place = json!({"title": "P", "active": false, "address": {"address_country": "DE"}});
    assert!(has(&warned(&shop, "pickup-locations/p", &place).await, "not active"));
    let tax = json!({"title": "T", "basis_points": 1, "active": false});
    assert!(has(&warned(&shop, "tax-rates/t", &tax).await, "not active"));
    let entry = json!({"value": "203.0.113.9", "expires_at": "2020-01-01T00:00:00Z"});
    let saved = shop.post("/v1/lists/blocked_ips/entries", &entry).await.json();
    assert!(saved["warnings"][0].as_str().is_some_and(|text| text.contains("expired")), "{saved}");
}

// breaks: show the ledger's refusal in `tariff::save`
#[actix_web::test]
async fn a_limit_below_the_uses_there_are_speaks_of_the_discount() {
    let shop = Shop::open().await;
    let of = |limit: u32| {
        json!({"title": "Ten", "usage_limit": limit, "currency": "EUR",
            "benefit": {"kind": "fixed", "amount_minor": 100}})
    };
    assert_eq!(shop.ask(Method::PUT, "/v1/discounts/ten", &of(3)).await.status, 200);
    for _ in 0..2 {
        created(&shop, &[("TEE", 1)]).await;
    }
    let refused = shop.ask(Method::PUT, "/v1/discounts/ten", &of(1)).await;
    let problem = refused.problem(409, "stock_promised");
    let detail = problem["detail"].as_str().expect("a sentence");
    assert!(detail.contains("2 uses of the discount `ten`") && !detail.contains('~'), "{detail}");
    assert_eq!(problem["pointer"], "/usage_limit");
    let file = "{\"id\":\"ten\",\"usage_limit\":1}\n";
    let request = TestRequest::post()
        .uri("/v1/imports/discounts?format=jsonl")
        .insert_header(("content-length", file.len()))
        .insert_header(("idempotency-key", "lower"));
    let done = shop.send(request.set_payload(file)).await.json();
    let reason = done["refused"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("discount `ten`") && !reason.contains('~'), "{done}");
}
