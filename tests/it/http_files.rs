//! Files as people have them, and SKUs as shops have them, over `/v1`.

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use super::{
    http_shop::{Answer, Shop, fresh_key},
    http_ucp::{created, pay},
};

async fn sends(shop: &Shop, path: &str, file: Vec<u8>) -> Answer {
    let request = TestRequest::post()
        .uri(&format!("/v1/imports/{path}"))
        .insert_header(("content-length", file.len()))
        .insert_header(("idempotency-key", fresh_key()));
    shop.send(request.set_payload(file)).await
}

const PLAIN: &str = "sku,title,price,currency,categories,attribute:note\n\
                     TEE 1,\"Tee, \u{e9}\",19.90,EUR,A|B,\"two \"\"quoted\"\"\"\n";

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
}

/// One table in every dress: each reads as the same product.
// breaks: take a comma for every separator, or UTF-16 for UTF-8
#[actix_web::test]
async fn one_table_reads_the_same_however_it_was_saved() {
    let semicolons = "sku;title;price;currency;categories;attribute:note\n\
                      TEE 1;Tee, \u{e9};19,90;EUR;A|B;\"two \"\"quoted\"\"\"\n";
    let crlf = PLAIN.replace('\n', "\r\n");
    let mut expected = None;
    for (dress, bytes) in [
        ("plain", PLAIN.into()),
        ("byte order mark", format!("\u{feff}{PLAIN}").into_bytes()),
        ("CRLF", crlf.clone().into_bytes()),
        ("CR", PLAIN.replace('\n', "\r").into_bytes()),
        ("semicolons", semicolons.into()),
        ("tabs", semicolons.replace(';', "\t").into_bytes()),
        ("sep=", format!("sep=;\r\n{semicolons}").into_bytes()),
        ("UTF-16, little end first", utf16(&crlf, u16::to_le_bytes)),
        ("UTF-16, big end first", utf16(PLAIN, u16::to_be_bytes)),
        ("empty rows", format!("{PLAIN},,,,,\n\n , \n").into_bytes()),
        ("empty columns", PLAIN.replace('\n', ",,\n").into_bytes()),
    ] {
        let shop = Shop::bare().await;
        let answer = sends(&shop, "products", bytes).await;
        assert_eq!(answer.status, 200, "{dress}: {}", answer.json());
        assert_eq!(answer.json()["created"], 1, "{dress}");
        let mut product = shop.get("/v1/products/TEE%201").await.json();
        product["updated_at"] = Value::Null;
        let expected = expected.get_or_insert_with(|| product.clone());
        assert_eq!(&product, expected, "{dress}");
    }
    let expected = expected.expect("a product");
    let shown = (&expected["title"], &expected["price"]["minor"]);
    assert_eq!(shown, (&json!("Tee, \u{e9}"), &json!(1990)));
    assert_eq!(expected["attributes"]["note"], "two \"quoted\"");
}

// breaks: let `decode::text` replace what it cannot read
#[actix_web::test]
async fn what_cannot_be_read_for_sure_is_refused_by_its_line() {
    let shop = Shop::bare().await;
    let head = "sku,title,price,currency";
    let file = |rows: &str| format!("{head}{rows}").into_bytes();
    let latin = format!("{head}\nA,caf\u{e9},1,EUR\n").chars().map(|c| c as u8).collect();
    for (bytes, told) in [
        (file("\nA,a,\"1,234\",EUR\n"), "line 2, column `price`"),
        (file("\nA,a,1.000,EUR\n"), "line 2, column `price`"),
        (file("\r\nA,a,1,EUR\r\nB,b,x,EUR\r\n"), "line 3, column `price`"),
        (file("\rA,\"a\",1,EUR\rB,b,x,EUR\r"), "line 3, column `price`"),
        (file("\r\nA,a,1,EUR\r\nB,b,1,EUR,more\r\n"), "line 3: expected 4"),
        (file("\nA,\"a,1,EUR\nB,b,1,EUR\n"), "line 2: a quotation mark opens"),
        (latin, "line 2: expected UTF-8"),
        (utf16(head, u16::to_le_bytes)[2..].to_vec(), "UTF-16 without a byte order mark"),
        (file(",\nA,a,1,EUR,stray\n"), "line 2: something stands in a column without"),
        (b"sep=:\nsku:title\n".to_vec(), "line 1: expected `sep=`"),
    ] {
        let problem = sends(&shop, "products", bytes).await.problem(422, "invalid_request");
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(told), "{told}: {detail}");
    }
    assert_eq!(shop.get("/v1/products").await.json()["items"], json!([]));
}

