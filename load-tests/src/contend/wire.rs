//! The JSON that the baselines read and write: field by field what Doorbuster's answers have, and
//! of the same size.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    macros::format_description,
};
use uuid::Uuid;

const INSTANT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// The time, as answers spell it.
pub fn now() -> String {
    in_seconds(0)
}

/// The time in so many seconds, as answers spell it.
pub fn in_seconds(seconds: i64) -> String {
    let then = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    let then = PrimitiveDateTime::new(then.date(), then.time());
    then.format(INSTANT).expect("the format has no part that a date lacks")
}

/// A checkout as asked for.
#[derive(Debug, Deserialize)]
pub struct CreateIn<'a> {
    /// What is wanted.
    #[serde(borrow)]
    pub line_items: Vec<LineIn<'a>>,
    /// Who wants it.
    #[serde(borrow)]
    pub buyer: Option<BuyerWire<'a>>,
    /// In which currency.
    #[serde(borrow)]
    pub currency: Option<Cow<'a, str>>,
}

/// A line as asked for.
#[derive(Debug, Deserialize)]
pub struct LineIn<'a> {
    /// What.
    #[serde(borrow)]
    pub item: ItemIn<'a>,
    /// How many.
    pub quantity: u32,
}

/// A product as asked for.
#[derive(Debug, Deserialize)]
pub struct ItemIn<'a> {
    /// Its SKU.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuyerWire<'a> {
    /// Their address.
    #[serde(borrow)]
    pub email: Cow<'a, str>,
}

/// A payment as asked for.
#[derive(Debug, Deserialize)]
pub struct CompleteIn<'a> {
    /// The payment.
    #[serde(borrow)]
    pub payment: PaymentIn<'a>,
}

/// Its instruments.
#[derive(Debug, Deserialize)]
pub struct PaymentIn<'a> {
    /// Each with a token.
    #[serde(borrow)]
    pub instruments: Vec<InstrumentIn<'a>>,
}

/// An instrument.
#[derive(Debug, Deserialize)]
pub struct InstrumentIn<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Whose it is.
    #[serde(borrow)]
    pub handler_id: Cow<'a, str>,
    /// What it is.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    /// Its secret.
    #[serde(borrow)]
    pub credential: CredentialIn<'a>,
}

/// A secret.
#[derive(Debug, Deserialize)]
pub struct CredentialIn<'a> {
    /// The token.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
}

/// An express order as asked for.
#[derive(Debug, Deserialize)]
pub struct ExpressIn<'a> {
    /// What is wanted.
    #[serde(borrow)]
    pub lines: Vec<ExpressLineIn<'a>>,
    /// Who wants it.
    #[serde(borrow)]
    pub buyer: BuyerWire<'a>,
    /// What pays.
    #[serde(borrow)]
    pub payment: CredentialIn<'a>,
}

/// A line of an express order.
#[derive(Debug, Deserialize)]
pub struct ExpressLineIn<'a> {
    /// What.
    #[serde(borrow)]
    pub sku: Cow<'a, str>,
    /// How many.
    pub quantity: u32,
}

/// A checkout as kept, and as far as it makes an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session<'a> {
    /// Its lines.
    #[serde(borrow)]
    pub lines: Vec<SoldLine<'a>>,
    /// The buyer.
    #[serde(borrow)]
    pub buyer: Option<BuyerWire<'a>>,
    /// The sum.
    pub total: i64,
    /// When it ends.
    #[serde(borrow)]
    pub expires_at: Cow<'a, str>,
}

/// A line as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SoldLine<'a> {
    /// What.
    #[serde(borrow)]
    pub sku: Cow<'a, str>,
    /// Its name.
    #[serde(borrow)]
    pub title: Cow<'a, str>,
    /// How many.
    pub quantity: u32,
    /// For how much each.
    pub unit_price: i64,
}

/// The parts of answers that never change, written once.
#[derive(Debug)]
pub struct Blocks {
    ucp: Box<RawValue>,
    error: Box<RawValue>,
    links: Box<RawValue>,
    base: String,
}

