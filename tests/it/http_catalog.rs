//! The catalogue, as an agent's platform searches it and a merchant keeps it.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart},
};

/// Saves a product.
async fn keeps(shop: &Shop, sku: &str, body: Value) {
    let answer = shop.ask(Method::PUT, &format!("/v1/products/{sku}"), &body).await;
    assert_eq!(answer.status, 200, "{sku}: {}", answer.json());
}

/// A variant of the sail bag.
fn bag(color: &str, size: &str, minor: i64) -> Value {
    json!({
        "title": format!("Sail bag, {color}, {size}"), "group": "sail-bag",
        "price": {"minor": minor, "currency": "EUR"}, "attributes": {"fabric": "sailcloth"},
        "options": [{"name": "Color", "value": color}, {"name": "Size", "value": size}],
    })
}

/// The shop's own three products, a group of four variants of which one is sold out and one is not
/// for sale, and a poster.
pub(crate) async fn stocked(shop: &Shop) {
    let group = json!({"title": "Sail bag", "description": "Sewn from used sails.\nEach differs.",
        "image_url": "https://shop.example/bag.png", "categories": ["Bags", "Bags > Totes"]});
    let answer = shop.ask(Method::PUT, "/v1/product-groups/sail-bag", &group).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    for (sku, color, size, minor, units) in [
        ("BAG-BLUE-L", "Blue", "L", 7_900, 3),
        ("BAG-BLUE-S", "Blue", "S", 5_900, 0),
        ("BAG-RED-S", "Red", "S", 6_100, 4),
    ] {
        shop.sells(sku, minor, StockPolicy::Tracked, units).await;
        keeps(shop, sku, bag(color, size, minor)).await;
    }
    let mut gone = bag("Green", "L", 100);
    gone["active"] = json!(false);
    keeps(shop, "BAG-GREEN-L", gone).await;
    let poster = json!({"title": "Caf\u{e9} poster", "description": "Shows a red sail at sea.",
        "price": {"minor": 2_900, "currency": "EUR"}, "stock_policy": "backorder",
        "attributes": {"category": "Paper"}});
    keeps(shop, "POSTER", poster).await;
}

