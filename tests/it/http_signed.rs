//! Requests that platforms sign, and answers that the shop signs.

use actix_web::test::TestRequest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorbuster::signing::{
    Message, PublicKey, SigningKey, Target, claims, content_digest, detached, digest_holds, sign,
};
use serde_json::{Value, json};

use super::{
    http_platforms::{Platform, says},
    http_shop::{Answer, Shop, fresh_key},
    http_ucp::{SESSIONS, cart, pay},
    http_ucp01::{SESSIONS as EARLIER, items},
};

const HOST: &str = "shop.example";

/// A signed request, and what is wrong with it.
struct Asks<'a> {
    platform: &'a Platform,
    key: &'a SigningKey,
    path: &'a str,
    body: String,
    /// What is sent in place of the body that was signed.
    sent: Option<String>,
    covers: Vec<&'a str>,
    /// Headers that stand beside it.
    beside: Vec<(&'static str, String)>,
}

impl<'a> Asks<'a> {
    fn well(platform: &'a Platform, path: &'a str, body: &Value) -> Self {
        let covers = vec![
            "@method",
            "@authority",
            "@path",
            "ucp-agent",
            "idempotency-key",
            "content-digest",
            "content-type",
        ];
        let body = body.to_string();
        Self { platform, key: &platform.key, path, body, sent: None, covers, beside: vec![] }
    }

