//! `[[payment.gateways]]`: who moves the money.

use serde::{Deserialize, Deserializer, Serialize};

use super::ucp::Secret;
use crate::base::Currency;

/// Names of gateways stand in attempts, metrics and addresses.
const NAME_CHARS_MAX: usize = 32;

/// Names that attempts have which go to no such gateway.
const RESERVED: [&str; 3] = ["none", "sandbox", "sandbox_remote"];

/// Hexadecimal digits of Adyen's HMAC key: 256 bits.
const HMAC_DIGITS: usize = 64;

/// A gateway with the account it uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewaySettings {
    /// Its name in attempts, metrics and the address of its notifications. It stays: attempts
    /// remember it.
    pub name: String,
    /// Currencies it takes; all, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<Currency>,
    /// Countries of buyers it takes (ISO 3166-1 alpha-2); all, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Payment handlers or kinds of instrument it takes; all, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<String>,
    /// Where it is, when it is not where it always is: a fake for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whose account.
    #[serde(flatten)]
    pub account: Account,
}

/// An account at a gateway. `kind` says at which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Account {
    /// Stripe.
    Stripe(StripeAccount),
    /// PayPal.
    #[serde(rename = "paypal")]
    PayPal(PayPalAccount),
    /// Adyen.
    Adyen(AdyenAccount),
}

/// An account of Stripe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeAccount {
    /// The account's secret key.
    pub secret_key: Secret,
    /// The signing secret of its notifications; while it is changed, two with a comma between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<Secret>,
}

/// An account of PayPal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayPalAccount {
    /// The app's client id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
    /// PayPal's name for the webhook that is registered for this shop; without it no notification
    /// is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,
    /// Whether it is an account of PayPal's sandbox.
    #[serde(default)]
    pub sandbox: bool,
}

/// A merchant account of Adyen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdyenAccount {
    /// The API key of the web service user.
    pub api_key: Secret,
    /// The merchant account.
    pub merchant_account: String,
    /// The HMAC key of the standard webhook; while it is changed, two with a comma between. Adyen
    /// has no look-up: without notifications an answer that got lost is never known.
    pub hmac_key: Secret,
    /// The prefix of the live endpoints (`1797a841fbb37ca7-AdyenDemo`); without it, the test
    /// platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_prefix: Option<String>,
}

impl GatewaySettings {
    /// What is wrong with it; each says what to do.
    pub(super) fn problems(&self) -> Vec<String> {
        let (name, mut found) = (&self.name, Vec::new());
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(is_plain) {
            found.push(format!(
                "has the name `{name}`: use up to {NAME_CHARS_MAX} small letters, digits and `_`"
            ));
        }
        if RESERVED.contains(&name.as_str()) {
            found.push(format!("cannot name a gateway `{name}`: the sandbox is named so"));
        }
        found.extend(self.account.problems(name));
        let is_country =
            |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if let Some(code) = self.countries.iter().find(|code| !is_country(code)) {
            found.push(format!("names the country `{code}`: use two capitals, such as `DE`"));
        }
        let is_address = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if self.url.as_ref().is_some_and(|url| !is_address(url)) {
            found.push(format!("has no address in `url` of `{name}`"));
        }
        found
    }

    /// Whether its money is for trying things out.
    pub fn is_test(&self) -> bool {
        match &self.account {
            Account::Stripe(account) => account.secret_key.expose().contains("_test_"),
            Account::PayPal(account) => account.sandbox,
            Account::Adyen(account) => account.live_prefix.is_none(),
        }
    }
}

impl Account {
    fn problems(&self, name: &str) -> Vec<String> {
        match self {
            Self::Stripe(account) => account.problems(name),
            Self::PayPal(account) => account.problems(name),
            Self::Adyen(account) => account.problems(name),
        }
    }
}

impl StripeAccount {
    fn problems(&self, name: &str) -> Vec<String> {
        let (key, mut found) = (self.secret_key.expose(), Vec::new());
        let is_key = ["sk_", "rk_"].iter().any(|prefix| key.starts_with(prefix));
        if !is_key || !is_token(key) {
            found.push(format!(
                "has no secret key for `{name}`: in Stripe's dashboard under Developers, API keys, \
                 it begins with `sk_` or `rk_`"
            ));
        }
        if !self.webhook_secrets().iter().all(|secret| secret.starts_with("whsec_")) {
            found.push(format!(
                "has a `webhook_secret` for `{name}` that is none: the signing secret of the \
                 endpoint in Stripe's dashboard begins with `whsec_`"
            ));
        }
        found
    }

    /// The signing secrets.
    pub fn webhook_secrets(&self) -> Vec<String> {
        self.webhook_secret.as_ref().map(each).unwrap_or_default()
    }
}

impl PayPalAccount {
    fn problems(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        // A colon would end the id where the two are sent together (RFC 7617 §2).
        if !is_token(&self.client_id) || self.client_id.contains(':') {
            found.push(format!(
                "has no `client_id` for `{name}`: it stands in PayPal's dashboard under Apps & \
                 Credentials"
            ));
        }
        if !is_token(self.client_secret.expose()) {
            found.push(format!(
                "has no `client_secret` for `{name}`: it stands in PayPal's dashboard under Apps & \
                 Credentials, as the app's secret key"
            ));
        }
        let is_id = |id: &String| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        if !self.webhook_id.as_ref().is_none_or(is_id) {
            found.push(format!(
                "has a `webhook_id` for `{name}` that is none: in PayPal's dashboard under the \
                 app, Webhooks, each has an id of letters and digits"
            ));
        }
        found
    }
}

