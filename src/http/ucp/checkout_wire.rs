//! A session as UCP shows it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::extension_wire::{FulfillmentWire, TotalWire};
use crate::{
    base::{Buyer, CartId, CheckoutId, Currency, OrderId, Timestamp},
    checkout::{Instrument, Line, Notice, NoticeCode, Operation, Session, Shown},
    http::{
        discount_wire::DiscountsWire,
        notices::{self, Message, Weight},
        render::Answers,
    },
    ledger::row::SessionState,
    pricing::Priced,
};

/// The answer's status and body.
pub fn write(answers: &Answers, shown: Shown<'_>) -> (u16, String) {
    match shown {
        Shown::Session { session, operation } => {
            let created = matches!(operation, Operation::Create | Operation::Express);
            let body = match session.is_cart {
                true => to_json(&CartWire::of(answers, session)),
                false => to_json(&CheckoutWire::of(answers, session)),
            };
            (if created { 201 } else { 200 }, body)
        }
        Shown::Nothing { notices, .. } => {
            let messages = notices.iter().map(Message::of).collect();
            (200, to_json(&NothingWire { ucp: &answers.blocks().error, messages }))
        }
    }
}

fn to_json(wire: &impl Serialize) -> String {
    serde_json::to_string(wire).expect("invariant: wire types are maps with text keys")
}

/// No session: why nothing can be sold.
#[derive(Serialize)]
struct NothingWire<'a> {
    ucp: &'a RawValue,
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct CartWire<'a> {
    ucp: &'a RawValue,
    id: CartId,
    currency: &'static str,
    line_items: Vec<LineWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer: Option<&'a Buyer>,
    totals: Vec<TotalWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discounts: Option<DiscountsWire<'a>>,
    messages: Vec<Message<'a>>,
    links: &'a RawValue,
    expires_at: Timestamp,
}

impl<'a> CartWire<'a> {
    fn of(answers: &'a Answers, session: &'a Session) -> Self {
        let priced = session.priced.as_deref();
        Self {
            ucp: &answers.blocks().cart,
            id: CartId::of_session(session.id),
            currency: code(session.currency),
            line_items: lines(session),
            buyer: session.person.buyer.as_deref(),
            totals: TotalWire::of(session.totals.entries(priced)),
            discounts: DiscountsWire::of(priced),
            messages: session.notices.iter().map(Message::of).collect(),
            links: &answers.blocks().links,
            expires_at: session.expires_at,
        }
    }
}

#[derive(Serialize)]
struct CheckoutWire<'a> {
    ucp: &'a RawValue,
    id: CheckoutId,
    status: &'static str,
    currency: &'static str,
    line_items: Vec<LineWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer: Option<&'a Buyer>,
    totals: Vec<TotalWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discounts: Option<DiscountsWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fulfillment: Option<FulfillmentWire<'a>>,
    messages: Vec<Message<'a>>,
    links: &'a RawValue,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_url: Option<String>,
    payment: PaymentWire<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderWire>,
}

#[derive(Serialize)]
struct LineWire<'a> {
    id: &'a str,
    item: ItemWire<'a>,
    quantity: u32,
    totals: Vec<TotalWire<'a>>,
}

/// A product as a line shows it.
#[derive(Debug, Serialize)]
pub struct ItemWire<'a> {
    /// The SKU.
    pub id: &'a str,
    /// Its name for people.
    pub title: &'a str,
    /// What one unit costs, in minor units.
    pub price: i64,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<&'a str>,
}

#[derive(Serialize)]
struct PaymentWire<'a> {
    instruments: Vec<InstrumentWire<'a>>,
}

/// What may be shown of an instrument; its credential never is.
#[derive(Serialize)]
struct InstrumentWire<'a> {
    id: &'a str,
    handler_id: &'a str,
    r#type: &'a str,
    selected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<DisplayWire<'a>>,
}

#[derive(Serialize)]
struct DisplayWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_digits: Option<&'a str>,
}

#[derive(Serialize)]
struct OrderWire {
    id: OrderId,
    permalink_url: String,
}

impl<'a> CheckoutWire<'a> {
    fn of(answers: &'a Answers, session: &'a Session) -> Self {
        let base = &answers.site().base_url;
        let mut messages: Vec<_> = session.notices.iter().map(Message::of).collect();
        if session.state == SessionState::Expired {
            messages.push(Message::info("expired", "The session ended by time; create a new one."));
        }
        let (status, priced) = (status(session), session.priced.as_deref());
        Self {
            ucp: &answers.blocks().checkout,
            id: session.id,
            status,
            currency: code(session.currency),
            line_items: lines(session),
            buyer: session.person.buyer.as_deref(),
            totals: TotalWire::of(session.totals.entries(priced)),
            discounts: DiscountsWire::of(priced),
            fulfillment: FulfillmentWire::of(session),
            messages,
            links: &answers.blocks().links,
            expires_at: session.expires_at,
            continue_url: (status == ESCALATES).then(|| continue_url(base, session)),
            payment: PaymentWire {
                instruments: session.instrument.iter().map(InstrumentWire::of).collect(),
            },
            order: session
                .order()
                .map(|id| OrderWire { id, permalink_url: format!("{base}/orders/{id}") }),
        }
    }
}

fn code(currency: Currency) -> &'static str {
    currency.code()
}

const ESCALATES: &str = "requires_escalation";

/// Where the session stands, in UCP's words.
fn status(session: &Session) -> &'static str {
    let weighs = |weight| session.notices.iter().any(|n| notices::row(n.code).weight == weight);
    match session.state {
        SessionState::Completed => "completed",
        SessionState::Canceled | SessionState::Expired => "canceled",
        SessionState::Completing if session.is_challenged() => ESCALATES,
        SessionState::Completing => "complete_in_progress",
        SessionState::Open if weighs(Weight::Escalates) => ESCALATES,
        SessionState::Open if weighs(Weight::Blocks) || session.lines.is_empty() => "incomplete",
        SessionState::Open => "ready_for_complete",
    }
}

fn continue_url(base: &str, session: &Session) -> String {
    let own = || format!("{base}/checkouts/{}", session.id);
    session.challenge_url.clone().unwrap_or_else(own)
}

fn lines(session: &Session) -> Vec<LineWire<'_>> {
    let priced = session.priced.as_deref();
    session.lines.iter().enumerate().map(|(at, line)| LineWire::of(line, at, priced)).collect()
}

impl<'a> LineWire<'a> {
    fn of(line: &'a Line, at: usize, priced: Option<&Priced>) -> Self {
        Self {
            id: &line.id,
            item: ItemWire {
                id: line.sku.as_str(),
                title: &line.title,
                price: line.unit_price.minor(),
                image_url: line.image_url.as_deref(),
            },
            quantity: line.quantity,
            totals: TotalWire::of_line(line, at, priced),
        }
    }
}

impl<'a> InstrumentWire<'a> {
    fn of(instrument: &'a Instrument) -> Self {
        let (brand, digits) = (instrument.brand.as_deref(), instrument.last_digits.as_deref());
        Self {
            id: &instrument.id,
            handler_id: &instrument.handler_id,
            r#type: &instrument.kind,
            selected: true,
            display: (brand.is_some() || digits.is_some())
                .then_some(DisplayWire { brand, last_digits: digits }),
        }
    }
}

/// The session as it stands, saying one thing more. Nothing of it is stored.
pub fn saying(session: &Session, code: NoticeCode, text: &str) -> Session {
    let mut session = session.clone();
    if !session.has(code) {
        session.notices.push(Notice::of(code, text.to_owned()));
    }
    session
}
