//! What a credential says to PayPal.

use serde_json::{Value, json};

use super::calls::is_id;
use crate::payment::{AuthorizeRequest, Credential};

/// The longest token that PayPal takes.
const TOKEN_BYTES: usize = 255;

/// What a buyer pays with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// `redirect`: they agree at PayPal.
    Redirect,
    /// `order:ID`: they have agreed, or are about to, by PayPal's buttons on the platform's page.
    Order(&'a str),
    /// `paypal:ID`, `card:ID`, `agreement:ID`: what they once left with PayPal.
    Vaulted(Vault, &'a str),
}

/// What a kept token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vault {
    /// A PayPal account.
    Wallet,
    /// A card.
    Card,
    /// A billing agreement.
    Agreement,
}

impl<'a> Source<'a> {
    /// Reads a credential. Anything else does not leave the house: it may be a card number.
    pub(super) fn read(credential: &'a Credential) -> Option<Self> {
        let raw = credential.expose();
        if raw == "redirect" {
            return Some(Self::Redirect);
        }
        let (kind, id) = raw.split_once(':')?;
        if kind == "order" {
            return is_id(id).then_some(Self::Order(id));
        }
        let vault = match kind {
            "paypal" => Vault::Wallet,
            "card" => Vault::Card,
            "agreement" => Vault::Agreement,
            _ => return None,
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_token = !id.is_empty() && id.len() <= TOKEN_BYTES && id.bytes().all(is_plain);
        // Digits alone are no token of PayPal's, and may be a card number.
        let has_letter = id.bytes().any(|byte| byte.is_ascii_alphabetic());
        (is_token && has_letter).then_some(Self::Vaulted(vault, id))
    }
}

/// The payment source of an order whose buyer goes to PayPal and comes back.
pub(super) fn redirect(return_url: &str) -> Value {
    json!({ "payment_source": { "paypal": { "experience_context": {
        "return_url": return_url,
        "cancel_url": return_url,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
    } } } })
}

/// The payment source of an order that is paid by what the buyer once left.
pub(super) fn vaulted(vault: Vault, id: &str, request: &AuthorizeRequest) -> Value {
    let url = &request.return_url;
    let source = match vault {
        Vault::Wallet => json!({ "paypal": { "vault_id": id } }),
        Vault::Agreement => json!({ "token": { "id": id, "type": "BILLING_AGREEMENT" } }),
        Vault::Card => {
            // The bank may ask by itself; we ask it to where the assessment says so.
            let method = if request.authenticate { "SCA_ALWAYS" } else { "SCA_WHEN_REQUIRED" };
            json!({ "card": {
                "vault_id": id,
                "attributes": { "verification": { "method": method } },
                "experience_context": { "return_url": url, "cancel_url": url },
            } })
        }
    };
    json!({ "payment_source": source })
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: a credential that goes to PayPal whatever it is, or a card number behind `card:`
    #[test]
    fn what_may_be_a_card_number_does_not_leave_the_house() {
        let read = |text: &str| {
            let credential = Credential::new(text.to_owned());
            Source::read(&credential).map(|source| format!("{source:?}"))
        };
        assert_eq!(read("redirect").as_deref(), Some("Redirect"));
        assert_eq!(
            read("order:5O190127TN364715T").as_deref(),
            Some("Order(\"5O190127TN364715T\")")
        );
        assert_eq!(read("card:8kk8451t").as_deref(), Some("Vaulted(Card, \"8kk8451t\")"));
        assert_eq!(read("paypal:8kk-8_51t").as_deref(), Some("Vaulted(Wallet, \"8kk-8_51t\")"));
        assert_eq!(read("agreement:B-1AB").as_deref(), Some("Vaulted(Agreement, \"B-1AB\")"));
        for wrong in [
            "4242424242424242",
            "card:4242424242424242",
            "card:4242-4242-4242-4242",
            "card:",
            "order:5o19/../capture",
            "order:",
            "bank:abc",
            "Redirect",
            "paypal:a b",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
