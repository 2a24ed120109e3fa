//! What we answer, held against the protocol's published schemas. The folder of the schemas is in
//! `DOORBUSTER_SPEC_DIR`; a clone of this repository does not have it, and its runner leaves this
//! file out and says so.

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};
use std::path::PathBuf;
use ucp_schema::{Direction, ResolveOptions, bundle_refs, load_schema, validate};

use super::{
    http_catalog::{ask, stocked},
    http_shop::Shop,
    http_storefront::{furnish, sent_to, with},
    http_ucp::{cart, pay},
};

/// The folder of version 2026-04-08.
fn folder() -> PathBuf {
    let root = std::env::var_os("DOORBUSTER_SPEC_DIR")
        .expect("DOORBUSTER_SPEC_DIR names the folder of the published schemas");
    let folder = PathBuf::from(root).join("ucp/2026-04-08");
    assert!(folder.is_dir(), "{} holds no schemas", folder.display());
    folder
}

/// Panics unless the answer fits the schema (`#/$defs/name` after the file, when it is one of
/// them).
fn fits(body: &Value, file: &str, operation: &str, def: Option<&str>) {
    let path = folder().join(file);
    let mut schema = load_schema(&path).expect("a schema");
    bundle_refs(&mut schema, path.parent().expect("a folder")).expect("references resolve");
    let mut options = ResolveOptions::new(Direction::Response, operation);
    options.def_name = def.map(str::to_owned);
    let verdict = validate(&schema, body, &options);
    assert!(verdict.is_ok(), "{operation} against {file}: {verdict:?}\n{body:#}");
}

fn is_checkout(body: &Value, operation: &str) {
    fits(body, "schemas/shopping/checkout.json", operation, None);
}

const SESSIONS: &str = "/ucp/checkout-sessions";

#[actix_web::test]
async fn the_profile_fits_the_schema_of_business_profiles() {
    let profile = Shop::open().await.get("/.well-known/ucp").await.json();
    fits(&profile, "discovery/profile_schema.json", "read", Some("business_profile"));
    ucp_schema::verify_bindings(&profile).expect("names belong to who serves their schemas");
}

#[actix_web::test]
async fn every_state_of_a_checkout_fits() {
    let shop = Shop::open().await;
    let created = shop.post(SESSIONS, &cart(&[("TEE", 2), ("GONE", 1)])).await.json();
    is_checkout(&created, "create");
    let session = format!("{SESSIONS}/{}", created["id"].as_str().expect("an id"));
    is_checkout(&shop.ask(Method::PUT, &session, &cart(&[("TEE", 1)])).await.json(), "update");
    is_checkout(&shop.get(&session).await.json(), "read");
    for token in ["fail_token", "challenge_token", "success_token"] {
        let complete = format!("{session}/complete");
        is_checkout(&shop.post(&complete, &pay(token)).await.json(), "complete");
    }
    let completed = shop.get(&session).await.json();
    assert_eq!(completed["status"], "completed");
    is_checkout(&completed, "read");

    let empty = json!({"line_items": []});
    let created = shop.post(SESSIONS, &empty).await.json();
    if created["id"].is_string() {
        is_checkout(&created, "create");
    } else {
        fits(&created, "schemas/shopping/types/error_response.json", "create", None);
    }
    let created = shop.post(SESSIONS, &cart(&[("TEE", 1)])).await.json();
    let session = format!("{SESSIONS}/{}", created["id"].as_str().expect("an id"));
    let canceled = shop.post(&format!("{session}/cancel"), &json!({})).await.json();
    assert_eq!(canceled["status"], "canceled");
    is_checkout(&canceled, "cancel");
}

#[actix_web::test]
async fn carts_discounts_and_deliveries_fit() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let with_codes = with(cart(&[("TEE", 2)]), "discounts", json!({"codes": ["SUMMER", "none"]}));
    let created = shop.post("/ucp/carts", &with_codes).await.json();
    fits(&created, "schemas/shopping/cart.json", "create", None);
    fits(&created, "schemas/shopping/discount.json", "create", Some("dev.ucp.shopping.cart"));
    let path = format!("/ucp/carts/{}", created["id"].as_str().expect("an id"));
    fits(&shop.get(&path).await.json(), "schemas/shopping/cart.json", "read", None);

    let body = json!({"cart_id": created["id"], "line_items": []});
    let body = with(body, "fulfillment", sent_to("DE", Some("standard")));
    let body = shop.post(SESSIONS, &body).await.json();
    is_checkout(&body, "create");
    let fits_extension = |body: &Value, operation: &str| {
        let mut body = body.clone();
        let method = &mut body["fulfillment"]["methods"][0];
        if method["type"] == "pickup" {
            // A destination must fit one of two schemas, and not both; but whatever fits the one of
            // a retail location fits the one of an address, where nothing but the id is required.
            let place = method["destinations"].take();
            let file = "schemas/shopping/types/retail_location.json";
            fits(&place[0], file, operation, None);
            method["destinations"] = json!([]);
        }
        let body = &body;
        for extension in ["discount", "fulfillment", "buyer_consent"] {
            let file = format!("schemas/shopping/{extension}.json");
            fits(body, &file, operation, Some("dev.ucp.shopping.checkout"));
        }
    };
    fits_extension(&body, "create");
    assert_eq!(body["status"], "ready_for_complete", "{body}");
    let session = format!("{SESSIONS}/{}", body["id"].as_str().expect("an id"));
    let fetched = json!({"methods": [{"type": "pickup", "selected_destination_id": "berlin"}]});
    let update = with(cart(&[("TEE", 1)]), "fulfillment", fetched);
    let body = shop.ask(Method::PUT, &session, &update).await.json();
    fits_extension(&body, "update");
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    fits_extension(&paid, "complete");
    let order = paid["order"]["id"].as_str().expect("an order");
    let order = shop.get(&format!("/ucp/orders/{order}")).await.json();
    fits(&order, "schemas/shopping/order.json", "read", None);
}

