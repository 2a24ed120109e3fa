//! What callers may send, and no more of it: each limit is told by its field and its number.

use actix_web::http::Method;
use doorbuster::base::Limits;
use serde_json::{Value, json};

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, pay},
    http_v1::order,
};

const CHECKOUT: &str = "/ucp/checkout-sessions/chk_01a20ad0ec9975c19b1db9c581e57a24";
const LINE: &str = "/v1/orders/ord_01a20ad0ec9975c19b1db9c581e57a24/lines/1";

/// Small enough to be passed with little.
fn narrow() -> Limits {
    let Limits { body_seconds, header_seconds, request_seconds, in_flight, .. } = Limits::default();
    let Limits { connections_per_address, unsent_bytes, .. } = Limits::default();
    // Written out, so that a new limit does not compile before somebody comes by here. Those from
    // above are tried with `http_door` and `http_readers`.
    Limits {
        lines_per_cart: 2,
        quantity_per_line: 9,
        body_bytes: 20_000,
        page_size: 5,
        key_bytes: 30,
        text_bytes: 20,
        metadata_bytes: 50,
        body_seconds,
        header_seconds,
        request_seconds,
        in_flight,
        connections_per_address,
        unsent_bytes,
    }
}

/// Method, path, body; and the field and the limit that must be named.
type Passed = (Method, String, Value, &'static str, u64);

fn too_much(complete: &str) -> Vec<Passed> {
    let three = [("A", 1), ("B", 1), ("C", 1)];
    let long = "x".repeat(21);
    let changed = |mut body: Value, field: &str, value: Value| {
        *body.pointer_mut(field).expect("the field is there") = value;
        body
    };
    let post =
        |path: &str, body: Value, at, limit| (Method::POST, path.to_owned(), body, at, limit);
    let put = |path: &str, body: Value, at, limit| (Method::PUT, path.to_owned(), body, at, limit);
    let one = || order(&[("A", 1)], "success_token");
    let price = json!({"minor": 7, "currency": "EUR"});
    let product =
        |attributes: Value| json!({"title": "Mug", "price": price, "attributes": attributes});
    let movement = json!({"sku": "A", "kind": "receive", "quantity": 1, "reason": "x"});
    let token = "t".repeat(8193);
    let mut instruments = pay("success_token");
    let list = &mut instruments["payment"]["instruments"];
    *list = json!([list[0], list[0], list[0]]);
    vec![
        post(SESSIONS, cart(&three), "/line_items", 2),
        put(CHECKOUT, cart(&three), "/line_items", 2),
        post(SESSIONS, cart(&[("A", 10)]), "/line_items/0/quantity", 9),
        post(SESSIONS, cart(&[(&long, 1)]), "/line_items/0/item/id", 20),
        post(
            SESSIONS,
            changed(cart(&[("A", 1)]), "/buyer/first_name", json!(long)),
            "/buyer/first_name",
            20,
        ),
        post(complete, instruments, "/payment/instruments", 2),
        post(complete, pay(&token), "/payment/instruments/0/credential/token", 8192),
        post("/v1/orders", order(&three, "success_token"), "/lines", 2),
        post("/v1/orders", order(&[("A", 10)], "success_token"), "/lines/0/quantity", 9),
        post(
            "/v1/orders",
            changed(one(), "/shipping_address/street_address", json!(long)),
            "/shipping_address/street_address",
            20,
        ),
        post(
            "/v1/orders",
            changed(order(&[("TEE", 1)], ""), "/payment/token", json!(token)),
            "/payment/token",
            8192,
        ),
        post(&format!("{LINE}/ship"), json!({"quantity": 10, "reason": "x"}), "/quantity", 9),
        post(&format!("{LINE}/ship"), json!({"quantity": 1, "reason": long}), "/reason", 20),
        post("/v1/stock/movements", json!({"movements": vec![&movement; 3]}), "/movements", 2),
        post(
            "/v1/stock/movements",
            changed(movement, "/quantity", json!(1_u64 << 31)),
            "/quantity",
            (1 << 31) - 1,
        ),
        post("/v1/products/bulk", json!({"products": [{}, {}, {}]}), "/products", 2),
        put("/v1/products/MUG", changed(product(json!({})), "/title", json!(long)), "/title", 20),
        put("/v1/products/MUG", product(json!({"a": "x".repeat(50)})), "/attributes", 50),
    ]
}

#[actix_web::test]
async fn every_limit_names_its_field_and_itself() {
    let shop = Shop::with(narrow()).await;
    // What is sent as an instrument counts where there is something to pay.
    let opened = shop.post(SESSIONS, &cart(&[("TEE", 1)])).await.json();
    let complete = format!("{SESSIONS}/{}/complete", opened["id"].as_str().expect("an id"));
    for (method, path, body, pointer, limit) in too_much(&complete) {
        let answer = shop.ask(method, &path, &body).await;
        let problem = answer.problem(422, "limit_exceeded");
        let named = (&problem["pointer"], &problem["limit"]);
        assert_eq!(named, (&json!(pointer), &json!(limit)), "{path} {pointer}: {problem}");
    }
    for list in ["orders", "products", "stock", "stock/TEE/movements"] {
        let problem = shop.get(&format!("/v1/{list}?limit=6")).await.problem(422, "limit_exceeded");
        assert_eq!(
            (&problem["pointer"], &problem["limit"]),
            (&json!("/limit"), &json!(5)),
            "{list}"
        );
        assert_eq!(shop.get(&format!("/v1/{list}?limit=5")).await.status, 200, "{list}");
    }
    let body = order(&[("TEE", 1)], "success_token");
    let long_key = shop.ask_as(&"k".repeat(31), Method::POST, "/v1/orders", &body).await;
    assert_eq!(long_key.problem(400, "idempotency_key_invalid")["limit"], 30);
    let huge = json!({"padding": "x".repeat(20_000)});
    let problem = shop.post("/v1/orders", &huge).await.problem(413, "body_too_large");
    assert_eq!(problem["limit"], 20_000);
}

#[actix_web::test]
async fn what_is_just_within_every_limit_is_taken() {
    let shop = Shop::with(narrow()).await;
    let attributes = json!({"a": "x".repeat(42)});
    assert_eq!(attributes.to_string().len(), 50);
    let product = json!({
        "title": "x".repeat(20), "price": {"minor": 7, "currency": "EUR"}, "attributes": attributes,
    });
    let saved = shop.ask(Method::PUT, "/v1/products/MUG", &product).await;
    assert_eq!(saved.status, 200, "{}", saved.json());
    shop.sells("PEN", 100, doorbuster::catalog::StockPolicy::Tracked, 9).await;
    let mut body = order(&[("PEN", 9), ("TEE", 1)], "success_token");
    body["shipping_address"]["street_address"] = json!("x".repeat(20));
    let placed = shop.ask_as(&"k".repeat(30), Method::POST, "/v1/orders", &body).await;
    assert_eq!(placed.status, 201, "{}", placed.json());
}
