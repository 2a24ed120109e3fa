//! Countries and their parts as people spell them, over every protocol: taxes and rates go by the
//! codes, and what nobody knows is refused where it stands.

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use super::{
    http_acp,
    http_shop::{Answer, Shop, fresh_key},
    http_storefront::with,
    http_ucp, http_ucp01,
    http_v1::order,
};

const PROTOCOLS: [&str; 4] = ["v1", "ucp", "ucp01", "acp"];

/// One tee to an address there.
async fn sends(shop: &Shop, protocol: &str, country: &str, region: &str) -> Answer {
    let address = json!({"street_address": "1 Main St", "address_locality": "Town",
        "address_country": country, "address_region": region, "postal_code": "90001"});
    let one = |id: &str| with(address.clone(), "id", json!(id));
    let sent = |id| {
        json!({"methods": [{"type": "shipping", "destinations": [one(id)],
        "selected_destination_id": id}]})
    };
    let lines = [("TEE", 1)];
    match protocol {
        "v1" => {
            let body = with(order(&lines, "success_token"), "shipping_address", address);
            shop.post("/v1/orders", &body).await
        }
        "ucp" => {
            let body = with(http_ucp::cart(&lines), "fulfillment", sent("home"));
            shop.post(http_ucp::SESSIONS, &body).await
        }
        "ucp01" => {
            let body = with(http_ucp01::items(&lines), "fulfillment", sent("dest_1"));
            http_ucp01::say(shop, "POST", http_ucp01::SESSIONS, &body).await
        }
        _ => {
            let address = json!({"name": "Ada King", "line_one": "1 Main St", "city": "Town",
                "state": region, "country": country, "postal_code": "90001"});
            let details = json!({"name": "Ada King", "address": address});
            let body = with(http_acp::items(&lines), "fulfillment_details", details);
            http_acp::say(shop, "POST", http_acp::SESSIONS, &body).await
        }
    }
}

/// What the answer says it comes to.
fn total(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 201, "{answer:?}");
    let body = answer.json();
    if let Some(total) = body["total"].as_i64() {
        return total;
    }
    let totals = body["totals"].as_array().expect("totals").iter();
    let total =
        totals.filter(|total| total["type"] == "total").find_map(|one| one["amount"].as_i64());
    total.expect("a total")
}

/// What is shown of it, its address included.
async fn shown(shop: &Shop, protocol: &str, answer: &Answer) -> String {
    let body = answer.json();
    if protocol != "v1" {
        return body.to_string();
    }
    let path = format!("/v1/orders/{}", body["id"].as_str().expect("an id"));
    shop.get(&path).await.json().to_string()
}

async fn saves(shop: &Shop, path: &str, item: Value) -> Answer {
    shop.ask(Method::PUT, &format!("/v1/{path}"), &item).await
}

async fn furnished() -> Shop {
    let shop = Shop::open().await;
    let tax = json!({"title": "Sales tax", "countries": ["United States"],
        "regions": ["California"], "basis_points": 1_000});
    let saved = saves(&shop, "tax-rates/ca", tax).await.json();
    assert_eq!((&saved["countries"], &saved["regions"]), (&json!(["US"]), &json!(["CA"])));
    let tax = json!({"title": "VAT", "countries": ["DEU"], "basis_points": 2_000});
    assert_eq!(saves(&shop, "tax-rates/de", tax).await.json()["countries"], json!(["DE"]));
    shop
}

