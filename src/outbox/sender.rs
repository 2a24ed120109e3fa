//! One attempt at one delivery: where it goes, what it is signed with, what came of it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{sync::Arc, time::Duration};

use super::{
    delivery::{Delivery, Outcome},
    endpoint::Endpoint,
    receiver::{Platform, Receiver},
    signature::{Secret, signature},
    telling::Form,
};
use crate::{
    base::{Clock, Timestamp},
    outbound::{GuardedClient, Target},
    platforms::Platforms,
    signing::{Message, SigningKeys, content_digest, detached, sign},
};

/// How long a receiver may take to answer: it confirms, and works afterwards.
const DEADLINE: Duration = Duration::from_secs(10);

/// What every body is.
const JSON: &str = "application/json";

/// The headers of a delivery.
type Headers = Vec<(&'static str, String)>;

/// Sends deliveries.
#[derive(Clone)]
pub struct Sender {
    /// Reaches receivers, and nothing private.
    pub client: GuardedClient,
    /// Knows where platforms listen.
    pub platforms: Platforms,
    /// What platforms believe us by.
    pub keys: Arc<SigningKeys>,
    /// The address of our profile.
    pub profile: Arc<str>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Sender {
    /// Where a receiver listens now.
    ///
    /// # Errors
    /// What comes of every attempt while it is so.
    pub async fn address(&self, receiver: &Receiver) -> Result<Target, Outcome> {
        let url = match receiver {
            Receiver::Endpoint(endpoint) => endpoint.url.clone(),
            Receiver::Platform(platform) => self.webhook_of(platform).await?,
        };
        self.client.target(&url).map_err(|refused| Outcome::Failed(refused.to_string()))
    }

    async fn webhook_of(&self, platform: &Platform) -> Result<String, Outcome> {
        let profile = self.platforms.profile(&platform.profile).await;
        let profile = profile.map_err(|fault| Outcome::Failed(fault.to_string()))?;
        let url = profile.webhook(platform.protocol).map(str::to_owned);
        url.ok_or_else(|| Outcome::Unwanted("its profile names no webhook_url".to_owned()))
    }

    /// Sends a delivery once.
    pub async fn send(&self, receiver: &Receiver, target: &Target, delivery: &Delivery) -> Outcome {
        let now = self.clock.now();
        let headers = match receiver {
            Receiver::Endpoint(endpoint) => Some(of_endpoint(endpoint, delivery, now)),
            Receiver::Platform(platform) => self.of_platform(platform, target, delivery, now),
        };
        let Some(headers) = headers else {
            return Outcome::Failed("the shop has no signing key yet".to_owned());
        };
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = delivery.body.clone().into_bytes();
        match self.client.post(target, &headers, body, DEADLINE).await {
            Ok(answer) => Outcome::Answered(answer.status),
            Err(fault) => {
                let event = &delivery.event_id;
                tracing::info!(event.id = %event, %fault, "a webhook was not delivered");
                Outcome::Failed(fault.told())
            }
        }
    }

    fn of_platform(
        &self,
        platform: &Platform,
        target: &Target,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Option<Headers> {
        let mut headers = vec![
            ("ucp-agent", format!("profile=\"{}\"", self.profile)),
            // The protocol wants a UUID as it is usually written.
            ("webhook-id", delivery.event_id.uuid().to_string()),
            ("webhook-timestamp", seconds(delivery.stamped_at).to_string()),
            ("user-agent", "Doorbuster".to_owned()),
        ];
        let body = delivery.body.as_bytes();
        if platform.form() == Form::Ucp202601 {
            let signature = self.keys.with_signer(now, |key| detached(key, body))?;
            headers.push(("request-signature", signature));
            return Some(headers);
        }
        headers.push(("content-digest", content_digest(body)));
        let (authority, path, query) = target.parts();
        let sent = crate::signing::Target::Request {
            method: "POST",
            authority: &authority,
            path: &path,
            query: query.as_deref(),
        };
        let header = |name: &str| match name {
            "content-type" => Some(JSON.to_owned()),
            _ => headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()),
        };
        let message = Message { target: sent, header: &header };
        let mut covers = vec!["@method", "@authority", "@path"];
        covers.extend(query.is_some().then_some("@query"));
        covers.extend(["ucp-agent", "webhook-id", "webhook-timestamp"]);
        covers.extend(["content-digest", "content-type"]);
        let signed = self.keys.with_signer(now, |key| sign(&message, &covers, key, now))?;
        headers.push(("signature-input", signed.input));
        headers.push(("signature", signed.signature));
        Some(headers)
    }
}

fn of_endpoint(endpoint: &Endpoint, delivery: &Delivery, now: Timestamp) -> Headers {
    let (id, body) = (delivery.event_id.to_string(), delivery.body.as_bytes());
    let timestamp = seconds(now);
    let mut headers = match endpoint.form {
        Form::Acp => vec![
            ("merchant-signature", merchant_signature(endpoint.secrets(now), timestamp, body)),
            ("request-id", id),
            ("timestamp", delivery.stamped_at.to_string()),
        ],
        Form::Standard | Form::Ucp | Form::Ucp202601 => vec![
            ("webhook-signature", signature(endpoint.secrets(now), &id, timestamp, body)),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.to_string()),
        ],
    };
    headers.push(("user-agent", "Doorbuster".to_owned()));
    headers
}

/// `Merchant-Signature` of the Agentic Commerce Protocol: `t=…,v1=…`, HMAC-SHA256 over
/// `timestamp.body`. It has room for one secret: the newest.
fn merchant_signature<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    timestamp: i64,
    body: &[u8],
) -> String {
    let secret = secrets.into_iter().next().map(Secret::expose).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .expect("invariant: HMAC takes keys of every length");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={timestamp},v1={hex}")
}

const fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '1709123456.{}' | openssl dgst -sha256 -hmac whsec_AAAA`
    #[test]
    fn the_merchant_signature_is_over_time_and_body() {
        let secret: Secret = serde_json::from_str("\"whsec_AAAA\"").unwrap();
        let signed = merchant_signature([&secret], 1_709_123_456, b"{}");
        assert_eq!(
            signed,
            "t=1709123456,v1=baec2d0770182ef2c24fd17c54a08b3db802d2629e8026a3c3d03e829f008107"
        );
    }
}
