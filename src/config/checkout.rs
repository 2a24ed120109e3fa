//! `[checkout]`.

use serde::{Deserialize, Serialize};

/// When money is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// Right after the order is placed.
    #[default]
    Immediate,
    /// When goods leave: what leaves.
    OnShipment,
    /// When the back office says so, over `POST /v1/orders/{id}/capture`.
    Manual,
}

/// Whether a checkout of goods has to say how they come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Who says nothing of it buys without it: the shop settles it elsewhere.
    #[default]
    Optional,
    /// Wherever the tariff can send or hand out goods, a way has to be chosen.
    Required,
}

/// How a checkout runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Checkout {
    /// How long a session stays open without activity: six hours, the protocol's default.
    pub session_ttl_seconds: u64,
    /// How long a gateway may take; after it, the outcome is unknown and the reconciler asks.
    pub gateway_deadline_ms: u64,
    /// When money is taken.
    pub capture: Capture,
    /// How long an authorization lasts: seven days, as most issuers keep one. What is not captured
    /// by then is voided.
    pub authorization_hours: u32,
    /// So many hours before that, an authorization that nobody captured is told
    /// (`payment.expiring`).
    pub authorization_warning_hours: u32,
    /// Whether a checkout of goods has to choose how they come.
    pub delivery: Delivery,
}

impl Default for Checkout {
    fn default() -> Self {
        let session_ttl_seconds = 6 * 60 * 60;
        let (capture, delivery) = (Capture::Immediate, Delivery::Optional);
        Self {
            session_ttl_seconds,
            gateway_deadline_ms: 10_000,
            capture,
            authorization_hours: 7 * 24,
            authorization_warning_hours: 24,
            delivery,
        }
    }
}
