//! What we say to Adyen, and what our fake says in its name, held against Adyen's own description
//! of its API. What we say is judged by somebody who is not ours (see [`judge`](crate::judge)).

use doorbuster::{
    base::{AttemptId, Money, OrderId, SystemChance, Timestamp},
    payment::{AuthorizeRequest, Authorized, Credential, Gateway, MoneyRequest},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, time::Duration};

use super::{
    card,
    fake::{Fake, KEY},
    settings,
};
use crate::{
    judge::{Judge, description},
    shop::On,
};

/// Everything that a shop ever asks of Adyen.
async fn life(adyen: &dyn Gateway, fake: &Fake, now: Timestamp) {
    let euros = |minor| Money::from_minor(minor, "EUR".parse().expect("a currency"));
    let chance = SystemChance;
    let request = |credential: String, authenticate| {
        let reference = AttemptId::new(now, &chance);
        AuthorizeRequest {
            reference,
            order: OrderId::from_uuid(reference.uuid()),
            amount: euros(1990),
            credential: Credential::new(credential),
            not_after: now.plus(Duration::from_secs(60)),
            authenticate,
            return_url: format!("https://shop.example/payments/return/{reference}"),
        }
    };
    let paid = request(card("good"), false);
    let Ok(Authorized::Approved { authorization, .. }) = adyen.authorize(&paid).await else {
        panic!("a good card is taken");
    };
    let part = |part, minor| MoneyRequest {
        reference: paid.reference,
        part,
        authorization: authorization.clone(),
        amount: euros(minor),
    };
    adyen.capture(&part(0, 1500)).await.expect("a part is captured");
    adyen.refund(&part(1, 500)).await.expect("a part is given back");
    adyen.void(&part(0, 490)).await.expect("the rest is let go");
    let challenged = request(card("challenge"), true);
    assert!(matches!(adyen.authorize(&challenged).await, Ok(Authorized::Challenged { .. })));
    fake.confirmed();
    let result = fake.payments().last().expect("a payment").psp_reference.clone();
    let returned = format!("redirectResult={result}");
    adyen.resume(&challenged.lookup(), Some(&returned)).await.expect("it goes on");
    let given_up = request(card("challenge"), false);
    assert!(matches!(adyen.authorize(&given_up).await, Ok(Authorized::Challenged { .. })));
    assert!(adyen.end(&given_up.lookup()).await.is_err(), "its end is told later");
    let stored = json!({ "paymentMethod": { "type": "scheme", "storedPaymentMethodId": "M5N7" },
        "shopperReference": "ada", "shopperInteraction": "ContAuth",
        "recurringProcessingModel": "CardOnFile" });
    let ideal = json!({ "type": "ideal" });
    // Every code that Adyen refuses with.
    let refused = (2..=38).map(|code| card(&format!("refused_{code}_Reason {code}")));
    let others = [card("unreadable"), stored.to_string(), ideal.to_string()];
    for credential in refused.chain(others) {
        let _answer = adyen.authorize(&request(credential, false)).await.expect("an answer");
    }
}

// breaks: a field in `Adyen::payment` that Adyen does not know, or an amount with a comma
#[actix_web::test]
async fn every_request_fits_adyens_own_description() {
    let fake = Fake::start();
    let gateway = settings(&fake.url);
    let shop = On::Sqlite.shop_with(move |config| config.payment.gateways = vec![gateway]).await;
    let adyen = shop.app().desk.gateways.named("adyen").expect("it is configured").clone();
    life(&*adyen, &fake, shop.now()).await;
    let calls = fake.state.lock().unwrap().calls.clone();
    let kinds: BTreeSet<&str> =
        calls.iter().map(|(call, ..)| call.rsplit('/').next().expect("a path")).collect();
    let all = ["cancels", "captures", "details", "payments", "refunds"];
    assert!(kinds.iter().copied().eq(all), "{kinds:?}");
    let judge = Judge::start(&description("adyen_checkout"), &[]);
    let ask = |call: &str, key: &str, body: &Value| {
        let headers =
            [("X-API-Key", KEY), ("Idempotency-Key", key), ("Content-Type", "application/json")];
        let path = call.strip_prefix("/v72").expect("the version");
        judge.objections(&format!("POST {path}"), &headers, &body.to_string())
    };
    for (call, key, body, _) in &calls {
        assert_eq!(ask(call, key, body), Vec::<String>::new(), "{call} {body}");
    }
    // It sees what is wrong.
    let (call, key, body, _) = &calls[0];
    for (name, wrong) in
        [("amount", json!("19,90")), ("channel", json!("Fax")), ("reference", json!(7))]
    {
        let mut body = body.clone();
        body[name] = wrong;
        assert!(!ask(call, key, &body).is_empty(), "{name} passed");
    }
    shop.leaves().await;
}

/// A schema of a description, by its name.
fn schema(description: &Path, name: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(description).expect("it reads");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let root = json!({ "$ref": format!("#/components/schemas/{name}"),
        "components": all["components"] });
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&root);
    options.expect("a schema")
}

// breaks: an answer or a notification of the fake that Adyen would not give
#[actix_web::test]
async fn everything_the_fake_says_fits_adyens_own_description() {
    let fake = Fake::start();
    let gateway = settings(&fake.url);
    let shop = On::Sqlite.shop_with(move |config| config.payment.gateways = vec![gateway]).await;
    let adyen = shop.app().desk.gateways.named("adyen").expect("it is configured").clone();
    life(&*adyen, &fake, shop.now()).await;
    let calls = fake.state.lock().unwrap().calls.clone();
    let api = description("adyen_checkout");
    let mut distinct = BTreeSet::new();
    for (call, _, _, (status, told)) in &calls {
        let name = match (call.rsplit('/').next().expect("a path"), status) {
            (_, 400..) => "ServiceError",
            ("payments", _) => "PaymentResponse",
            ("details", _) => "PaymentDetailsResponse",
            ("captures", _) => "PaymentCaptureResponse",
            ("refunds", _) => "PaymentRefundResponse",
            ("cancels", _) if call == "/v72/cancels" => "StandalonePaymentCancelResponse",
            _ => "PaymentCancelResponse",
        };
        distinct.insert((name, told.to_string()));
    }
    assert!(distinct.len() >= 40, "{}", distinct.len());
    let names: BTreeSet<&str> = distinct.iter().map(|(name, _)| *name).collect();
    for name in names {
        let validator = schema(&api, name);
        for (_, told) in distinct.iter().filter(|(of, _)| *of == name) {
            let told: Value = serde_json::from_str(told).expect("JSON");
            let wrong: Vec<_> = validator.iter_errors(&told).map(|why| why.to_string()).collect();
            assert!(wrong.is_empty(), "{name} {told}: {wrong:?}");
        }
    }
    let item = schema(&description("adyen_webhooks"), "NotificationRequestItem");
    let told = fake.untold();
    assert!(told.len() >= 40, "{}", told.len());
    for told in &told {
        let wrong: Vec<_> = item.iter_errors(told).map(|why| why.to_string()).collect();
        assert!(wrong.is_empty(), "{told}: {wrong:?}");
    }
    let mut wrong = told[0].clone();
    wrong["eventCode"] = json!("AUTHORIZATION");
    assert!(!item.is_valid(&wrong), "it sees what is wrong");
    shop.leaves().await;
}
