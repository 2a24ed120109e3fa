//! Everything a merchant sets, out of one shop and into another.

use actix_web::{http::Method, test::TestRequest};
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};

use super::{
    http_catalog::stocked,
    http_shop::{Answer, Shop, fresh_key},
    http_storefront::furnish,
};

/// In the order in which a shop is taken in.
const KINDS: [&str; 8] = [
    "product-groups",
    "products",
    "stock",
    "price-lists",
    "discounts",
    "shipping-rates",
    "pickup-locations",
    "tax-rates",
];

async fn exported(shop: &Shop, kind: &str, format: &str) -> String {
    let answer = shop.get(&format!("/v1/exports/{kind}?format={format}")).await;
    assert_eq!(answer.status, 200, "{kind}: {:?}", answer.bytes);
    String::from_utf8(answer.bytes).expect("UTF-8")
}

async fn all_of(shop: &Shop) -> Vec<String> {
    let mut files = Vec::new();
    for kind in KINDS {
        files.push(exported(shop, kind, "csv").await);
    }
    files
}

async fn imports(shop: &Shop, path: &str, file: &str) -> Answer {
    let request = TestRequest::post()
        .uri(&format!("/v1/imports/{path}"))
        .insert_header(("content-length", file.len()))
        .insert_header(("idempotency-key", fresh_key()));
    shop.send(request.set_payload(file.to_owned())).await
}

