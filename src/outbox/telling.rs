//! How receivers are told: in which form, and who knows what that looks like.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::{Origin, Protocol},
    ledger::{LedgerFault, entry::NewEvent, row::OrderRow},
};

/// The form of a delivery: its body, its headers, its signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Our own event in the envelope of Standard Webhooks.
    #[default]
    Standard,
    /// The Agentic Commerce Protocol's event.
    Acp,
    /// The order of the Universal Commerce Protocol, signed by RFC 9421.
    #[serde(skip)]
    Ucp,
    /// The event of its first version, 2026-01-11.
    #[serde(skip)]
    Ucp202601,
}

/// Who opened the checkout of an order, and over what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// The protocol, and the platform's profile where it named one.
    pub origin: Origin,
    /// The API key's id.
    pub caller: Option<String>,
}

/// Knows what orders look like in each form. Handed down by `app`: it shows them as `http` does.
#[async_trait]
pub trait Tells: Send + Sync {
    /// Who opened this order's checkout.
    fn opened(&self, order: &OrderRow) -> Opened;

    /// What a receiver hears of this event: the order as it stands now, the same bytes for the
    /// same order. `None` when the form has no word for such an event.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn tell(
        &self,
        form: Form,
        event: &NewEvent,
        order: &OrderRow,
    ) -> Result<Option<String>, LedgerFault>;
}

impl Form {
    /// How platforms are told that came over this protocol. `None` where platforms name no address.
    pub const fn of_platform(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Ucp => Some(Self::Ucp),
            Protocol::Ucp202601 => Some(Self::Ucp202601),
            Protocol::V1 | Protocol::Acp => None,
        }
    }
}
