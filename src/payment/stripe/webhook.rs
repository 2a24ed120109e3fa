//! Notifications of Stripe: whether one is Stripe's own, and what it is about.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::{
    Stripe,
    wire::{self, ATTEMPT, Refund},
};
use crate::{
    base::Timestamp,
    ledger::row::OperationKind,
    payment::{
        About, Dispute, DisputeState, GatewayEvent, Named, Notification, NotificationRefused,
        Notified, Warning,
    },
};

/// Seconds between the signature and our clock: what Stripe's own libraries take.
const TOLERANCE_SECONDS: u64 = 5 * 60;

/// Signatures of one header that are looked at: Stripe sends two while a secret is changed.
const SIGNATURES_MAX: usize = 8;

/// What Stripe wants to read: any 2xx.
const ANSWER: &str = "";

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    livemode: bool,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: serde_json::Value,
}

/// What objects have that are about a payment.
#[derive(Deserialize)]
struct PaymentObject {
    #[serde(default)]
    metadata: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default)]
    payment_intent: Option<serde_json::Value>,
}

impl Stripe {
    pub(super) fn read_notification(
        &self,
        notification: &Notification<'_>,
    ) -> Result<Notified, NotificationRefused> {
        self.verify(notification)?;
        let malformed =
            |error: serde_json::Error| NotificationRefused::Malformed(error.to_string());
        let event: Event = serde_json::from_slice(notification.body).map_err(malformed)?;
        if event.livemode == self.settings.is_test() {
            let (theirs, ours) = match event.livemode {
                true => ("live", "test"),
                false => ("test", "live"),
            };
            let why = format!("it is about {theirs} money, and this gateway has a {ours} key");
            return Err(NotificationRefused::Foreign(why));
        }
        let about = about(&event)?;
        let Event { id, kind, .. } = event;
        Ok(Notified { events: vec![GatewayEvent { id, kind, about }], answer: ANSWER })
    }

    /// `t=…,v1=…` over `t.body`, with any of the secrets, compared in constant time.
    fn verify(&self, notification: &Notification<'_>) -> Result<(), NotificationRefused> {
        let forged = |why: &str| NotificationRefused::Forged(why.to_owned());
        let header = notification
            .header("stripe-signature")
            .ok_or_else(|| forged("there is no `Stripe-Signature`"))?;
        let (mut time, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", value)) => time = Some(value),
                Some(("v1", value)) if signatures.len() < SIGNATURES_MAX => {
                    signatures.extend(unhex(value));
                }
                _ => {}
            }
        }
        let time = time.ok_or_else(|| forged("`Stripe-Signature` has no time"))?;
        let signed_at: i64 = time.parse().map_err(|_| forged("its time is no number"))?;
        let secrets = &self.settings.webhook_secrets;
        if secrets.is_empty() {
            return Err(forged(
                "this gateway has no `webhook_secret`: set it in `payment.gateways`",
            ));
        }
        let is_ours = secrets.iter().any(|secret| {
            signatures.iter().any(|signature| {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
                    .expect("invariant: HMAC takes keys of every length");
                mac.update(time.as_bytes());
                mac.update(b".");
                mac.update(notification.body);
                mac.verify_slice(signature).is_ok()
            })
        });
        if !is_ours {
            return Err(forged(
                "the signature fits no `webhook_secret` of this gateway: compare it with the \
                 endpoint's signing secret in Stripe's dashboard",
            ));
        }
        let now = notification.now.micros().div_euclid(1_000_000);
        let seconds = now.abs_diff(signed_at);
        match seconds > TOLERANCE_SECONDS {
            true => Err(NotificationRefused::Stale { seconds, tolerance: TOLERANCE_SECONDS }),
            false => Ok(()),
        }
    }
}

fn about(event: &Event) -> Result<About, NotificationRefused> {
    let malformed = |error: serde_json::Error| NotificationRefused::Malformed(error.to_string());
    let object = event.data.object.clone();
    if event.kind.starts_with("charge.dispute.") {
        return dispute(&serde_json::from_value(object).map_err(malformed)?);
    }
    if event.kind.starts_with("radar.early_fraud_warning.") {
        let warning: wire::Warning = serde_json::from_value(object).map_err(malformed)?;
        let payment = Named { id: warning.payment_intent, ..Named::default() };
        let (id, reason) = (warning.id, warning.fraud_type);
        return Ok(About::Warning(Warning { id, payment, reason }));
    }
    if event.kind.starts_with("refund.") || event.kind == "charge.refund.updated" {
        return Ok(refund(&serde_json::from_value(object).map_err(malformed)?));
    }
    if event.kind.starts_with("payment_intent.") {
        let intent: wire::Intent = serde_json::from_value(object).map_err(malformed)?;
        let (reference, amount) = (intent.reference(), intent.money());
        return Ok(About::Payment(Named { reference, id: Some(intent.id), amount }));
    }
    if event.kind.starts_with("charge.") {
        let charge: PaymentObject = serde_json::from_value(object).map_err(malformed)?;
        let reference = charge.metadata.as_ref().and_then(|metadata| metadata.get(ATTEMPT));
        let reference = reference.and_then(|reference| reference.parse().ok());
        let id = charge.payment_intent.as_ref().and_then(|intent| intent.as_str());
        let id = id.map(str::to_owned);
        return Ok(About::Payment(Named { reference, id, amount: None }));
    }
    Ok(About::Other)
}

/// A refund that was ours to make and has ended; any other is a change of its payment.
fn refund(refund: &Refund) -> About {
    let named = |reference| Named { reference, id: refund.payment_intent.clone(), amount: None };
    let Some((reference, part)) = refund.name() else { return About::Payment(named(None)) };
    let ended = match refund.status.as_deref() {
        Some("succeeded") => Ok(()),
        Some("failed" | "canceled") => {
            let why = refund.failure_reason.clone();
            Err(why.unwrap_or_else(|| format!("the refund {} failed", refund.id)))
        }
        _ => return About::Payment(named(Some(reference))),
    };
    let (payment, amount) = (named(Some(reference)), None);
    About::Moved { payment, kind: OperationKind::Refund, part, amount, ended }
}

fn dispute(dispute: &wire::Dispute) -> Result<About, NotificationRefused> {
    let amount = wire::money(dispute.amount, &dispute.currency).ok_or_else(|| {
        NotificationRefused::Malformed(format!("no currency is `{}`", dispute.currency))
    })?;
    let due = dispute.evidence_details.as_ref().and_then(|details| details.due_by);
    let state = match dispute.status.as_str() {
        "won" | "warning_closed" => DisputeState::Won,
        "lost" | "charge_refunded" => DisputeState::Lost,
        "under_review" | "warning_under_review" => DisputeState::UnderReview,
        _ => DisputeState::Open,
    };
    Ok(About::Dispute(Dispute {
        id: dispute.id.clone(),
        payment: Named { id: dispute.payment_intent.clone(), ..Named::default() },
        amount,
        reason: dispute.reason.clone(),
        is_fraud: dispute.reason == "fraudulent",
        state,
        evidence_due: due.map(|due| Timestamp::from_micros(due.saturating_mul(1_000_000))),
    }))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok())
        .collect()
}
