//! Signatures in the form of Standard Webhooks (standardwebhooks.com, symmetric scheme `v1`):
//! HMAC-SHA256 over `id.timestamp.body`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

use crate::base::Chance;

/// Bytes of a new secret; the standard wants 24 to 64.
const SECRET_BYTES: usize = 32;

/// How a secret begins when it is written down.
const PREFIX: &str = "whsec_";

/// A secret shared with one receiver, as it is written down. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    pub fn make(chance: &dyn Chance) -> Self {
        let mut bytes = [0; SECRET_BYTES];
        chance.fill(&mut bytes);
        Self(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// The text, for its owner alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `v1,…` over one attempt at a delivery.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let written = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        let key = STANDARD.decode(written).unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)
            .expect("invariant: HMAC takes keys of every length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The header `webhook-signature`: one signature for each secret, so that a receiver may change to
/// a new secret whenever it likes. `timestamp` is in seconds of Unix time.
pub fn signature<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> String {
    let signed = secrets.into_iter().map(|secret| secret.sign(id, timestamp, body));
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededChance;

    /// The example of the Standard Webhooks libraries' own tests.
    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = signature([&secret], id, 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs_and_every_byte_counts() {
        let chance = SeededChance::new(7);
        let (old, new) = (Secret::make(&chance), Secret::make(&chance));
        assert_ne!(old, new);
        let both = signature([&old, &new], "evt_1", 5, b"{}");
        let alone = signature([&new], "evt_1", 5, b"{}");
        assert_eq!(both.split(' ').nth(1), Some(&*alone));
        for other in [
            signature([&new], "evt_2", 5, b"{}"),
            signature([&new], "evt_1", 6, b"{}"),
            signature([&new], "evt_1", 5, b"{ }"),
            signature([&old], "evt_1", 5, b"{}"),
        ] {
            assert_ne!(other, alone);
        }
        assert_eq!(format!("{old:?}"), "[secret]");
    }
}