impl Blocks {
    /// The parts of a shop at this address.
    pub fn of(base: &str) -> Self {
        let raw = |text: String| RawValue::from_string(text).expect("it is JSON");
        let schemas = "https://ucp.dev/2026-04-08";
        Self {
            ucp: raw(format!(
                concat!(
                    r#"{{"capabilities":{{"dev.ucp.shopping.checkout":[{{"#,
                    r#""schema":"{schemas}/schemas/shopping/checkout.json","#,
                    r#""spec":"{schemas}/specification/checkout","version":"2026-04-08"}}]}},"#,
                    r#""payment_handlers":{{"dev.doorbuster.sandbox":[{{"#,
                    r#""available_instruments":[{{"type":"card"}}],"config":{{"tokens":"test"}},"#,
                    r#""id":"sandbox","spec":"{base}/policies/payments","#,
                    r#""version":"2026-04-08"}}]}},"status":"success","version":"2026-04-08"}}"#,
                ),
                schemas = schemas,
                base = base,
            )),
            error: raw(r#"{"status":"error","version":"2026-04-08"}"#.to_owned()),
            links: raw(format!(
                concat!(
                    r#"[{{"type":"privacy_policy","url":"{base}/policies/privacy"}},"#,
                    r#"{{"type":"terms_of_service","url":"{base}/policies/terms"}}]"#,
                ),
                base = base,
            )),
            base: base.to_owned(),
        }
    }

    /// Where the shop is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A checkout: open while there is no instrument, else completed.
    pub fn checkout(
        &self,
        id: Uuid,
        session: &Session<'_>,
        paid: Option<&InstrumentIn<'_>>,
    ) -> String {
        let wire = CheckoutOut {
            ucp: &self.ucp,
            id: format!("chk_{}", id.simple()),
            status: if paid.is_some() { "completed" } else { "ready_for_complete" },
            currency: "EUR",
            line_items: (1..).zip(&session.lines).map(LineOut::of).collect(),
            buyer: session.buyer.as_ref(),
            totals: pair(session.total),
            messages: [],
            links: &self.links,
            expires_at: &session.expires_at,
            payment: PaymentOut {
                instruments: paid.iter().map(|paid| InstrumentOut::of(paid)).collect(),
            },
            order: paid.is_some().then(|| OrderOut {
                id: format!("ord_{}", id.simple()),
                permalink_url: format!("{}/orders/ord_{}", self.base, id.simple()),
            }),
        };
        text(&wire)
    }

    /// Nothing can be sold.
    pub fn sold_out(&self) -> String {
        format!(
            concat!(
                r#"{{"ucp":{},"messages":[{{"type":"error","code":"out_of_stock","#,
                r#""content":"There are not enough units.","severity":"recoverable"}}]}}"#,
            ),
            self.error
        )
    }

    /// An express order.
    pub fn express(&self, id: Uuid, session: &Session<'_>) -> String {
        let digits = id.simple();
        let line = |(line, sold): (u32, &SoldLine<'_>)| ExpressLineOut {
            line,
            sku: sold.sku.clone().into_owned(),
            title: sold.title.clone().into_owned(),
            quantity: sold.quantity,
            unit_price: sold.unit_price,
        };
        text(&ExpressOut {
            id: format!("ord_{digits}"),
            checkout_id: format!("chk_{digits}"),
            status: "placed",
            placed_at: now(),
            currency: "EUR",
            subtotal: session.total,
            total: session.total,
            lines: (1..).zip(&session.lines).map(line).collect(),
            url: format!("{}/v1/orders/ord_{digits}", self.base),
        })
    }
}

fn text(wire: &impl Serialize) -> String {
    serde_json::to_string(wire).expect("wire types are maps with text keys")
}

/// The session as it is kept.
pub fn document(session: &Session<'_>) -> String {
    text(session)
}

const fn pair(amount: i64) -> [TotalOut; 2] {
    [
        TotalOut { kind: "subtotal", display_text: "Subtotal", amount },
        TotalOut { kind: "total", display_text: "Total", amount },
    ]
}

#[derive(Serialize)]
struct CheckoutOut<'a> {
    ucp: &'a RawValue,
    id: String,
    status: &'static str,
    currency: &'static str,
    line_items: Vec<LineOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer: Option<&'a BuyerWire<'a>>,
    totals: [TotalOut; 2],
    messages: [(); 0],
    links: &'a RawValue,
    expires_at: &'a str,
    payment: PaymentOut<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderOut>,
}

#[derive(Serialize)]
struct LineOut<'a> {
    id: String,
    item: ItemOut<'a>,
    quantity: u32,
    totals: [TotalOut; 2],
}

impl<'a> LineOut<'a> {
    fn of((number, line): (u32, &'a SoldLine<'a>)) -> Self {
        Self {
            id: format!("li_{number}"),
            item: ItemOut { id: &line.sku, title: &line.title, price: line.unit_price },
            quantity: line.quantity,
            totals: pair(line.unit_price * i64::from(line.quantity)),
        }
    }
}

#[derive(Serialize)]
struct ItemOut<'a> {
    id: &'a str,
    title: &'a str,
    price: i64,
}

#[derive(Serialize)]
struct TotalOut {
    #[serde(rename = "type")]
    kind: &'static str,
    display_text: &'static str,
    amount: i64,
}

#[derive(Serialize)]
struct PaymentOut<'a> {
    instruments: Vec<InstrumentOut<'a>>,
}

#[derive(Serialize)]
struct InstrumentOut<'a> {
    id: &'a str,
    handler_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    selected: bool,
}

impl<'a> InstrumentOut<'a> {
    fn of(paid: &'a InstrumentIn<'a>) -> Self {
        Self { id: &paid.id, handler_id: &paid.handler_id, kind: &paid.kind, selected: true }
    }
}

#[derive(Serialize)]
struct OrderOut {
    id: String,
    permalink_url: String,
}

#[derive(Serialize)]
struct ExpressOut {
    id: String,
    checkout_id: String,
    status: &'static str,
    placed_at: String,
    currency: &'static str,
    subtotal: i64,
    total: i64,
    lines: Vec<ExpressLineOut>,
    url: String,
}

#[derive(Serialize)]
struct ExpressLineOut {
    line: u32,
    sku: String,
    title: String,
    quantity: u32,
    unit_price: i64,
}
