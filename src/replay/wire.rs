//! What the replay says over HTTP, and what it reads of the answers.

use serde::{Deserialize, Serialize};

/// A checkout to be opened.
#[derive(Debug, Serialize)]
pub(super) struct OpenCheckout<'a> {
    pub(super) line_items: Vec<LineItem<'a>>,
    pub(super) buyer: Buyer<'a>,
    pub(super) currency: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct LineItem<'a> {
    pub(super) item: Item<'a>,
    pub(super) quantity: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Item<'a> {
    pub(super) id: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Buyer<'a> {
    pub(super) email: &'a str,
}

/// Pays with the sandbox's token that always succeeds.
pub(super) const PAYMENT: &str = r#"{"payment":{"instruments":[{"id":"pi_1","handler_id":"sandbox",
"type":"card","selected":true,"credential":{"type":"token","token":"success_token"}}]}}"#;

/// What is read of a checkout; the rest is skipped, not parsed into anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Checkout {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) messages: Vec<Message>,
    pub(super) line_items: Vec<SoldItem>,
    pub(super) order: Option<OrderName>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SoldItem {
    pub(super) item: SoldSku,
    pub(super) quantity: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct SoldSku {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct OrderName {
    pub(super) id: String,
}

impl Checkout {
    /// The first error the shop names, else the state it left the checkout in.
    pub(super) fn reason(&self) -> String {
        let error = self.messages.iter().find(|message| message.kind == "error");
        error.map_or_else(|| self.status.clone(), |message| message.code.clone())
    }
}

/// The code of a problem (RFC 9457), as far as there is one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) detail: String,
}

/// The shop's description of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Discovery {
    ucp: Profile,
}

#[derive(Debug, Deserialize)]
struct Profile {
    services: std::collections::BTreeMap<String, Vec<Binding>>,
}

#[derive(Debug, Deserialize)]
struct Binding {
    transport: String,
    #[serde(default)]
    endpoint: Option<String>,
}

impl Discovery {
    /// Where the shopping service answers over REST.
    pub(super) fn rest_endpoint(&self) -> Option<&str> {
        let bindings = self.ucp.services.get("dev.ucp.shopping")?;
        let rest = bindings.iter().find(|binding| binding.transport == "rest")?;
        rest.endpoint.as_deref().map(|endpoint| endpoint.trim_end_matches('/'))
    }
}

/// Products for the back office.
#[derive(Debug, Serialize)]
pub(super) struct Products<'a> {
    pub(super) products: Vec<ProductIn<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct ProductIn<'a> {
    pub(super) sku: &'a str,
    pub(super) title: &'a str,
    pub(super) price: Price,
}

#[derive(Debug, Serialize)]
pub(super) struct Price {
    pub(super) minor: i64,
    pub(super) currency: &'static str,
}

/// A stock movement for the back office.
#[derive(Debug, Serialize)]
pub(super) struct MovementIn<'a> {
    pub(super) sku: &'a str,
    pub(super) kind: &'static str,
    pub(super) quantity: u64,
    pub(super) reason: &'static str,
}

/// Many movements; each stands for itself.
#[derive(Debug, Serialize)]
pub(super) struct Movements<'a> {
    pub(super) movements: &'a [MovementIn<'a>],
}

/// How many of many movements were refused.
#[derive(Debug, Deserialize)]
pub(super) struct Moved {
    pub(super) refused: usize,
}

/// Units of an order line that ship.
#[derive(Debug, Serialize)]
pub(super) struct LineMoveIn<'a> {
    pub(super) quantity: u64,
    pub(super) reason: &'a str,
}

/// Units that come back, and the money that goes back for them.
#[derive(Debug, Serialize)]
pub(super) struct Adjustment<'a> {
    pub(super) lines: [Returned; 1],
    /// In minor units; nothing for goods that cost nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refund: Option<i64>,
    pub(super) reason: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Returned {
    pub(super) line: u32,
    pub(super) kind: &'static str,
    pub(super) quantity: u64,
}

/// An order as the back office shows it.
#[derive(Debug, Deserialize)]
pub(super) struct OrderOut {
    /// Where its money stands.
    pub(super) payment: String,
    #[serde(default)]
    pub(super) lines: Vec<OrderLineOut>,
    #[serde(default)]
    pub(super) operations: Vec<OperationOut>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OrderLineOut {
    pub(super) line: u32,
    pub(super) unit_price_minor: i64,
}

/// What was done about an order's money, or is owed.
#[derive(Debug, Deserialize)]
pub(super) struct OperationOut {
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) amount_minor: i64,
}

impl OrderOut {
    /// Minor units that were moved this way, or are about to be.
    pub(super) fn moved(&self, kind: &str) -> i64 {
        let moved = self.operations.iter().filter(|one| one.kind == kind && one.state != "refused");
        moved.map(|one| one.amount_minor).sum()
    }

    /// What one unit of a line cost, in minor units.
    pub(super) fn unit_price(&self, line: u32) -> Option<i64> {
        self.lines.iter().find(|one| one.line == line).map(|one| one.unit_price_minor)
    }
}

/// A case that a reviewer decides.
#[derive(Debug, Deserialize)]
pub(super) struct CaseOut {
    pub(super) state: String,
}
