//! Every route that is mounted: who may use it, however its path is spelled.

use actix_web::{
    App,
    body::BoxBody,
    dev::ServiceResponse,
    http::{Method, StatusCode},
    introspection::IntrospectionTree,
    middleware::from_fn,
    test::{TestRequest, init_service, try_call_service},
    web::{Data, ServiceConfig},
};
use doorbuster::{
    access::Scope,
    http::{
        admission, routes,
        ucp01::{root::Beside, simulation::SimulationSecret},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{
    http_shop::{Shop, fresh_key},
    http_v1::order,
};

/// The app of a shop, with further routes.
pub(crate) async fn app_of(
    shop: &Shop,
    more: Box<dyn FnOnce(&mut ServiceConfig)>,
) -> impl AsyncFn(TestRequest) -> ServiceResponse<BoxBody> {
    let app = App::new()
        .wrap(from_fn(admission::admit))
        .app_data(shop.door.clone())
        .configure(more)
        .configure(routes);
    let app = init_service(app).await;
    async move |request: TestRequest| {
        let answer = try_call_service(&app, request.to_request()).await;
        answer.expect("an answer").map_into_boxed_body()
    }
}

/// Methods and patterns of what the framework says is mounted.
pub(crate) async fn routes_of(
    app: &impl AsyncFn(TestRequest) -> ServiceResponse<BoxBody>,
) -> BTreeSet<(String, String)> {
    let answer = app(TestRequest::get().uri("/healthz")).await;
    let tree = answer.request().app_data::<Data<IntrospectionTree>>().expect("a tree");
    let report: Value = serde_json::from_str(&tree.report_as_json()).expect("JSON");
    let mut routes = BTreeSet::new();
    for item in report.as_array().expect("a list of resources") {
        let path = item["full_path"].as_str().expect("a path");
        for method in item["methods"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            routes.insert((method.to_owned(), path.to_owned()));
        }
    }
    routes
}

/// What a key must allow to use a route; `None` where none is asked for.
fn scope_of(method: &str, pattern: &str, at_root: bool) -> Option<Scope> {
    let begins = |bases: &[&str]| bases.iter().any(|base| pattern.starts_with(base));
    match (method, pattern) {
        (_, pattern) if pattern.contains("/testing/simulate-shipping/") => None,
        ("PUT", "/orders/{id}" | "/ucp/2026-01-11/orders/{id}") => Some(Scope::BackofficeWrite),
        ("GET", "/orders/{id}") => at_root.then_some(Scope::Checkout),
        ("POST", "/v1/orders") => Some(Scope::Checkout),
        ("POST", pattern) if pattern.starts_with("/v1/cases/") => Some(Scope::Cases),
        (_, pattern) if pattern.starts_with("/v1/keys") => Some(Scope::Admin),
        _ if begins(&["/ucp/", "/acp/", "/checkout-sessions"]) => Some(Scope::Checkout),
        ("GET", pattern) if pattern.starts_with("/v1/") => Some(Scope::BackofficeRead),
        (_, pattern) if pattern.starts_with("/v1/") => Some(Scope::BackofficeWrite),
        _ => None,
    }
}

/// A path of this pattern.
pub(crate) fn path_of(pattern: &str) -> String {
    let mut steps = Vec::new();
    for step in pattern.split('/') {
        let name = step.strip_prefix('{').and_then(|rest| rest.split(['}', ':']).next());
        steps.push(match name {
            None => step,
            Some("id" | "order") => "ord_01a20ad0ec9975c19b1db9c581e57a24",
            Some("line") => "1",
            Some("kind") => "ship",
            Some("action") => "approve",
            Some("sku" | "name" | "value") => "TEE",
            Some(_) => "none",
        });
    }
    steps.join("/")
}

/// The path with those letters percent-encoded of which this is said by their place in the step.
fn encoded(path: &str, which: impl Fn(usize) -> bool) -> String {
    let steps = path.split('/').map(|step| {
        let bytes = step.bytes().enumerate();
        let each = bytes.map(|(at, byte)| match byte {
            b'%' => "%".to_owned(),
            byte if which(at) => format!("%{byte:02X}"),
            byte => char::from(byte).to_string(),
        });
        each.collect::<String>()
    });
    steps.collect::<Vec<_>>().join("/")
}

/// Other spellings of the path that the router reads as it.
fn same(path: &str) -> Vec<String> {
    let all = encoded(path, |_| true);
    vec![path.to_owned(), encoded(path, |at| at == 0), all.to_lowercase(), all]
}

/// Spellings that look like it, and are none.
fn others(path: &str) -> Vec<String> {
    let slashes = path[1..].replace('/', "%2F");
    vec![
        encoded(path, |_| true).replace('%', "%25"),
        format!("/{slashes}"),
        format!("/%2f{}", slashes.replace("%2F", "%2f")),
        path.to_uppercase(),
        format!("/{path}"),
        format!("{path}/"),
        format!("/.{path}"),
        format!("/healthz/..{path}"),
        format!("{path}%2F..%2F..%2Fhealthz"),
        format!("{path};x=1"),
        format!("{path}%FF"),
    ]
}

fn request(method: &str, path: &str, key: Option<&str>) -> TestRequest {
    let method: Method = method.parse().expect("a method");
    let request = TestRequest::default().method(method).uri(path).set_payload("{}");
    let request = request
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", 2))
        .insert_header(("api-version", "2026-04-17"))
        .insert_header(("idempotency-key", fresh_key()));
    match key {
        Some(key) => request.insert_header(("x-api-key", key)),
        None => request,
    }
}

fn beside(
    at_root: bool,
    simulation: Option<SimulationSecret>,
) -> Box<dyn FnOnce(&mut ServiceConfig)> {
    Box::new(move |config| Beside { at_root, simulation }.mount(config))
}

/// Asks every route, under every kind of key, in every spelling.
async fn the_matrix(at_root: bool) {
    let scopes = Scope::ALL;
    let (shop, keys) = Shop::open().await.with_keys_for(&scopes).await;
    let simulation = at_root.then(|| SimulationSecret::of("sesame"));
    let app = app_of(&shop, beside(at_root, simulation)).await;
    let mut callers = vec![(None, None), (Some("db_garbage"), None)];
    callers.extend(keys.iter().zip(scopes).map(|(key, scope)| (Some(key.as_str()), Some(scope))));
    let routes = routes_of(&app).await;
    assert!(routes.len() > 90, "{} routes are mounted", routes.len());
    for (method, pattern) in &routes {
        let (path, needed) = (path_of(pattern), scope_of(method, pattern, at_root));
        for (key, scope) in &callers {
            // What is its own, a storefront finds too.
            let own = pattern == "/v1/assessments" && *scope == Some(Scope::Checkout);
            let may = needed.is_none_or(|needed| scope.is_some_and(|scope| scope.covers(needed)));
            let may = may || own;
            let refused = if scope.is_some() { 403 } else { 401 };
            for spelled in same(&path) {
                let answer = app(request(method, &spelled, *key)).await;
                let (status, who) = (answer.status().as_u16(), format!("{scope:?} {key:?}"));
                let what = format!("{method} {spelled} ({pattern}) as {who}: {status}");
                if may {
                    let routed = answer.request().match_pattern();
                    assert_eq!(routed.as_deref(), Some(pattern.as_str()), "{what}");
                    let simulated = pattern.contains("/simulate-shipping/");
                    assert!(!matches!(status, 401 | 403) || simulated, "{what}");
                    assert!(status < 500, "{what}");
                } else {
                    assert_eq!(status, refused, "{what}");
                }
            }
            for spelled in others(&path) {
                let answer = app(request(method, &spelled, *key)).await;
                let status = answer.status().as_u16();
                let what = format!("{method} {spelled} ({pattern}) as {scope:?}: {status}");
                assert!(status < 500 && (may || status >= 400), "{what}");
            }
        }
    }
}

// breaks: read the path in `caller::pattern` from `request.uri().path()`
#[actix_web::test]
async fn every_route_is_for_whom_it_is_however_its_path_is_spelled() {
    the_matrix(false).await;
}

// breaks: read the path in `caller::pattern` from `request.uri().path()`
#[actix_web::test]
async fn so_it_is_where_the_version_before_is_at_the_root() {
    the_matrix(true).await;
}

// breaks: leave out the arm of a route in `caller::needed`, or of `/docs` in its list
#[actix_web::test]
async fn of_every_mounted_route_somebody_said_who_may_use_it() {
    let (shop, keys) = Shop::open().await.with_keys_for(&[Scope::Admin]).await;
    let simulation = Some(SimulationSecret::of("sesame"));
    let app = app_of(&shop, beside(true, simulation)).await;
    for (method, pattern) in routes_of(&app).await {
        let asked = request(&method, &path_of(&pattern), Some(&keys[0]));
        let answer = app(asked).await;
        // Whoever is not let in does not get as far as the router.
        assert_eq!(answer.request().match_pattern(), Some(pattern.clone()), "{method} {pattern}");
        let routed = answer.request().match_info().iter().count();
        assert_eq!(routed, pattern.matches('{').count(), "{method} {pattern}");
        // Where nothing is named, nothing can be missing.
        let is_there = pattern.contains('{') || answer.status() != StatusCode::NOT_FOUND;
        assert!(is_there, "{method} {pattern}");
    }
}

// breaks: hash `request.uri().path()` in `asking::read`, or name an ACP attempt's place by it
#[actix_web::test]
async fn a_key_stands_for_one_request_however_its_path_is_spelled() {
    let shop = Shop::open().await;
    let body = order(&[("TEE", 1)], "success_token");
    let send = async |path: &str, body: &Value| {
        let request = TestRequest::post().uri(path).set_payload(body.to_string());
        let request = request
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-length", body.to_string().len()))
            .insert_header(("api-version", "2026-04-17"))
            .insert_header(("idempotency-key", "once"));
        shop.send(request).await
    };
    let session = json!({"line_items": [{"id": "TEE", "quantity": 1}], "currency": "EUR",
        "capabilities": {}});
    for (plain, encoded, body) in [
        ("/v1/orders", "/v1/%6Frders", &body),
        ("/acp/checkout_sessions", "/%61cp/checkout%5Fsessions", &session),
    ] {
        let first = send(plain, body).await;
        assert_eq!(first.status, 201, "{}", first.json());
        let again = send(encoded, body).await;
        assert_eq!((again.status.as_u16(), &again.bytes), (201, &first.bytes), "{encoded}");
    }
}

// breaks: read the path in `Dialect::of` from `request.uri().path()`
#[actix_web::test]
async fn refusals_and_signatures_go_by_the_route_too() {
    let shop = Shop::open().await;
    let acp = shop.get("/%61cp/nowhere").await;
    assert_eq!((acp.status.as_u16(), &acp.json()["type"]), (404, &json!("invalid_request")));
    let ucp = shop.get("/%75cp/nowhere").await;
    assert_eq!((ucp.status.as_u16(), &ucp.json()["ucp"]["status"]), (404, &json!("error")));
    let shop = shop.that_wants_signatures();
    for path in ["/ucp/orders/ord_1", "/%75cp/orders/ord_1", "/%75cp/2026-01-11/orders/ord_1"] {
        let answer = shop.get(path).await;
        assert_eq!(answer.json()["code"], "signature_missing", "{path}");
    }
    assert_eq!(shop.get("/orders/ord_1").await.status, 200, "a page is signed by nobody");
}
