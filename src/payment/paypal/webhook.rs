//! Notifications of PayPal: whether one is PayPal's own.

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::Crc;
use std::time::Duration;

use super::{PayPal, events::Event};
use crate::{
    base::Timestamp,
    payment::{GatewayEvent, Notification, NotificationRefused, Notified},
};

/// How far ahead of our clock a notification may be signed.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// How old one may be. PayPal tries for three days, and a dispute is told of in no other way; what
/// comes again within them has the same id, and changes nothing.
const AGE: Duration = Duration::from_secs((3 * 24 + 1) * 60 * 60);

/// Characters of each header that are looked at (PayPal's own limit for the longest, the address).
const HEADER_CHARS: usize = 500;

/// What PayPal wants to read: any 2xx.
const ANSWER: &str = "";

impl PayPal {
    pub(super) async fn read_notification(
        &self,
        notification: &Notification<'_>,
    ) -> Result<Notified, NotificationRefused> {
        self.verify(notification).await?;
        let malformed =
            |error: serde_json::Error| NotificationRefused::Malformed(error.to_string());
        let event: Event = serde_json::from_slice(notification.body).map_err(malformed)?;
        let about = self.about(&event).await?;
        let Event { id, event_type: kind, .. } = event;
        Ok(Notified { events: vec![GatewayEvent { id, kind, about }], answer: ANSWER })
    }

    /// RSA with SHA-256 over `id|time|webhook|crc32`, the checksum of the body in decimal.
    async fn verify(&self, notification: &Notification<'_>) -> Result<(), NotificationRefused> {
        let forged = |why: &str| NotificationRefused::Forged(why.to_owned());
        let webhook = self.settings.webhook_id.as_deref().ok_or_else(|| {
            forged("this gateway has no `webhook_id`: set it in `payment.gateways`")
        })?;
        let header = |name: &str| {
            let value = notification.header(name).filter(|value| !value.is_empty());
            let value = value.filter(|value| value.len() <= HEADER_CHARS);
            value.ok_or_else(|| NotificationRefused::Forged(format!("there is no `{name}`")))
        };
        if !header("paypal-auth-algo")?.eq_ignore_ascii_case("SHA256withRSA") {
            return Err(forged("it is not signed by SHA256withRSA"));
        }
        let (id, time) = (header("paypal-transmission-id")?, header("paypal-transmission-time")?);
        let signature = STANDARD
            .decode(header("paypal-transmission-sig")?)
            .map_err(|_| forged("its signature is not in base 64"))?;
        let signed_at = Timestamp::parse(time).ok_or_else(|| forged("its time is none"))?;
        let url = header("paypal-cert-url")?;
        let mut checksum = Crc::new();
        checksum.update(notification.body);
        let message = format!("{id}|{time}|{webhook}|{}", checksum.sum());
        let now = notification.now;
        let chain = self.certificates.at(url, now).await?;
        self.certificates.verify(&chain, (message.as_bytes(), &signature), now)?;
        let (ahead, age) = (signed_at.since(now), now.since(signed_at));
        let stale = |by: Duration, tolerance: Duration| NotificationRefused::Stale {
            seconds: by.as_secs(),
            tolerance: tolerance.as_secs(),
        };
        match (ahead > AHEAD, age > AGE) {
            (true, _) => Err(stale(ahead, AHEAD)),
            (_, true) => Err(stale(age, AGE)),
            _ => Ok(()),
        }
    }
}
