//! `[[payment.gateways]]`: who moves the money.

use serde::{Deserialize, Deserializer, Serialize};

use super::ucp::Secret;
use crate::base::Currency;

/// Names of gateways stand in attempts, metrics and addresses.
const NAME_CHARS_MAX: usize = 32;

/// Names that attempts have which go to no such gateway.
const RESERVED: [&str; 3] = ["none", "sandbox", "sandbox_remote"];

/// A gateway with the account it uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaySettings {
    /// Its name in attempts, metrics and the address of its notifications. It stays: attempts
    /// remember it.
    pub name: String,
    /// Whose account.
    pub kind: GatewayKind,
    /// The account's secret key.
    pub secret_key: Secret,
    /// The signing secret of its notifications; while it is changed, two with a comma between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<Secret>,
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
}

/// Whose account a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayKind {
    /// Stripe.
    Stripe,
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
        let key = self.secret_key.expose();
        let is_key = ["sk_", "rk_"].iter().any(|prefix| key.starts_with(prefix));
        if !is_key || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            found.push(format!(
                "has no secret key for `{name}`: in Stripe's dashboard under Developers, API keys, \
                 it begins with `sk_` or `rk_`"
            ));
        }
        let is_secret = |secret: &str| secret.starts_with("whsec_");
        if !self.webhook_secrets().iter().all(|secret| is_secret(secret)) {
            found.push(format!(
                "has a `webhook_secret` for `{name}` that is none: the signing secret of the \
                 endpoint in Stripe's dashboard begins with `whsec_`"
            ));
        }
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

    /// The signing secrets.
    pub fn webhook_secrets(&self) -> Vec<String> {
        let all = self.webhook_secret.as_ref().map(|secret| secret.expose()).unwrap_or_default();
        let each = all.split(',').map(str::trim).filter(|secret| !secret.is_empty());
        each.map(str::to_owned).collect()
    }

    /// Whether its key is one for trying things out.
    pub fn is_test(&self) -> bool {
        self.secret_key.expose().contains("_test_")
    }
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
