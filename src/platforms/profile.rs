//! What a profile says, as far as it is needed here. Read leniently: platforms say more than we
//! know, and what does not read is as good as not said.

use serde_json::Value;

use crate::{
    base::Protocol,
    signing::{PublicKey, UnusableKey},
};

/// Keys of one profile that are read: some in use, some on their way in or out.
const KEYS_MAX: usize = 32;

/// The capability whose configuration names the address for webhooks.
const ORDER: &str = "dev.ucp.shopping.order";

/// A platform's profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    keys: Vec<(String, Result<PublicKey, UnusableKey>)>,
    webhooks: Vec<(Option<String>, String)>,
}

impl Profile {
    /// Reads a profile of any version. `None` when it is no JSON object.
    pub fn read(body: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(body).ok()?;
        let document = document.as_object()?;
        let keys = document.get("signing_keys").and_then(Value::as_array);
        let keys = keys.into_iter().flatten().take(KEYS_MAX).filter_map(|jwk| {
            let kid = jwk["kid"].as_str()?;
            Some((kid.to_owned(), PublicKey::of_jwk(jwk)))
        });
        let capabilities = document.get("ucp").map(|ucp| &ucp["capabilities"]);
        Some(Self {
            keys: keys.collect(),
            webhooks: webhooks(capabilities.unwrap_or(&Value::Null)),
        })
    }

    /// The key of this name. `None` when the profile has none.
    pub fn key(&self, kid: &str) -> Option<&Result<PublicKey, UnusableKey>> {
        self.keys.iter().find(|(name, _)| name == kid).map(|(_, key)| key)
    }

    /// Where the platform wants to hear of orders that came over this protocol: said for its
    /// version, or else for any.
    pub fn webhook(&self, protocol: Protocol) -> Option<&str> {
        let version = protocol.as_str().split_once('/').map(|(_, version)| version);
        let named =
            |wanted: Option<&str>| self.webhooks.iter().find(|(said, _)| said.as_deref() == wanted);
        let found = named(version).or_else(|| self.webhooks.first());
        found.map(|(_, url)| url.as_str())
    }
}

/// Capabilities are a list with names in 2026-01-11, and lists under names since.
fn webhooks(capabilities: &Value) -> Vec<(Option<String>, String)> {
    let listed = capabilities.as_array().into_iter().flatten();
    let listed = listed.filter(|capability| capability["name"] == ORDER);
    let named = capabilities[ORDER].as_array().into_iter().flatten();
    let webhook = |capability: &Value| {
        let url = capability["config"]["webhook_url"].as_str()?;
        Some((capability["version"].as_str().map(str::to_owned), url.to_owned()))
    };
    listed.chain(named).filter_map(webhook).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SigningKey;
    use serde_json::json;

    fn read(document: &Value) -> Profile {
        Profile::read(document.to_string().as_bytes()).expect("an object")
    }

    #[test]
    fn keys_and_addresses_are_found_in_profiles_of_both_versions() {
        let jwk = SigningKey::read(&SigningKey::make()).unwrap().jwk();
        let kid = jwk["kid"].as_str().unwrap().to_owned();
        let rsa = json!({ "kid": "old", "kty": "RSA" });
        let newer = read(&json!({
            "ucp": { "version": "2026-04-08", "capabilities": { ORDER: [
                { "version": "2026-01-11", "config": { "webhook_url": "https://a.example/1" } },
                { "version": "2026-04-08", "config": { "webhook_url": "https://a.example/2" } },
            ] } },
            "signing_keys": [jwk, rsa, { "kty": "EC" }],
        }));
        assert!(matches!(newer.key(&kid), Some(Ok(_))));
        assert_eq!(newer.key("old"), Some(&Err(UnusableKey::OtherAlgorithm)));
        assert_eq!(newer.key("new"), None);
        assert_eq!(newer.webhook(Protocol::Ucp), Some("https://a.example/2"));
        assert_eq!(newer.webhook(Protocol::Ucp202601), Some("https://a.example/1"));
        let older = read(&json!({ "ucp": { "capabilities": [
            { "name": "dev.ucp.shopping.checkout", "version": "2026-01-11" },
            { "name": ORDER, "version": "2026-01-11",
              "config": { "webhook_url": "https://a.example/hook" } },
        ] } }));
        assert_eq!(older.webhook(Protocol::Ucp202601), Some("https://a.example/hook"));
        assert_eq!(older.webhook(Protocol::Ucp), Some("https://a.example/hook"), "the only one");
    }

    #[test]
    fn what_does_not_read_says_nothing() {
        for garbage in ["", "5", "[]", "{", "null"] {
            assert_eq!(Profile::read(garbage.as_bytes()), None, "{garbage}");
        }
        for odd in [
            json!({}),
            json!({ "ucp": 5, "signing_keys": {} }),
            json!({ "ucp": { "capabilities": { ORDER: {} } }, "signing_keys": [5, {}] }),
            json!({ "ucp": { "capabilities": [5, { "name": ORDER }] } }),
        ] {
            assert_eq!(read(&odd), Profile::default(), "{odd}");
        }
    }
}
