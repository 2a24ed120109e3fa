//! What a buyer pays with: what Adyen's component in the browser made (`state.data`), or a payment
//! method alone.

use serde_json::{Map, Value};

use crate::payment::Credential;

/// What of `state.data` is handed on. Amount, reference and account are ours to say.
const HANDED_ON: [&str; 8] = [
    "browserInfo",
    "billingAddress",
    "origin",
    "recurringProcessingModel",
    "riskData",
    "shopperInteraction",
    "shopperReference",
    "storePaymentMethod",
];

/// Where a card number would stand: it never leaves the house, whoever sent it.
const IN_THE_CLEAR: [&str; 4] = ["number", "cardNumber", "cvc", "expiryMonth"];

/// The parts of a request that a credential brings; `None` where it is none of Adyen's.
pub(super) fn read(credential: &Credential) -> Option<Map<String, Value>> {
    let Ok(Value::Object(mut data)) = serde_json::from_str(credential.expose()) else {
        return None;
    };
    let method = match data.remove("paymentMethod") {
        Some(method) => method,
        None => Value::Object(std::mem::take(&mut data)),
    };
    let fields = method.as_object()?;
    let is_clear = IN_THE_CLEAR.iter().any(|key| fields.contains_key(*key));
    if is_clear || fields.get("type").and_then(Value::as_str).is_none_or(str::is_empty) {
        return None;
    }
    data.retain(|key, _| HANDED_ON.contains(&key.as_str()));
    data.insert("paymentMethod".to_owned(), method);
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Value> {
        read(&Credential::new(text.to_owned())).map(Value::Object)
    }

    // breaks: a field handed on that is ours to say, or a card number that leaves the house
    #[test]
    fn a_credential_says_what_is_paid_with_and_nothing_else() {
        let data = r#"{"paymentMethod":{"type":"scheme","encryptedCardNumber":"x"},
            "browserInfo":{"language":"de"},"amount":{"value":1},"reference":"other",
            "merchantAccount":"Theirs","captureDelayHours":0}"#;
        let read = of(data).expect("what the component makes");
        let keys: Vec<&str> =
            read.as_object().expect("fields").keys().map(String::as_str).collect();
        assert_eq!(keys, ["browserInfo", "paymentMethod"]);
        let alone = of(r#"{"type":"ideal"}"#).expect("a method alone");
        assert_eq!(alone["paymentMethod"]["type"], "ideal");
        for not in [
            "pm_card_visa",
            "4111111111111111",
            "{}",
            "[]",
            r#"{"paymentMethod":"scheme"}"#,
            r#"{"type":""}"#,
            r#"{"type":"scheme","number":"4111111111111111"}"#,
            r#"{"paymentMethod":{"type":"scheme","cvc":"737"}}"#,
        ] {
            assert_eq!(of(not), None, "{not}");
        }
    }
}