// breaks: read lists as JSON alone in `Fields::texts`
#[actix_web::test]
async fn lists_stand_plain_or_as_json_in_a_cell() {
    let shop = Shop::bare().await;
    let rates = "id,title,service,amount_minor,currency,countries\n";
    for cell in ["\"US, CA\"", "US;CA", "US | CA", "\"[\"\"US\"\",\"\"CA\"\"]\""] {
        let file = format!("{rates}a,A,standard,5,EUR,{cell}\n");
        let answer = sends(&shop, "shipping-rates", file.into_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        let rate = shop.get("/v1/shipping-rates/a").await.json();
        assert_eq!(rate["countries"], json!(["US", "CA"]), "{cell}");
    }
}

// breaks: leave `guard` out of `field::encode`
#[actix_web::test]
async fn an_export_holds_no_formula_and_comes_back_the_same() {
    let shop = Shop::bare().await;
    let names = ["=HYPERLINK(\"x\")", "+1 mug", "-mug", "@mug", "'=1", "\u{ff1d}1"];
    for (at, name) in names.iter().enumerate() {
        let price = json!({"minor": 100, "currency": "EUR"});
        let product = json!({"title": name, "price": price, "attributes": {"note": name}});
        let saved = shop.ask(Method::PUT, &format!("/v1/products/A{at}"), &product).await;
        assert_eq!(saved.status, 200, "{}", saved.json());
    }
    let file = String::from_utf8(shop.get("/v1/exports/products").await.bytes).expect("UTF-8");
    for cell in file.lines().skip(1).flat_map(|line| line.split(',')) {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@', '\u{ff1d}']), "{cell}");
    }
    let other = Shop::bare().await;
    let done = sends(&other, "products", file.clone().into_bytes()).await;
    assert_eq!(done.json()["created"], names.len(), "{}", done.json());
    assert_eq!(other.get("/v1/exports/products").await.bytes, file.into_bytes());
    for (at, name) in names.iter().enumerate() {
        assert_eq!(&other.get(&format!("/v1/products/A{at}")).await.json()["title"], name);
    }
}

/// From the catalogue to the shipped order, over the doors that name a SKU.
// breaks: allow ASCII alone in `Sku::parse`
#[actix_web::test]
async fn a_sku_with_spaces_and_letters_is_sold_and_shipped() {
    let shop = Shop::open().await;
    let (sku, path) = ("Caf\u{e9} cup 12", "Cafe%CC%81%20%20cup%2012");
    let product = json!({"title": "Cup", "price": {"minor": 700, "currency": "EUR"}});
    let saved = shop.ask(Method::PUT, &format!("/v1/products/{path}"), &product).await;
    assert_eq!(saved.status, 200, "{}", saved.json());
    assert_eq!(saved.json()["sku"], sku);
    let received = json!({"sku": sku, "kind": "receive", "quantity": 3, "reason": "x"});
    assert_eq!(shop.post("/v1/stock/movements", &received).await.status, 201);
    assert_eq!(shop.get(&format!("/v1/stock/{path}")).await.json()["available"], 3);
    let (session, body) = created(&shop, &[(" Cafe\u{301}  cup 12 ", 2)]).await;
    assert_eq!(body["line_items"][0]["item"]["id"], sku, "{body}");
    let paid = shop.post(&format!("{session}/complete"), &pay("success_token")).await.json();
    let order = paid["order"]["id"].as_str().expect("an order").to_owned();
    shop.collects(&order).await;
    let ship = json!({"quantity": 2, "reason": "x"});
    let shipped = shop.post(&format!("/v1/orders/{order}/lines/1/ship"), &ship).await;
    assert_eq!(shipped.status, 201, "{}", shipped.json());
    assert_eq!(shop.get(&format!("/v1/stock/{path}")).await.json()["on_hand"], 1);
    let listed = format!("/v1/price-lists/USD/{path}");
    let price = shop.ask(Method::PUT, &listed, &json!({"minor": 5})).await;
    assert_eq!(price.json()["sku"], sku, "{}", price.json());
    let movements = shop.get(&format!("/v1/stock/{path}/movements")).await;
    assert_eq!(movements.status, 200, "{}", movements.json());
    // One that differs in its case alone is another product, and is told.
    let twin = shop.ask(Method::PUT, "/v1/products/CAF%C3%A9%20CUP%2012", &product).await.json();
    assert!(twin["warnings"][0].as_str().is_some_and(|text| text.contains(sku)), "{twin}");
    let file = "sku,title,price,currency\ntee,t,1,EUR\nX,x,1,EUR\nx,x,1,EUR\n";
    let told = sends(&shop, "products?dry_run=true", file.into()).await.json();
    assert_eq!(told["warnings"].as_array().map(Vec::len), Some(2), "{told}");
    for hidden in ["A%E2%80%8BB", "A%E2%80%AEB"] {
        let refused = shop.ask(Method::PUT, &format!("/v1/products/{hidden}"), &product).await;
        refused.problem(422, "invalid_request");
    }
}