#[actix_web::test]
async fn the_catalogue_fits() {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let search = "schemas/shopping/catalog_search.json";
    let lookup = "schemas/shopping/catalog_lookup.json";
    for body in [
        json!({"query": "sail", "pagination": {"limit": 1}}),
        json!({"filters": {"price": {"min": 0}, "brand": "x"}}),
        json!({"query": "nothing"}),
    ] {
        fits(&ask(&shop, "search", &body).await, search, "search", Some("search_response"));
    }
    let body = json!({"ids": ["sail-bag", "BAG-RED-S", "TEE", "NONE"]});
    fits(&ask(&shop, "lookup", &body).await, lookup, "lookup", Some("lookup_response"));
    for body in [
        json!({"id": "sail-bag", "selected": [{"name": "Color", "label": "Red"}]}),
        json!({"id": "POSTER"}),
    ] {
        let product = ask(&shop, "product", &body).await;
        fits(&product, lookup, "get_product", Some("get_product_response"));
    }
    let nothing = ask(&shop, "product", &json!({"id": "NONE"})).await;
    fits(&nothing, "schemas/shopping/types/error_response.json", "read", None);
}

#[actix_web::test]
async fn nothing_to_sell_fits_the_schema_of_errors() {
    let shop = Shop::open().await;
    let nothing = shop.post(SESSIONS, &cart(&[("GONE", 1)])).await.json();
    fits(&nothing, "schemas/shopping/types/error_response.json", "create", None);
}

#[actix_web::test]
async fn an_order_fits_before_and_after_it_ships_and_comes_back() {
    let shop = Shop::open().await;
    let created = shop.post(SESSIONS, &cart(&[("TEE", 2), ("EBOOK", 1)])).await.json();
    let session = format!("{SESSIONS}/{}", created["id"].as_str().expect("an id"));
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    let id = paid["order"]["id"].as_str().expect("an order").to_owned();
    let order = || async { shop.get(&format!("/ucp/orders/{id}")).await.json() };
    fits(&order().await, "schemas/shopping/order.json", "read", None);
    let body = json!({"quantity": 1, "reason": "parcel 1"});
    for kind in ["ship", "return", "restock"] {
        let moved = shop.post(&format!("/v1/orders/{id}/lines/1/{kind}"), &body).await;
        assert_eq!(moved.status, 201, "{:?}", moved.json());
    }
    shop.collects(&id).await;
    let parcel = json!({"lines": [{"line": 1, "quantity": 1}], "carrier": "DHL",
        "tracking_number": "00340", "tracking_url": "https://track.example/00340"});
    let moved = shop.post(&format!("/v1/orders/{id}/shipments"), &parcel).await;
    assert_eq!(moved.status, 409, "both units have moved: {:?}", moved.json());
    let parcel = json!({"lines": [{"line": 2, "quantity": 1}], "carrier": "mail",
        "tracking_number": "00340", "tracking_url": "https://track.example/00340"});
    assert_eq!(shop.post(&format!("/v1/orders/{id}/shipments"), &parcel).await.status, 201);
    let refund = json!({"refund": 1, "reason": "goodwill"});
    assert_eq!(shop.post(&format!("/v1/orders/{id}/adjustments"), &refund).await.status, 201);
    let order = order().await;
    assert_eq!(order["adjustments"].as_array().map(Vec::len), Some(3), "{order}");
    assert_eq!(order["fulfillment"]["events"].as_array().map(Vec::len), Some(2), "{order}");
    assert_eq!(order["line_items"][0]["status"], "removed", "{order}");
    fits(&order, "schemas/shopping/order.json", "read", None);
}

#[actix_web::test]
async fn requests_that_fit_the_schema_are_taken() {
    let shop = Shop::open().await;
    let request = json!({"line_items": [{"item": {"id": "TEE"}, "quantity": 1}]});
    let path = folder().join("schemas/shopping/checkout.json");
    let mut schema = load_schema(&path).expect("a schema");
    bundle_refs(&mut schema, path.parent().expect("a folder")).expect("references resolve");
    let options = ResolveOptions::new(Direction::Request, "create");
    validate(&schema, &request, &options).expect("the least a platform may send");
    let body = request.to_string();
    let request = TestRequest::post()
        .uri(SESSIONS)
        .insert_header(("idempotency-key", "least"))
        .insert_header(("content-length", body.len()))
        .set_payload(body);
    assert_eq!(shop.send(request).await.status, 201);
}