// breaks: reading countries and their parts as they stand, in any protocol
#[actix_web::test]
async fn taxes_are_due_however_a_place_is_spelt() {
    let shop = furnished().await;
    shop.sells("TEE", 1_000, doorbuster::catalog::StockPolicy::Tracked, 500).await;
    for protocol in PROTOCOLS {
        for (country, region, expected) in [
            ("DE", "", 1_200),
            ("DEU", "", 1_200),
            ("Germany", "Bayern", 1_200),
            (" de ", "Westfalen", 1_200),
            ("US", "CA", 1_100),
            ("USA", "California", 1_100),
            ("united states", "US-CA", 1_100),
            ("US", " california ", 1_100),
            ("US", "Nevada", 1_000),
            ("FR", "", 1_000),
        ] {
            let answer = sends(&shop, protocol, country, region).await;
            assert_eq!(total(&answer), expected, "{protocol}: {country} {region}");
            let shown = shown(&shop, protocol, &answer).await;
            let names = ["Germany", "Bayern", "united states", "US-CA"];
            assert!(!names.iter().any(|name| shown.contains(name)), "codes are kept: {shown}");
        }
    }
}

// breaks: keeping what nobody knows, in any protocol
#[actix_web::test]
async fn places_that_nobody_knows_are_refused_where_they_stand() {
    let shop = furnished().await;
    for protocol in PROTOCOLS {
        for (country, region, ucp, acp) in [
            ("Atlantis", "", "address_country", "country"),
            ("XX", "", "address_country", "country"),
            ("US", "Narnia", "address_region", "state"),
            ("DE", "US-CA", "address_region", "state"),
        ] {
            let answer = sends(&shop, protocol, country, region).await;
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            let field = if protocol == "acp" { acp } else { ucp };
            assert!(answer.status.is_client_error(), "{protocol}: {text}");
            assert!(text.contains("invalid_request") && text.contains(field), "{protocol}: {text}");
        }
    }
    let mut billed = order(&[("TEE", 1)], "success_token");
    billed["payment"]["billing_address"] = json!({"address_country": "Atlantis"});
    let problem = shop.post("/v1/orders", &billed).await.problem(422, "invalid_request");
    assert_eq!(problem["pointer"], "/payment/billing_address/address_country");
}

// breaks: keeping what a merchant says as it stands, by hand or from a file
#[actix_web::test]
async fn merchants_places_are_kept_as_codes_or_refused() {
    let shop = Shop::open().await;
    let rate = |countries: Value, regions: Value| {
        json!({"title": "Standard", "service": "standard", "countries": countries,
            "regions": regions, "amount_minor": 490, "currency": "EUR"})
    };
    for (countries, regions, at) in [
        (json!(["DE", "Atlantis"]), json!([]), "/countries/1"),
        (json!(["US"]), json!(["CA", "Narnia"]), "/regions/1"),
        (json!(["DE"]), json!(["US-CA"]), "/regions/0"),
    ] {
        let answer = saves(&shop, "shipping-rates/standard", rate(countries, regions)).await;
        assert_eq!(answer.problem(422, "invalid_request")["pointer"], at);
    }
    let kept = saves(&shop, "shipping-rates/standard", rate(json!(["Canada"]), json!(["Québec"])));
    let kept = kept.await.json();
    assert_eq!((&kept["countries"], &kept["regions"]), (&json!(["CA"]), &json!(["QC"])));
    let place = |country: &str| json!({"title": "Shop", "address": {"address_country": country}});
    let kept = saves(&shop, "pickup-locations/one", place("Deutschland")).await.json();
    assert_eq!(kept["address"]["address_country"], "DE");
    let answer = saves(&shop, "pickup-locations/one", place("Atlantis")).await;
    assert_eq!(answer.problem(422, "invalid_request")["pointer"], "/address/address_country");
    let import = |country: &str| {
        let file =
            format!("id,title,countries,basis_points\nvat,VAT,\"[\"\"{country}\"\"]\",1900\n");
        let asks = TestRequest::post().uri("/v1/imports/tax-rates").set_payload(file);
        shop.send(asks.insert_header(("idempotency-key", fresh_key())))
    };
    assert_eq!(import("Österreich").await.status, 200);
    assert_eq!(shop.get("/v1/tax-rates/vat").await.json()["countries"], json!(["AT"]));
    import("Atlantis").await.problem(422, "invalid_request");
}