impl AdyenAccount {
    fn problems(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        if !is_token(self.api_key.expose()) {
            found.push(format!(
                "has no `api_key` for `{name}`: in Adyen's Customer Area under Developers, API \
                 credentials"
            ));
        }
        if !is_token(&self.merchant_account) {
            found
                .push(format!("has no `merchant_account` for `{name}`: Adyen shows it at the top"));
        }
        let keys = self.hmac_keys();
        let is_key = |key: &String| {
            key.len() == HMAC_DIGITS && key.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if keys.is_empty() || !keys.iter().all(is_key) {
            found.push(format!(
                "has no `hmac_key` for `{name}`: generate one at the standard webhook in Adyen's \
                 Customer Area; it has {HMAC_DIGITS} hexadecimal digits"
            ));
        }
        let is_prefix = |prefix: &String| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !prefix.is_empty() && prefix.bytes().all(is_plain)
        };
        if self.live_prefix.as_ref().is_some_and(|prefix| !is_prefix(prefix)) {
            found.push(format!(
                "has a `live_prefix` for `{name}` that is none: in Adyen's Customer Area under \
                 Developers, API URLs, such as `1797a841fbb37ca7-AdyenDemo`"
            ));
        }
        found
    }

    /// The HMAC keys, in hexadecimal.
    pub fn hmac_keys(&self) -> Vec<String> {
        each(&self.hmac_key)
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Secrets with commas between.
fn each(secret: &Secret) -> Vec<String> {
    let all = secret.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    all.map(str::to_owned).collect()
}

/// A list, or a text that is one: environment variables have no lists.
pub(super) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<GatewaySettings>, D::Error> {
    #[derive(Deserialize)]
    struct Written {
        gateways: Vec<GatewaySettings>,
    }
    match toml::Value::deserialize(from)? {
        toml::Value::String(text) => {
            let written: Written = toml::from_str(&format!("gateways = {text}"))
                .map_err(|error| serde::de::Error::custom(error.message()))?;
            Ok(written.gateways)
        }
        value => value.try_into().map_err(|error| serde::de::Error::custom(error.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GatewaySettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    fn takes_its_keys_alone(text: &str) {
        let settings = read(text).expect(text);
        assert_eq!(settings.problems(), Vec::<String>::new(), "{text}");
        let shown = toml::to_string(&settings).expect("a table");
        assert!(shown.contains("***") && !shown.contains("sk_test_a"), "{shown}");
        let refused = read(&format!("{text}\nhmak_key = \"x\"")).expect_err(text);
        assert!(refused.contains("hmak_key"), "{refused}");
    }

    // breaks: an account that takes keys of another one, or keys that nobody knows
    #[test]
    fn each_kind_of_account_takes_its_own_keys_and_no_others() {
        let stripe = "name = \"a\"\nkind = \"stripe\"\nsecret_key = \"sk_test_a\"";
        let adyen = format!(
            "name = \"c\"\nkind = \"adyen\"\napi_key = \"k\"\nmerchant_account = \"Shop\"\n\
             hmac_key = \"{}\"",
            "0A".repeat(32)
        );
        takes_its_keys_alone(stripe);
        takes_its_keys_alone(&adyen);
        let mixed = read(&format!("{stripe}\nclient_id = \"i\"")).expect_err("of another one");
        assert!(mixed.contains("client_id"), "{mixed}");
        let paypal =
            "name = \"a\"\nkind = \"paypal\"\nclient_id = \"i\"\nclient_secret = \"sk_test_a\"";
        takes_its_keys_alone(paypal);
        let unknown = read("name = \"a\"\nkind = \"bank\"").expect_err("no such kind");
        assert!(unknown.contains("stripe"), "{unknown}");
    }

    // breaks: a check that is not made for one kind
    #[test]
    fn every_wrong_key_says_where_the_right_one_stands() {
        let wrong = [
            "name = \"a\"\nkind = \"stripe\"\nsecret_key = \"pk_live_a\"",
            "name = \"a\"\nkind = \"stripe\"\nsecret_key = \"\"\nwebhook_secret = \"x\"",
            "name = \"a\"\nkind = \"paypal\"\nclient_id = \"a:b\"\nclient_secret = \"s\"",
            "name = \"a\"\nkind = \"paypal\"\nclient_id = \"\"\nclient_secret = \"\"\n\
             webhook_id = \"-\"",
            "name = \"c\"\nkind = \"adyen\"\napi_key = \"k\"\nmerchant_account = \"S\"\n\
             hmac_key = \"0A\"",
            "name = \"d\"\nkind = \"adyen\"\napi_key = \"k\"\nmerchant_account = \"S\"\n\
             hmac_key = \"\"\nlive_prefix = \"https://x\"",
        ];
        for (text, expected) in wrong.into_iter().zip([1, 2, 1, 3, 1, 2]) {
            let problems = read(text).expect(text).problems();
            assert_eq!(problems.len(), expected, "{problems:?}");
            assert!(problems.iter().all(|why| why.contains(" in ") || why.contains(" at ")));
        }
    }
}