/// Asks the catalogue something.
pub(crate) async fn ask(shop: &Shop, what: &str, body: &Value) -> Value {
    let answer = asks(shop, what, body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

async fn asks(shop: &Shop, what: &str, body: &Value) -> super::http_shop::Answer {
    let body = body.to_string();
    let request = TestRequest::post()
        .uri(&format!("/ucp/catalog/{what}"))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", body.len()));
    shop.send(request.set_payload(body)).await
}

fn ids(body: &Value) -> Vec<&str> {
    let products = body["products"].as_array().expect("products");
    products.iter().map(|product| product["id"].as_str().expect("an id")).collect()
}

fn variants(product: &Value) -> Vec<&str> {
    let variants = product["variants"].as_array().expect("variants");
    variants.iter().map(|variant| variant["id"].as_str().expect("an id")).collect()
}

#[actix_web::test]
async fn an_agent_finds_what_it_then_buys() {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let found = ask(&shop, "search", &json!({"query": "red sail"})).await;
    // The group has the words in its title only partly, and before the poster it came.
    assert_eq!(ids(&found), ["sail-bag", "POSTER"]);
    assert_eq!(found["pagination"], json!({"has_next_page": false}));
    let bag = &found["products"][0];
    assert_eq!((&bag["title"], &bag["media"][0]["type"]), (&json!("Sail bag"), &json!("image")));
    assert_eq!(bag["description"]["plain"], "Sewn from used sails.\nEach differs.");
    assert_eq!(bag["price_range"]["min"], json!({"amount": 5_900, "currency": "EUR"}));
    assert_eq!(bag["price_range"]["max"]["amount"], 7_900);
    assert_eq!(variants(bag), ["BAG-BLUE-L", "BAG-RED-S", "BAG-BLUE-S"], "sold out comes last");
    let status = |at: usize| bag["variants"][at]["availability"].clone();
    assert_eq!(status(0), json!({"available": true, "status": "in_stock"}));
    assert_eq!(status(2), json!({"available": false, "status": "out_of_stock"}));
    let poster = &found["products"][1]["variants"][0];
    assert_eq!(poster["availability"], json!({"available": true, "status": "backorder"}));

    let item = variants(bag)[1];
    let created = shop.post(SESSIONS, &cart(&[(item, 4)])).await;
    assert_eq!(created.status, 201, "{}", created.json());
    let found = ask(&shop, "search", &json!({"query": "bag"})).await;
    let red = found["products"][0]["variants"].as_array().expect("variants");
    let red = red.iter().find(|variant| variant["id"] == item).expect("still there");
    assert_eq!(red["availability"]["status"], "out_of_stock", "all are held");
}

#[actix_web::test]
async fn words_categories_and_prices_narrow_a_search() {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let search = |body: Value| {
        let shop = &shop;
        async move {
            let found = ask(shop, "search", &body).await;
            ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    for (query, expected) in [
        ("tee", &["TEE"][..]),
        ("CAFE", &["POSTER"]),
        ("caf\u{e9} post", &["POSTER"]),
        ("sailcloth", &["sail-bag"]),
        ("bag-red-s", &["sail-bag"]),
        ("totes", &["sail-bag"]),
        ("sail", &["sail-bag", "POSTER"]),
        ("poster tee", &[]),
        ("green", &["sail-bag"]),
        ("\" OR 1' -- *", &[]),
        ("!?", &[]),
    ] {
        assert_eq!(search(json!({"query": query})).await, expected, "{query}");
    }
    let filter = |filters: Value| search(json!({"filters": filters}));
    assert_eq!(filter(json!({"categories": ["Bags", "Paper"]})).await, ["sail-bag", "POSTER"]);
    assert_eq!(filter(json!({"categories": ["bags"]})).await, [""; 0]);
    assert_eq!(filter(json!({"price": {"min": 6_000, "max": 6_200}})).await, ["sail-bag"]);
    assert_eq!(filter(json!({"price": {"max": 900}})).await, ["CAP", "EBOOK"]);
    assert_eq!(filter(json!({"categories": ["Paper"], "price": {"min": 3_000}})).await, [""; 0]);
    let body = json!({"query": "sail", "filters": {"price": {"max": 6_200}}});
    let found = ask(&shop, "search", &body).await;
    assert_eq!(variants(&found["products"][0]), ["BAG-RED-S", "BAG-BLUE-S"], "those in the range");
    let dollars = json!({"query": "sail", "context": {"currency": "USD"},
        "filters": {"price": {"max": 9_000}}});
    assert_eq!(search(dollars).await, [""; 0], "nothing is priced in dollars");
    let odd = json!({"filters": {"brand": ["x"]}, "query": "tee"});
    let found = ask(&shop, "search", &odd).await;
    assert_eq!(
        (ids(&found), &found["messages"][0]["code"]),
        (vec!["TEE"], &json!("filter_ignored"))
    );
}

#[actix_web::test]
async fn pages_follow_one_another_without_a_gap_also_while_products_come() {
    let shop = Shop::open().await;
    for number in 0..23 {
        shop.sells(&format!("LAMP-{number:02}"), 100, StockPolicy::Untracked, 0).await;
    }
    let shade = json!({"title": "Shade", "description": "Fits every lamp.",
        "price": {"minor": 1, "currency": "EUR"}});
    keeps(&shop, "SHADE", shade).await;
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let body = json!({"query": "lamp", "pagination": {"limit": 5, "cursor": cursor}});
        let page = ask(&shop, "search", &body).await;
        assert!(ids(&page).len() <= 5, "{page}");
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        if page["pagination"]["has_next_page"] == false {
            break;
        }
        // What comes meanwhile comes last, and what has changed keeps its place.
        shop.sells("LAMP-03", 200, StockPolicy::Untracked, 0).await;
        shop.sells("LAMP-99", 200, StockPolicy::Untracked, 0).await;
        cursor = page["pagination"]["cursor"].clone();
    }
    let mut expected: Vec<_> = (0..23).map(|number| format!("LAMP-{number:02}")).collect();
    expected.extend(["LAMP-99".to_owned(), "SHADE".to_owned()]);
    assert_eq!(seen, expected, "those that only mention it come after those that are it");
    let body = json!({"query": "lamp", "pagination": {"limit": 5_000}});
    assert_eq!(ids(&ask(&shop, "search", &body).await).len(), 25);
}

#[actix_web::test]
async fn products_and_variants_are_looked_up_by_their_ids() {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let names =
        json!({"ids": ["sail-bag", "BAG-BLUE-S", "TEE", "NONE", "sail-bag", "BAG-GREEN-L"]});
    let found = ask(&shop, "lookup", &names).await;
    assert_eq!(ids(&found), ["TEE", "sail-bag"]);
    let bag = &found["products"][1];
    assert_eq!(variants(bag), ["BAG-BLUE-L", "BAG-BLUE-S"]);
    let inputs = |at: usize| bag["variants"][at]["inputs"].clone();
    assert_eq!(inputs(0), json!([{"id": "sail-bag", "match": "featured"}]));
    assert_eq!(inputs(1), json!([{"id": "BAG-BLUE-S", "match": "exact"}]));
    let tee = &found["products"][0]["variants"][0]["inputs"];
    assert_eq!(*tee, json!([{"id": "TEE", "match": "exact"}]));
    let missing: Vec<_> = found["messages"].as_array().expect("messages").iter().collect();
    assert_eq!(missing.iter().map(|m| &m["content"]).collect::<Vec<_>>(), ["NONE", "BAG-GREEN-L"]);
    let dear = json!({"ids": ["sail-bag"], "filters": {"price": {"min": 6_000}}});
    assert_eq!(variants(&ask(&shop, "lookup", &dear).await["products"][0]), ["BAG-BLUE-L"]);
}

#[actix_web::test]
async fn a_variant_is_chosen_option_by_option() {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let look = |body: Value| {
        let shop = &shop;
        async move { ask(shop, "product", &body).await["product"].clone() }
    };
    let all = look(json!({"id": "sail-bag"})).await;
    assert_eq!(variants(&all), ["BAG-BLUE-L", "BAG-RED-S", "BAG-BLUE-S"]);
    assert_eq!(all["selected"][0], json!({"name": "Color", "label": "Blue"}));

    let red = json!({"id": "sail-bag", "selected": [{"name": "color", "label": "red"}]});
    let red = look(red).await;
    assert_eq!(variants(&red), ["BAG-RED-S"]);
    assert_eq!(red["selected"], json!([{"name": "Color", "label": "Red"}]));
    let sizes = json!([{"label": "L", "available": false, "exists": false},
        {"label": "S", "available": true, "exists": true}]);
    assert_eq!(red["options"][1], json!({"name": "Size", "values": sizes}));
    let blue =
        look(json!({"id": "sail-bag", "selected": [{"name": "Color", "label": "Blue"}]})).await;
    let sold_out = json!({"label": "S", "available": false, "exists": true});
    assert_eq!(blue["options"][1]["values"][1], sold_out);

    let both = json!([{"name": "Color", "label": "Red"}, {"name": "Size", "label": "L"}]);
    for (preferences, kept) in [(["Color", "Size"], "BAG-RED-S"), (["Size", "Color"], "BAG-BLUE-L")]
    {
        let body = json!({"id": "sail-bag", "selected": both, "preferences": preferences});
        let product = look(body).await;
        assert_eq!(variants(&product), [kept]);
        assert_eq!(product["selected"].as_array().map(Vec::len), Some(1), "{product}");
    }
    // A variant's own choices stand, whatever else was chosen.
    let own = look(json!({"id": "BAG-BLUE-S", "selected": both})).await;
    assert_eq!((&own["id"], variants(&own)), (&json!("sail-bag"), vec!["BAG-BLUE-S"]));
    let nothing = asks(&shop, "product", &json!({"id": "BAG-GREEN-L"})).await;
    assert_eq!((nothing.status.as_u16(), &nothing.json()["ucp"]["status"]), (200, &json!("error")));
    assert_eq!(nothing.json()["messages"][0]["code"], "not_found");
}

#[actix_web::test]
async fn what_makes_no_sense_is_told_with_its_place() {
    let shop = Shop::open().await;
    let many: Vec<String> = (0..101).map(|number| format!("S{number}")).collect();
    for (what, body, status, code, pointer) in [
        ("search", json!({}), 422, "invalid_request", "/query"),
        ("search", json!({"query": " "}), 422, "invalid_request", "/query"),
        ("search", json!({"query": 1}), 422, "invalid_request", "/query"),
        ("search", json!({"query": "x".repeat(513)}), 422, "limit_exceeded", "/query"),
        (
            "search",
            json!({"filters": {"price": {"min": -1}}}),
            422,
            "invalid_request",
            "/filters/price/min",
        ),
        ("search", json!({"filters": [], "query": "x"}), 422, "invalid_request", "/filters"),
        (
            "search",
            json!({"query": "x", "pagination": {"limit": 0}}),
            422,
            "invalid_request",
            "/pagination/limit",
        ),
        (
            "search",
            json!({"query": "x", "pagination": {"cursor": "mine"}}),
            422,
            "invalid_request",
            "/pagination/cursor",
        ),
        ("search", json!({"query": "4111 1111 1111 1111"}), 422, "card_number_refused", "/query"),
        ("lookup", json!({}), 422, "invalid_request", "/ids"),
        ("lookup", json!({"ids": []}), 422, "invalid_request", "/ids"),
        ("lookup", json!({"ids": many}), 400, "request_too_large", "/ids"),
        ("product", json!({"selected": []}), 422, "invalid_request", "/id"),
        (
            "product",
            json!({"id": "TEE", "selected": [{"name": "a", "label": "b"},
            {"name": "A", "label": "c"}]}),
            422,
            "invalid_request",
            "/selected/1",
        ),
    ] {
        let problem = asks(&shop, what, &body).await.problem(status, code);
        assert_eq!(problem["pointer"], pointer, "{body}");
        assert_eq!(problem["messages"][0]["type"], "error");
    }
}

#[actix_web::test]
async fn products_and_groups_that_make_no_sense_are_refused_at_the_field() {
    let shop = Shop::open().await;
    for (path, body, pointer) in [
        ("products/A", json!({"group": "No Group"}), "/group"),
        ("products/A", json!({"options": [{"name": "a"}]}), "/options/0/value"),
        (
            "products/A",
            json!({"options": [{"name": "a", "value": "1"},
            {"name": "A", "value": "2"}]}),
            "/options",
        ),
        ("products/A", json!({"categories": ["a|b"]}), "/categories"),
        ("products/A", json!({"title": "two\nlines"}), "/title"),
        ("product-groups/a", json!({"title": "A", "categories": ["x", "x"]}), "/categories"),
        ("product-groups/a", json!({}), "/title"),
    ] {
        let mut body = body;
        if path == "products/A" {
            body["price"] = json!({"minor": 1, "currency": "EUR"});
            if body.get("title").is_none() {
                body["title"] = json!("A");
            }
        }
        let answer = shop.ask(Method::PUT, &format!("/v1/{path}"), &body).await;
        assert_eq!(answer.problem(422, "invalid_request")["pointer"], pointer, "{body}");
    }
}

#[actix_web::test]
async fn a_merchant_searches_groups_and_describes_them() {
    let shop = Shop::open().await;
    stocked(&shop).await;
    let skus = |path: &'static str| {
        let shop = &shop;
        async move {
            let page = shop.get(path).await.json();
            let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}")).clone();
            items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    let bags = ["BAG-BLUE-L", "BAG-BLUE-S", "BAG-GREEN-L", "BAG-RED-S"];
    assert_eq!(skus("/v1/products?q=sail+bag").await, bags, "also what is not for sale");
    assert_eq!(skus("/v1/products?category=Paper").await, ["POSTER"]);
    assert_eq!(
        skus("/v1/products?q=bag&min_minor=6000&currency=EUR").await,
        ["BAG-BLUE-L", "BAG-RED-S"]
    );
    assert_eq!(skus("/v1/products?max_minor=50&currency=USD").await, [""; 0]);
    let first = shop.get("/v1/products?min_minor=0&limit=2").await.json();
    let next =
        format!("/v1/products?min_minor=0&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(shop.get(&next).await.json()["items"][0]["sku"], "EBOOK");
    shop.get("/v1/products?min_minor=-1").await.problem(422, "invalid_request");
    shop.get("/v1/products?q=a&cursor=x").await.problem(422, "invalid_request");

    let shown = shop.get("/v1/products/BAG-RED-S").await.json();
    assert_eq!(
        (&shown["group"], &shown["options"][0]["value"]),
        (&json!("sail-bag"), &json!("Red"))
    );
    let group = shop.get("/v1/product-groups/sail-bag").await.json();
    assert_eq!(group["categories"], json!(["Bags", "Bags > Totes"]));
    assert_eq!(shop.get("/v1/product-groups").await.json()["items"][0]["id"], "sail-bag");
    // Without a description its products stay together, called like the first of them.
    shop.ask(Method::DELETE, "/v1/product-groups/sail-bag", &json!({})).await;
    shop.get("/v1/product-groups/sail-bag").await.problem(404, "not_found");
    let found = ask(&shop, "search", &json!({"query": "bag"})).await;
    assert_eq!(
        (ids(&found), found["products"][0]["title"].as_str()),
        (vec!["sail-bag"], Some("Sail bag, Blue, L"))
    );
    // A product that leaves its group stands for itself, and is found under its own name alone.
    let alone = json!({"title": "Duffel", "price": {"minor": 1, "currency": "EUR"}});
    keeps(&shop, "BAG-RED-S", alone).await;
    assert_eq!(ids(&ask(&shop, "search", &json!({"query": "duffel"})).await), ["BAG-RED-S"]);
    let red = ask(&shop, "search", &json!({"query": "red sailcloth"})).await;
    assert_eq!(ids(&red), [""; 0], "{red}");
}
