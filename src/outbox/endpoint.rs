//! Who hears of what happens to orders: a merchant's own servers.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::{
    signature::Secret,
    telling::{Form, Opened},
};
use crate::base::{EndpointId, Protocol, Timestamp};

/// Secrets of one endpoint that count at once: each change keeps the old one for a while, and who
/// changes more often than that has lost the oldest.
const SECRETS_MAX: usize = 5;

/// What happens to orders, by its name.
pub const KINDS: [&str; 11] = [
    "order.placed",
    "order.shipped",
    "order.adjusted",
    "order.reviewed",
    "order.canceled",
    "payment.captured",
    "payment.capture_failed",
    "payment.expiring",
    "payment.voided",
    "payment.refunded",
    "payment.refund_failed",
];

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where it listens.
    pub url: String,
    /// What it hears of; everything when empty.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// How it is told.
    #[serde(default)]
    pub form: Form,
    /// The API key whose orders it hears of; everybody's when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<String>,
    /// What it is, in its owner's words.
    #[serde(default)]
    pub description: String,
    /// Whether anything is sent to it.
    pub active: bool,
    /// Why not, when it was not its owner's doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// What deliveries are signed with, the newest first.
    pub secrets: Vec<TimedSecret>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A secret, for as long as it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedSecret {
    /// The secret.
    pub secret: Secret,
    /// Until when; none is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Endpoint {
    /// Whether it hears of this, about an order that was opened so. While it is switched off, what
    /// it would have heard is kept for it.
    pub fn hears(&self, kind: &str, opened: &Opened) -> bool {
        let wants = self.kinds.is_empty() || self.kinds.iter().any(|one| one == kind);
        let speaks = self.form != Form::Acp || opened.origin.protocol == Protocol::Acp;
        let theirs = self.opened_by.is_none() || self.opened_by == opened.caller;
        wants && speaks && theirs
    }

    /// The secrets that count now, the newest first.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        let counts = move |one: &&TimedSecret| one.until.is_none_or(|until| until > now);
        self.secrets.iter().filter(counts).map(|one| &one.secret)
    }

    /// Signs with a new secret, too: the others count for so long.
    pub fn rotate(&mut self, secret: Secret, keep: Duration, now: Timestamp) {
        let until = now.plus(keep);
        for one in &mut self.secrets {
            one.until = Some(one.until.map_or(until, |before| before.min(until)));
        }
        self.secrets.insert(0, TimedSecret { secret, until: None });
        self.secrets.retain(|one| one.until.is_none_or(|until| until > now));
        self.secrets.truncate(SECRETS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Origin, SeededChance};

    #[test]
    fn an_old_secret_counts_for_as_long_as_it_was_kept_and_no_longer() {
        let chance = SeededChance::new(7);
        let start = Timestamp::from_micros(0);
        let after = |seconds| start.plus(Duration::from_secs(seconds));
        let made = Secret::make(&chance);
        let mut endpoint = Endpoint {
            id: EndpointId::new(start, &chance),
            url: "https://shop.example/hook".into(),
            kinds: vec!["order.placed".into()],
            form: Form::Standard,
            opened_by: None,
            description: String::new(),
            active: true,
            disabled: None,
            secrets: vec![TimedSecret { secret: made.clone(), until: None }],
            created_at: start,
        };
        let newer = Secret::make(&chance);
        endpoint.rotate(newer.clone(), Duration::from_secs(60), start);
        assert_eq!(endpoint.secrets(after(59)).collect::<Vec<_>>(), [&newer, &made]);
        assert_eq!(endpoint.secrets(after(60)).collect::<Vec<_>>(), [&newer]);
        // A leaked one is dropped at once.
        endpoint.rotate(made.clone(), Duration::ZERO, after(10));
        assert_eq!(endpoint.secrets(after(10)).collect::<Vec<_>>(), [&made]);
    }

    #[test]
    fn an_endpoint_hears_of_what_it_wants_over_its_protocol_and_of_its_keys_orders() {
        let opened = |protocol, caller: &str| Opened {
            origin: Origin::of(protocol),
            caller: Some(caller.to_owned()),
        };
        let ours = opened(Protocol::Ucp, "key_1");
        let mut endpoint = Endpoint {
            id: EndpointId::new(Timestamp::from_micros(0), &SeededChance::new(7)),
            url: "https://shop.example/hook".into(),
            kinds: vec!["order.placed".into()],
            form: Form::Standard,
            opened_by: None,
            description: String::new(),
            active: true,
            disabled: None,
            secrets: Vec::new(),
            created_at: Timestamp::from_micros(0),
        };
        assert!(endpoint.hears("order.placed", &ours) && !endpoint.hears("order.shipped", &ours));
        endpoint.opened_by = Some("key_1".into());
        assert!(endpoint.hears("order.placed", &ours));
        assert!(!endpoint.hears("order.placed", &opened(Protocol::Ucp, "key_2")));
        endpoint.form = Form::Acp;
        assert!(!endpoint.hears("order.placed", &ours));
        assert!(endpoint.hears("order.placed", &opened(Protocol::Acp, "key_1")));
        endpoint.active = false;
        assert!(endpoint.hears("order.placed", &opened(Protocol::Acp, "key_1")), "it is kept");
    }
}
