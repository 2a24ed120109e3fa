//! What may arrive at the address by day and night.

use serde_json::{Value, json};

use super::{
    batch,
    fake::{HMAC_KEY, signed},
};

/// A name, and the bytes.
type Forgery = (&'static str, Vec<u8>);

/// All of them, made of a good one.
pub(super) fn forgeries(good: &Value) -> Vec<Forgery> {
    let mut all = changed(good);
    all.extend(misshapen(&batch(std::slice::from_ref(good)).to_string()));
    all
}

/// What is no batch at all.
fn misshapen(text: &str) -> Vec<Forgery> {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    vec![
        ("an empty body", Vec::new()),
        ("nonsense", b"nonsense".to_vec()),
        ("half a document", text.as_bytes()[..text.len() / 2].to_vec()),
        ("a list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("a form", b"live=false&eventCode=AUTHORISATION".to_vec()),
        ("no UTF-8", vec![0xff, 0xfe, 0x00]),
        ("deep nesting", deep.into_bytes()),
    ]
}

/// What was changed after it was signed, or signed and is not for us.
fn changed(good: &Value) -> Vec<Forgery> {
    let whole = batch(std::slice::from_ref(good));
    let of_batch = |change: &dyn Fn(&mut Value)| {
        let mut body = whole.clone();
        change(&mut body);
        body.to_string().into_bytes()
    };
    // After the signature was made.
    let of_item = |change: &dyn Fn(&mut Value)| {
        of_batch(&|body| change(&mut body["notificationItems"][0]["NotificationRequestItem"]))
    };
    let set = |name: &'static str, value: Value| of_item(&|item| item[name] = value.clone());
    let signature =
        |value: Value| of_item(&|item| item["additionalData"]["hmacSignature"] = value.clone());
    let without = |name: &'static str| {
        of_item(&|item| drop(item.as_object_mut().expect("an object").remove(name)))
    };
    // Before it: signed, and still not for us, or no item.
    let resigned = |name: &'static str, value: Value| {
        let mut item = good.clone();
        item[name] = value;
        batch(&[item]).to_string().into_bytes()
    };
    let by_another_key = {
        let other = HMAC_KEY.replace('0', "1");
        let item = json!({ "NotificationRequestItem": signed(&other, good) });
        json!({ "live": "false", "notificationItems": [item] }).to_string().into_bytes()
    };
    let one_forged_of_two = of_batch(&|body| {
        let mut second = body["notificationItems"][0].clone();
        second["NotificationRequestItem"]["pspReference"] = json!("OTHER");
        body["notificationItems"].as_array_mut().expect("a list").push(second);
    });
    vec![
        ("no signature", without("additionalData")),
        ("an empty signature", signature(json!(""))),
        ("no base64", signature(json!("§§§"))),
        ("a signature cut short", signature(json!("coqCmt/IZ4E3"))),
        ("a signature of zeros", signature(json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))),
        ("a signature that is a number", signature(json!(7))),
        ("a signature that is a list", signature(json!(["x"]))),
        ("another key", by_another_key),
        ("another amount", set("amount", json!({"value": 1, "currency": "EUR"}))),
        ("another currency", set("amount", json!({"value": 1990, "currency": "USD"}))),
        ("an amount with a fraction", set("amount", json!({"value": 1990.5, "currency": "EUR"}))),
        ("an amount that is a word", set("amount", json!({"value": "1990", "currency": "EUR"}))),
        ("an amount beyond all numbers", set("amount", json!({"value": 1e300, "currency": "EUR"}))),
        ("no amount", without("amount")),
        ("another reference", set("merchantReference", json!("pay_0"))),
        ("no reference", without("merchantReference")),
        ("another name of Adyen's", set("pspReference", json!("OTHER"))),
        ("no name of Adyen's", without("pspReference")),
        ("an original that was not there", set("originalReference", json!("OTHER"))),
        ("another event", set("eventCode", json!("CAPTURE"))),
        ("no event", without("eventCode")),
        ("a refusal made an approval", set("success", json!("false"))),
        ("success that is a truth", set("success", json!(true))),
        ("no success", without("success")),
        ("another account", set("merchantAccountCode", json!("Theirs"))),
        ("another account, signed", resigned("merchantAccountCode", json!("Theirs"))),
        ("no account", without("merchantAccountCode")),
        ("live money at a test account", of_batch(&|body| body["live"] = json!("true"))),
        ("live that is a truth", of_batch(&|body| body["live"] = json!(false))),
        ("one forged of two", one_forged_of_two),
        ("no items", of_batch(&|body| body["notificationItems"] = json!([]))),
        ("items that are none", of_batch(&|body| body["notificationItems"] = json!(["x"]))),
        ("items that are a word", of_batch(&|body| body["notificationItems"] = json!("x"))),
        ("an approval without a currency", resigned("amount", json!({"value": 1, "currency": ""}))),
        ("an approval in no currency", resigned("amount", json!({"value": 1, "currency": "XYZ"}))),
    ]
}