async fn imported(shop: &Shop, path: &str, file: &str) -> Value {
    let answer = imports(shop, path, file).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

/// A shop with something of every kind, and texts that are easily misread.
async fn full() -> Shop {
    let shop = Shop::open().await;
    stocked(&shop).await;
    furnish(&shop).await;
    for (path, body) in [
        (
            "products/ODD,1",
            json!({"title": " \"Odd\", they say\u{2028}", "price": {"minor": 5, "currency": "JPY"},
                   "description": "\"quoted\"\r\nand broken\n", "tax_category": "reduced",
                   "attributes": {"gtin": "4006381333931", "note": " a|b ", "empty": "",
                                  "more": "two\nlines"},
                   "categories": ["A > B", "C, D"], "active": false}),
        ),
        ("products/\"Q\"", json!({"title": "\"Q\"", "price": {"minor": 100, "currency": "EUR"}})),
        (
            "discounts/limited",
            json!({"title": " 5 off, \"once\" ", "code": "FIVE", "currency": "EUR",
                   "benefit": {"kind": "fixed", "amount_minor": 500}, "usage_limit": 7,
                   "once_per_buyer": true, "products": ["TEE", "ODD,1"], "categories": ["A > B"],
                   "minimum_subtotal_minor": 1_000, "ends_at": "2030-01-01T00:00:00Z",
                   "combines": false, "priority": 2}),
        ),
        ("price-lists/USD/TEE", json!({"minor": 2_150})),
        ("price-lists/KWD/ODD,1", json!({"minor": 1_005})),
    ] {
        let path = format!("/v1/{}", path.replace('"', "%22").replace(' ', "%20"));
        let answer = shop.ask(Method::PUT, &path, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    }
    shop
}

#[actix_web::test]
async fn out_of_one_shop_into_another_and_out_again_is_the_same() {
    let shop = full().await;
    for format in ["csv", "jsonl"] {
        let other = Shop::bare().await;
        for kind in KINDS {
            let file = exported(&shop, kind, format).await;
            let rows = file.lines().count();
            assert!(rows > usize::from(format == "csv"), "nothing is exported of {kind}");
            let done = imported(&other, &format!("{kind}?format={format}"), &file).await;
            assert_eq!(done["refused"], json!([]), "{kind}: {done}");
            assert_eq!(exported(&other, kind, format).await, file, "{kind} as {format}");
            // And again: nothing changes.
            imported(&other, &format!("{kind}?format={format}"), &file).await;
            assert_eq!(exported(&other, kind, format).await, file, "{kind} as {format}, twice");
        }
        // Either format says the same.
        let format = if format == "csv" { "jsonl" } else { "csv" };
        for kind in KINDS {
            let (here, there) =
                (exported(&shop, kind, format).await, exported(&other, kind, format));
            assert_eq!(there.await, here, "{kind} as {format}");
        }
        let mut here = shop.get("/v1/products/ODD,1").await.json();
        let mut there = other.get("/v1/products/ODD,1").await.json();
        (here["updated_at"], there["updated_at"]) = (Value::Null, Value::Null);
        assert_eq!(here, there);
        assert_eq!(other.get("/v1/discounts/limited").await.json()["uses_left"], 7);
        assert_eq!(other.get("/v1/stock/TEE").await.json()["available"], 5);
    }
}

#[actix_web::test]
async fn a_file_with_anything_wrong_in_it_changes_nothing() {
    let shop = full().await;
    let before = all_of(&shop).await;
    let zero = "{\"kind\":\"percent\",\"basis_points\":0}";
    let ten = "{\"kind\":\"percent\",\"basis_points\":1000}";
    for (path, file, told) in [
        (
            "products",
            "sku,title,price,currency\nNEW,New,1,EUR\nBAD,Bad,1.999,EUR\n".to_owned(),
            "line 3, column `price`",
        ),
        ("product-groups", "id,title\nnew,New\nBad Id,Bad\n".into(), "line 3, column `id`"),
        ("product-groups", "id,titel\n".into(), "line 1, column `titel`: no such column"),
        ("product-groups", "id,title\nnew,4111 1111 1111 1111\n".into(), "line 2, column `title`"),
        ("product-groups", "id,title\nnew,New\nnew,New\n".into(), "line 3, column `id`"),
        ("stock", "sku,on_hand\nTEE,1\nCAP,-1\n".into(), "line 3, column `on_hand`"),
        ("stock", "sku,on_hand\nTEE,1\n~uses/x,1\n".into(), "line 3, column `sku`"),
        ("stock", "sku\nTEE\n".into(), "column `on_hand`: this column is needed"),
        (
            "price-lists",
            "currency,sku,price\nUSD,CAP,1\nUSD,NONE,1\n".into(),
            "line 3, column `sku`: there is no product `NONE`",
        ),
        (
            "price-lists",
            "currency,sku,price\nUSD,CAP,1\nEUR,TEE,1\n".into(),
            "line 3, column `sku`: `TEE` is priced in EUR by itself",
        ),
        (
            "discounts?format=jsonl",
            format!(
                "{{\"id\":\"a\",\"title\":\"A\",\"benefit\":{ten}}}\n\n\
                 {{\"id\":\"b\",\"title\":\"B\",\"code\":\"summer\",\"benefit\":{ten}}}\n"
            ),
            "line 3, column `code`: the code `summer` belongs to `summer`",
        ),
        (
            "discounts?format=jsonl",
            format!(
                "{{\"id\":\"a\",\"title\":\"A\",\"benefit\":{ten}}}\n\
                 {{\"id\":\"b\",\"title\":\"B\",\"benefit\":{zero}}}\n"
            ),
            "line 2, column `benefit`",
        ),
        (
            "tax-rates?format=jsonl",
            "{\"id\":\"a\",\"title\":\"A\",\"basis_points\":1}\n{]\n".into(),
            "line 2: expected a JSON object",
        ),
        (
            "tax-rates?format=jsonl",
            "{\"id\":\"a\",\"title\":\"A\"}\n{\"id\":\"b\",\"colour\":1}\n".into(),
            "line 2, column `colour`: no such column",
        ),
        ("shipping-rates", String::new(), "the file is empty"),
    ] {
        let answer = imports(&shop, path, &file).await;
        let problem = answer.problem(422, "invalid_request");
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(told), "{path}: {detail} does not tell {told}");
        assert!(detail.contains("nothing was saved"), "{detail}");
    }
    assert_eq!(all_of(&shop).await, before);
    shop.get("/v1/exports/people").await.problem(404, "not_found");
    shop.get("/v1/exports/products?format=xml").await.problem(422, "invalid_request");
}

#[actix_web::test]
async fn an_import_may_be_tried_and_is_done_once() {
    let shop = Shop::open().await;
    let file = "sku,title,price,currency,stock\nNEW,New,1,EUR,9\n";
    let tried = imported(&shop, "products?dry_run=true", file).await;
    assert_eq!(
        (&tried["read"], &tried["saved"], &tried["created"]),
        (&json!(1), &json!(0), &json!(1))
    );
    shop.get("/v1/products/NEW").await.problem(404, "not_found");
    assert_eq!(imported(&shop, "products", file).await["stock_set"], 1);
    assert_eq!(shop.get("/v1/stock/NEW").await.json()["available"], 9);

    // Units that are promised stay; everything else of the file counts.
    let wanted = super::http_ucp::cart(&[("TEE", 5)]);
    assert_eq!(shop.post(super::http_ucp::SESSIONS, &wanted).await.status, 201);
    let done = imported(&shop, "stock", "sku,on_hand\nCAP,7\nTEE,2\n").await;
    assert_eq!((&done["saved"], &done["refused"][0]["name"]), (&json!(1), &json!("TEE")), "{done}");
    assert_eq!(shop.get("/v1/stock/CAP").await.json()["on_hand"], 7);

    let request = || {
        let request = TestRequest::post().uri("/v1/imports/stock");
        let request = request.insert_header(("idempotency-key", "same"));
        let file = "sku,on_hand\nCAP,8\n";
        request.insert_header(("content-length", file.len())).set_payload(file)
    };
    let first = shop.send(request()).await;
    imported(&shop, "stock", "sku,on_hand\nCAP,3\n").await;
    let again = shop.send(request()).await;
    assert_eq!((again.header("idempotent-replayed"), &again.bytes), (Some("true"), &first.bytes));
    assert_eq!(shop.get("/v1/stock/CAP").await.json()["on_hand"], 3);
}

#[actix_web::test]
async fn an_export_goes_on_beyond_its_first_page() {
    let shop = Shop::open().await;
    let price = json!({"minor": 1, "currency": "EUR"});
    let product =
        |number: usize| json!({"sku": format!("P{number:04}"), "title": "P", "price": price});
    for page in 0..2 {
        let products: Vec<Value> = (page * 600..(page + 1) * 600).map(product).collect();
        let saved = shop.post("/v1/products/bulk", &json!({"products": products})).await;
        assert_eq!(saved.status, 200, "{}", saved.json());
    }
    shop.sells("ZEBRA", 1, StockPolicy::Untracked, 0).await;
    let file = exported(&shop, "products", "csv").await;
    let skus: Vec<&str> = file.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert_eq!(skus.len(), 1_204);
    assert!(skus.is_sorted(), "each once, in order");
    assert_eq!(file.lines().filter(|line| line.starts_with("sku,")).count(), 1, "one header");
}

fn changed(name: &str, fields: &[&str]) -> Value {
    json!([{"name": name, "change": "changed", "fields": fields}])
}

/// A file of every kind that mentions one thing: everything else stays, in either format.
// breaks: let `Given::Absent` be as good as `Given::Empty` in `Given::over` and `TariffPatch::over`
#[actix_web::test]
async fn what_a_file_does_not_mention_stays() {
    let shop = full().await;
    let full_product = shop.get("/v1/products/ODD,1").await.json();
    let full_discount = shop.get("/v1/discounts/limited").await.json();
    for (kind, csv, jsonl, name, fields, path) in [
        (
            "products",
            "sku,title,price,currency\n\"ODD,1\",Even,7,JPY\n",
            "{\"sku\":\"ODD,1\",\"title\":\"Even\",\"price\":\"7\",\"currency\":\"JPY\"}\n",
            "ODD,1",
            &["title", "price"][..],
            "/v1/products/ODD,1",
        ),
        (
            "products",
            "sku,option:Color,attribute:note\n\"ODD,1\",Red,new\n",
            // What the export did not mention stayed, too: the option is there already.
            "{\"sku\":\"ODD,1\",\"option:Color\":\"Blue\",\"attribute:note\":\"new\"}\n",
            "ODD,1",
            &["options", "attributes"],
            "/v1/products/ODD,1",
        ),
        (
            "discounts",
            "id,title\nlimited,Two off\n",
            "{\"id\":\"limited\",\"title\":\"Two off\"}\n",
            "limited",
            &["title"],
            "/v1/discounts/limited",
        ),
        (
            "product-groups",
            "id,image_url\nsail-bag,https://shop.example/tee.png\n",
            "{\"id\":\"sail-bag\",\"image_url\":\"https://shop.example/tee.png\"}\n",
            "sail-bag",
            &["image_url"],
            "/v1/product-groups/sail-bag",
        ),
    ] {
        let undo = exported(&shop, kind, "jsonl").await;
        for (format, file) in [("csv", csv), ("jsonl", jsonl)] {
            let before = shop.get(path).await.json();
            let tried =
                imported(&shop, &format!("{kind}?format={format}&dry_run=true"), file).await;
            assert_eq!(tried["changes"], changed(name, fields), "{kind}: {tried}");
            assert_eq!(shop.get(path).await.json(), before, "a dry run changes nothing");
            let done = imported(&shop, &format!("{kind}?format={format}"), file).await;
            assert_eq!(done["changes"], changed(name, fields), "{kind}: {done}");
            let mut after = shop.get(path).await.json();
            for field in fields.iter().chain(&["updated_at", "version"]) {
                if let Some(was) = before.get(*field) {
                    after[*field] = was.clone();
                } else if let Some(fields) = after.as_object_mut() {
                    fields.remove(*field);
                }
            }
            assert_eq!(after, before, "{kind} as {format}");
            let again = imported(&shop, &format!("{kind}?format={format}"), file).await;
            assert_eq!((&again["changed"], &again["unchanged"]), (&json!(0), &json!(1)), "{again}");
            imported(&shop, &format!("{kind}?format=jsonl"), &undo).await;
        }
    }
    assert_eq!(full_product["active"], shop.get("/v1/products/ODD,1").await.json()["active"]);
    assert_eq!(full_discount["code"], shop.get("/v1/discounts/limited").await.json()["code"]);
}

// breaks: let `Given::Empty` be as good as `Given::Absent` in `Given::over`
#[actix_web::test]
async fn an_empty_cell_clears_what_may_be_empty() {
    let shop = full().await;
    let file = "sku,description,tax_category,active,attribute:note\n\"ODD,1\",,,,\n";
    let done = imported(&shop, "products", file).await;
    let fields = ["tax_category", "active", "description", "attributes"];
    assert_eq!(done["changes"], changed("ODD,1", &fields));
    let product = shop.get("/v1/products/ODD,1").await.json();
    assert_eq!((&product["active"], &product["tax_category"]), (&json!(true), &json!("standard")));
    assert_eq!(
        (&product["description"], &product["attributes"]["note"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(product["attributes"]["gtin"], "4006381333931");
    imported(&shop, "discounts?format=jsonl", "{\"id\":\"limited\",\"code\":null}\n").await;
    assert_eq!(shop.get("/v1/discounts/limited").await.json()["code"], Value::Null);
    for (kind, file, told) in [
        ("products", "sku,title\n\"ODD,1\",\n", "column `title`: expected a text, found nothing"),
        ("products", "sku,price\nNEW,1\n", "column `currency`: a new product needs it"),
        ("products", "sku,currency\nTEE,USD\n", "column `price`: another currency needs"),
        ("discounts", "id,benefit\nlimited,\n", "missing field `benefit`"),
    ] {
        let problem = imports(&shop, kind, file).await.problem(422, "invalid_request");
        assert!(problem["detail"].as_str().is_some_and(|text| text.contains(told)), "{problem}");
    }
}

// breaks: replace products whole in `product_patches::save_many`
#[actix_web::test]
async fn a_bulk_changes_what_it_mentions() {
    let shop = full().await;
    let before = shop.get("/v1/products/ODD,1").await.json();
    let bulk = json!({"products": [
        {"sku": "ODD,1", "title": "Even", "description": null},
        {"sku": "NEW", "title": "New", "price": {"minor": 1, "currency": "EUR"}},
        {"sku": "TEE"},
    ]});
    let done = shop.post("/v1/products/bulk", &bulk).await.json();
    let told = json!([
        {"name": "ODD,1", "change": "changed", "fields": ["title", "description"]},
        {"name": "NEW", "change": "created"},
    ]);
    assert_eq!((&done["changes"], &done["unchanged"]), (&told, &json!(1)), "{done}");
    let mut after = shop.get("/v1/products/ODD,1").await.json();
    assert_eq!((&after["title"], &after["description"]), (&json!("Even"), &Value::Null));
    for field in ["title", "description", "updated_at"] {
        after[field] = before[field].clone();
    }
    assert_eq!(after, before);
    for (product, pointer) in [
        (json!({"sku": "NOVEL", "title": "Novel"}), "/products/0/price"),
        (json!({"sku": "TEE", "title": null}), "/products/0/title"),
        (json!({"sku": "TEE", "options": [{"name": "", "value": "x"}]}), "/products/0/options"),
    ] {
        let refused = shop.post("/v1/products/bulk", &json!({"products": [product]})).await;
        assert_eq!(refused.problem(422, "invalid_request")["pointer"], pointer);
    }
    let twice = json!({"products": [{"sku": "TEE"}, {"sku": "TEE"}]});
    let refused = shop.post("/v1/products/bulk", &twice).await;
    assert_eq!(refused.problem(422, "invalid_request")["pointer"], "/products/1/sku");
}