    async fn asks(&self, shop: &Shop) -> Answer {
        let (agent, key) = (self.platform.agent(), fresh_key());
        let digest = content_digest(self.body.as_bytes());
        let header = |name: &str| {
            let value = match name {
                "ucp-agent" => &agent,
                "idempotency-key" => &key,
                "content-digest" => &digest,
                "content-type" => "application/json",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let target =
            Target::Request { method: "POST", authority: HOST, path: self.path, query: None };
        let message = Message { target, header: &header };
        let signed = sign(&message, &self.covers, self.key, shop.door.clock.now());
        let sent = self.sent.as_ref().unwrap_or(&self.body);
        let mut request = TestRequest::post()
            .uri(self.path)
            .insert_header(("host", HOST))
            .insert_header(("ucp-agent", agent.as_str()))
            .insert_header(("idempotency-key", key.as_str()))
            .insert_header(("content-digest", digest.as_str()))
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-length", sent.len()))
            .insert_header(("signature-input", signed.input))
            .insert_header(("signature", signed.signature))
            .set_payload(sent.clone());
        for beside in &self.beside {
            request = request.append_header(beside.clone());
        }
        shop.send(request).await
    }
}

fn tee() -> Value {
    cart(&[("EBOOK", 1)])
}

#[actix_web::test]
async fn a_request_is_believed_when_every_bit_of_its_signature_is_right() {
    let (shop, platform) = (Shop::open().await.that_wants_signatures(), Platform::open());
    let well = Asks::well(&platform, SESSIONS, &tee());
    let made = well.asks(&shop).await;
    assert_eq!(made.status, 201, "{}", made.json());

    let unsigned = says(&shop, &platform.agent(), SESSIONS, &tee()).await;
    unsigned.problem(401, "signature_missing");
    let bare = shop.get(&format!("{SESSIONS}/chk_1")).await;
    bare.problem(401, "signature_missing");

    let mut tampered = Asks::well(&platform, SESSIONS, &tee());
    tampered.sent = Some(cart(&[("EBOOK", 9)]).to_string());
    tampered.asks(&shop).await.problem(400, "digest_mismatch");

    let stranger = SigningKey::read(&SigningKey::make()).expect("a key");
    let forged = Asks { key: &stranger, ..Asks::well(&platform, SESSIONS, &tee()) };
    forged.asks(&shop).await.problem(401, "key_not_found");

    for left_out in [
        "@method",
        "@path",
        "@authority",
        "ucp-agent",
        "idempotency-key",
        "content-digest",
        "content-type",
    ] {
        let mut partial = Asks::well(&platform, SESSIONS, &tee());
        partial.covers.retain(|name| *name != left_out);
        let told = partial.asks(&shop).await.problem(401, "signature_invalid");
        assert!(told["detail"].as_str().expect("a text").contains(left_out), "{told}");
        assert_eq!(told["messages"][0]["code"], "signature_invalid");
    }
    // Only the protocol of platforms is signed.
    assert_eq!(shop.get("/v1/orders").await.status, 200);
}

#[actix_web::test]
async fn a_key_of_another_kind_and_a_wrong_key_under_a_known_name_are_refused() {
    let (shop, platform) = (Shop::open().await, Platform::open());
    let mut profile = platform.profile();
    profile["signing_keys"][0]["crv"] = json!("P-384");
    platform.shows(&profile);
    let told = Asks::well(&platform, SESSIONS, &tee()).asks(&shop).await;
    told.problem(400, "algorithm_unsupported");
    // Another's key under the name of the platform's own.
    let other = Platform::open();
    let mut profile = other.profile();
    let stranger = SigningKey::read(&SigningKey::make()).expect("a key").jwk();
    profile["signing_keys"][0]["x"] = stranger["x"].clone();
    profile["signing_keys"][0]["y"] = stranger["y"].clone();
    other.shows(&profile);
    let told = Asks::well(&other, SESSIONS, &tee()).asks(&shop).await;
    told.problem(401, "signature_invalid");
}

#[actix_web::test]
async fn a_profile_that_cannot_be_had_stops_only_who_must_sign() {
    let (shop, platform) = (Shop::open().await, Platform::open());
    platform.shows(&json!(5));
    let well = Asks::well(&platform, SESSIONS, &tee());
    assert_eq!(well.asks(&shop).await.status, 201, "it is worth as much as no signature");
    let shop = shop.that_wants_signatures();
    well.asks(&shop).await.problem(422, "profile_malformed");
    let mut gone = Platform::open();
    gone.base = "http://10.0.0.1".to_owned();
    Asks::well(&gone, SESSIONS, &tee()).asks(&shop).await.problem(424, "profile_unreachable");
}

#[actix_web::test]
async fn headers_that_do_not_read_are_refused() {
    let (shop, platform) = (Shop::open().await, Platform::open());
    let asks = |input: &'static str, signature: &'static str, agent: String| {
        let request = TestRequest::get()
            .uri("/ucp/orders/ord_1")
            .insert_header(("ucp-agent", agent))
            .insert_header(("signature-input", input))
            .insert_header(("signature", signature));
        shop.send(request)
    };
    let agent = platform.agent();
    for (input, signature, status, code) in [
        ("sig1=(", "sig1=:AA==:", 401, "signature_invalid"),
        ("sig1=();keyid=\"k\"", "sig2=:AA==:", 401, "signature_invalid"),
        ("sig1=();created=1", "sig1=:AA==:", 401, "signature_invalid"),
        (
            "sig1=();keyid=\"k\";alg=\"rsa-v1_5-sha256\"",
            "sig1=:AA==:",
            400,
            "algorithm_unsupported",
        ),
        ("sig1=();created=1;keyid=\"k\"", "sig1=:AA==:", 401, "key_not_found"),
    ] {
        asks(input, signature, agent.clone()).await.problem(status, code);
    }
    let told = asks("sig1=();keyid=\"k\"", "sig1=:AA==:", String::new()).await;
    told.problem(401, "key_not_found");
}

// breaks: let `body_alone_counts` be true for `Dialect::Ucp` too
#[actix_web::test]
async fn a_signature_over_a_body_counts_over_the_first_version_and_no_other() {
    let (shop, platform) = (Shop::open().await.that_wants_signatures(), Platform::open());
    let body = items(&[("EBOOK", 1)]).to_string();
    let asks_at = |path: &str, signature: String| {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("ucp-agent", platform.agent()))
            .insert_header(("idempotency-key", fresh_key()))
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-length", body.len()))
            .insert_header(("request-signature", signature))
            .set_payload(body.clone());
        shop.send(request)
    };
    let asks = |signature: String| asks_at(EARLIER, signature);
    let right = detached(&platform.key, body.as_bytes());
    let made = asks(right.clone()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    asks_at(SESSIONS, right.clone()).await.problem(401, "signature_missing");
    let header = right.split('.').next().expect("a header");
    let wrong = format!("{header}..{}", URL_SAFE_NO_PAD.encode([0; 64]));
    let stranger = SigningKey::read(&SigningKey::make()).expect("a key");
    for (signature, code) in [
        (wrong, "signature_invalid"),
        (detached(&stranger, body.as_bytes()), "key_not_found"),
        ("garbage".to_owned(), "signature_invalid"),
    ] {
        let told = asks(signature).await;
        assert_eq!((told.status.as_u16(), &told.json()["code"]), (401, &json!(code)));
    }
    // Clients of that version fill the header with anything.
    let shop = Shop::open().await;
    let request = TestRequest::get()
        .uri("/ucp/2026-01-11/orders/ord_1")
        .insert_header(("request-signature", "test"));
    assert_eq!(shop.send(request).await.status, 404);
}

// breaks: check the first claim alone in `signed::believe_message`, or take some in `claims`
#[actix_web::test]
async fn beside_a_right_signature_stands_no_wrong_one() {
    let shop = Shop::open().await;
    let platform = Platform::open();
    let kid = platform.key.kid();
    let input = |label: &str| ("signature-input", format!("{label}=(\"@method\");keyid=\"{kid}\""));
    let signature = |label: &str| ("signature", format!("{label}=:AAAA:"));
    let body = tee().to_string();
    let stranger = SigningKey::read(&SigningKey::make()).expect("a key");
    let jws = |key: &SigningKey, body: &str| ("request-signature", detached(key, body.as_bytes()));
    let many = ["a", "b", "c", "d"].map(|label| [input(label), signature(label)]).concat();
    for shop in [shop.twin(), shop.that_wants_signatures()] {
        let asks = async |beside: Vec<(&'static str, String)>| {
            Asks { beside, ..Asks::well(&platform, SESSIONS, &tee()) }.asks(&shop).await
        };
        for (beside, code) in [
            (vec![signature("forged")], "signature_invalid"),
            (vec![input("forged")], "signature_invalid"),
            (vec![input("forged"), signature("forged")], "signature_invalid"),
            (many.clone(), "signature_invalid"),
            (vec![jws(&platform.key, "{}")], "signature_invalid"),
            (vec![jws(&stranger, &body)], "key_not_found"),
        ] {
            asks(beside).await.problem(401, code);
        }
        let both = asks(vec![jws(&platform.key, &body)]).await;
        assert_eq!(both.status, 201, "{}", both.json());
    }
}

#[actix_web::test]
async fn an_answer_to_a_payment_is_signed_for_who_says_who_they_are() {
    let (shop, platform) = (Shop::open().await, Platform::open());
    let made = says(&shop, &platform.agent(), SESSIONS, &tee()).await.json();
    let path = format!("{SESSIONS}/{}/complete", made["id"].as_str().expect("an id"));
    let paid = says(&shop, &platform.agent(), &path, &pay("success_token")).await;
    let header = |name: &str| paid.header(name).map(str::to_owned);
    let (input, signature) = (header("signature-input"), header("signature"));
    let claim = claims(input.as_deref(), signature.as_deref()).expect("is signed").remove(0);
    let profile = shop.get("/.well-known/ucp").await.json();
    let jwk = &profile["signing_keys"][0];
    assert_eq!(jwk["kid"], claim.keyid.as_str());
    let target = Target::Response { status: paid.status.as_u16() };
    let message = Message { target, header: &header };
    let must = ["@status", "content-digest", "content-type"];
    let key = PublicKey::of_jwk(jwk).expect("a key");
    claim.verify(&message, &key, &must, shop.door.clock.now()).expect("it is believed");
    let digest = header("content-digest").expect("a digest");
    assert_eq!(digest_holds(&digest, &paid.bytes), Some(true));

    let made = shop.post(SESSIONS, &tee()).await.json();
    let path = format!("{SESSIONS}/{}/complete", made["id"].as_str().expect("an id"));
    let paid = shop.post(&path, &pay("success_token")).await;
    assert_eq!((paid.status.as_u16(), paid.header("signature")), (200, None));
}
