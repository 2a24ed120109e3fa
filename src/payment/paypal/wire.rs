//! What we read of PayPal's objects: as little as we need, and nothing that a new value could
//! break.

use serde::Deserialize;

use super::amount::Amount;
use crate::base::{AttemptId, Money, Timestamp};

/// An order: a payment from its beginning to its end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) intent: String,
    pub(super) purchase_units: Vec<Unit>,
    pub(super) payment_source: Option<Source>,
    pub(super) links: Vec<Link>,
}

/// What is paid for. Ours have but one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unit {
    pub(super) reference_id: Option<String>,
    pub(super) amount: Option<Amount>,
    pub(super) custom_id: Option<String>,
    pub(super) payments: Payments,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payments {
    pub(super) authorizations: Vec<Authorization>,
    pub(super) captures: Vec<Movement>,
    pub(super) refunds: Vec<Movement>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Authorization {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) create_time: Option<String>,
    pub(super) expiration_time: Option<String>,
    pub(super) processor_response: Option<Processor>,
}

/// A capture or a refund.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Movement {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: Option<Amount>,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) links: Vec<Link>,
}

/// What the card's issuer said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Processor {
    pub(super) avs_code: Option<String>,
    pub(super) cvv_code: Option<String>,
    pub(super) response_code: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    pub(super) card: Option<Card>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Card {
    pub(super) authentication_result: Option<Authentication>,
}

/// What came of 3-D Secure.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Authentication {
    pub(super) three_d_secure: Option<ThreeDSecure>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ThreeDSecure {
    pub(super) authentication_status: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) rel: String,
}

/// Why not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) name: Option<String>,
    pub(super) message: Option<String>,
    pub(super) details: Vec<Detail>,
    pub(super) links: Vec<Link>,
    /// What PayPal's support asks for.
    pub(super) debug_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    pub(super) issue: Option<String>,
    pub(super) description: Option<String>,
}

impl Order {
    /// The only purchase unit.
    pub(super) fn unit(&self) -> Option<&Unit> {
        match self.purchase_units.as_slice() {
            [unit] => Some(unit),
            _ => None,
        }
    }

    /// The attempt it names.
    pub(super) fn reference(&self) -> Option<AttemptId> {
        self.unit()?.custom_id.as_ref()?.parse().ok()
    }

    /// What was asked for.
    pub(super) fn money(&self) -> Option<Money> {
        self.unit()?.amount.as_ref()?.money()
    }

    /// The authorization in force: the last one, should somebody have renewed it by hand.
    pub(super) fn authorization(&self) -> Option<&Authorization> {
        self.unit()?.payments.authorizations.last()
    }

    /// Where the buyer goes.
    pub(super) fn payer_action(&self) -> Option<String> {
        payer_action(&self.links)
    }

    /// What came of 3-D Secure, where a card was asked to prove itself.
    pub(super) fn authentication(&self) -> Option<&str> {
        let card = self.payment_source.as_ref()?.card.as_ref()?;
        let secure = card.authentication_result.as_ref()?.three_d_secure.as_ref()?;
        secure.authentication_status.as_deref()
    }
}

/// Where the buyer goes, among links.
pub(super) fn payer_action(links: &[Link]) -> Option<String> {
    let to = |rel: &str| links.iter().find(|link| link.rel == rel);
    to("payer-action").or_else(|| to("approve")).map(|link| link.href.clone())
}

impl Movement {
    /// Minor units, where the money moved or is on its way.
    pub(super) fn minor(&self) -> i64 {
        let is_moving = !matches!(&*self.status, "DECLINED" | "FAILED" | "CANCELLED");
        let amount = self.amount.as_ref().and_then(Amount::money);
        amount.filter(|_| is_moving).map_or(0, Money::minor)
    }

    /// The capture that a refund is of.
    pub(super) fn capture(&self) -> Option<&str> {
        let up = self.links.iter().find(|link| link.rel == "up")?;
        up.href.rsplit('/').next()
    }
}

impl ErrorBody {
    /// PayPal's word for it.
    pub(super) fn issue(&self) -> &str {
        let issue = self.details.iter().find_map(|detail| detail.issue.as_deref());
        issue.or(self.name.as_deref()).unwrap_or("no reason")
    }

    /// What people read.
    pub(super) fn words(&self) -> String {
        let described = self.details.iter().find_map(|detail| detail.description.as_deref());
        let words = described.or(self.message.as_deref()).unwrap_or_default();
        let debug = self.debug_id.as_deref().unwrap_or("none");
        format!("{}: {words} (debug id {debug})", self.issue())
    }
}

/// A time of PayPal's.
pub(super) fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(Timestamp::parse)
}
