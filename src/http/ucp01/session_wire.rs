//! A session as this protocol shows it, or why it does not.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    error_wire,
    extension_wire::{FulfillmentWire, TotalWire},
};
use crate::{
    base::{Buyer, CheckoutId, OrderId, Timestamp},
    checkout::{Instrument, Line, Notice, NoticeCode, Operation, Session, Shown},
    http::{
        discount_wire::DiscountsWire,
        kinds::Kind,
        notices::{self, Message},
        problem::{Dialect, Problem, Scene},
        render::Answers,
    },
    ledger::row::SessionState,
    pricing::Priced,
};

/// The answer's status and body.
pub fn write(answers: &Answers, shown: Shown<'_>) -> (u16, String) {
    let refused = match shown {
        Shown::Session { session, operation } => match obstacle(session, operation) {
            None => {
                let wire = CheckoutWire::of(answers, session);
                let body = serde_json::to_string(&wire);
                let body = body.expect("invariant: wire types are maps with text keys");
                return (if operation == Operation::Create { 201 } else { 200 }, body);
            }
            Some(problem) => problem,
        },
        Shown::Nothing { notices, .. } => unsold(notices),
    };
    let scene = Scene {
        base_url: &answers.site().base_url,
        dialect: Dialect::Ucp202601,
        ..Scene::default()
    };
    (error_wire::status(refused.kind()), refused.body(scene))
}

/// What a request came to that was refused after all.
fn obstacle(session: &Session, operation: Operation) -> Option<Problem> {
    match (operation, session.state) {
        (Operation::Complete | Operation::Express, SessionState::Open)
            if !session.has(NoticeCode::PaymentChallenged) =>
        {
            let blocks = session.notices.iter().find(|notice| notice.code.blocks());
            let is_error = |notice: &&Notice| notices::row(notice.code).kind == "error";
            let cut = |notice: &&Notice| {
                matches!(notice.code, NoticeCode::QuantityAdjusted | NoticeCode::OrderLimit)
            };
            let all = || session.notices.iter();
            Some(match blocks.or_else(|| all().find(cut)).or_else(|| all().rfind(is_error)) {
                Some(notice) => problem(notice),
                None => Problem::new(Kind::CheckoutCompleting, "The payment did not begin."),
            })
        }
        (Operation::Update, SessionState::Completing) => {
            let text = "A payment is under way; the checkout was left as it is.";
            Some(Problem::new(Kind::CheckoutCompleting, text))
        }
        _ => None,
    }
}

/// Why nothing was sold: the first line that cannot be says it.
fn unsold(notices: &[Notice]) -> Problem {
    let notice = notices.iter().find(|notice| notice.line.is_some()).or_else(|| notices.first());
    match notice {
        Some(notice) => problem(notice),
        None => Problem::new(Kind::ItemUnavailable, "Item not found."),
    }
}

/// A notice as a refusal, with the words that this protocol has for it.
fn problem(notice: &Notice) -> Problem {
    let text = &notice.text;
    let text = match notice.code {
        NoticeCode::OutOfStock => format!("Out of stock: {text}"),
        NoticeCode::QuantityAdjusted => format!("Not enough in stock: {text}"),
        NoticeCode::ItemUnavailable => format!("Item not found: {text}"),
        NoticeCode::DeliveryOpen | NoticeCode::Undeliverable => {
            format!("Fulfillment address and option must be selected. {text}")
        }
        _ => text.clone(),
    };
    let problem = Problem::new(notices::row(notice.code).problem, text);
    match notice.line {
        Some(line) => problem.at(format!("/line_items/{line}")),
        None => problem,
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
    handlers: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_instrument_id: Option<&'a str>,
    instruments: Vec<InstrumentWire<'a>>,
}

/// What may be shown of an instrument; its credential never is.
#[derive(Serialize)]
struct InstrumentWire<'a> {
    id: &'a str,
    handler_id: &'a str,
    r#type: &'a str,
    brand: &'a str,
    last_digits: &'a str,
}

#[derive(Serialize)]
struct OrderWire {
    id: OrderId,
    permalink_url: String,
}

const ESCALATES: &str = "requires_escalation";

impl<'a> CheckoutWire<'a> {
    fn of(answers: &'a Answers, session: &'a Session) -> Self {
        let (base, blocks) = (&answers.site().base_url, answers.ucp01());
        let (status, priced) = (status(session), session.priced.as_deref());
        Self {
            ucp: &blocks.checkout,
            id: session.id,
            status,
            currency: session.currency.code(),
            line_items: lines(session),
            buyer: session.person.buyer.as_deref(),
            totals: TotalWire::of(session.totals.entries(priced)),
            discounts: DiscountsWire::of(priced),
            fulfillment: FulfillmentWire::of(session),
            messages: messages(session),
            links: &blocks.links,
            expires_at: session.expires_at,
            continue_url: (status == ESCALATES).then(|| continue_url(base, session)),
            payment: PaymentWire {
                handlers: &blocks.handlers,
                selected_instrument_id: session.instrument.as_ref().map(|one| &*one.id),
                instruments: session.instrument.iter().map(instrument).collect(),
            },
            order: session
                .order()
                .map(|id| OrderWire { id, permalink_url: format!("{base}/orders/{id}") }),
        }
    }
}

fn messages(session: &Session) -> Vec<Message<'_>> {
    let mut messages: Vec<_> = session.notices.iter().map(Message::of).collect();
    if session.state == SessionState::Expired {
        messages.push(Message::info("expired", "The session ended by time; create a new one."));
    }
    messages
}

/// Where the session stands, in the protocol's words.
fn status(session: &Session) -> &'static str {
    match session.state {
        SessionState::Completed => "completed",
        SessionState::Canceled | SessionState::Expired => "canceled",
        SessionState::Completing if session.is_challenged() => ESCALATES,
        SessionState::Completing => "complete_in_progress",
        SessionState::Open if session.has(NoticeCode::PaymentChallenged) => ESCALATES,
        SessionState::Open if !session.is_ready() || session.lines.is_empty() => "incomplete",
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

/// Where a checkout of our own lane is shown here, its instrument may lack what a card has.
fn instrument(instrument: &Instrument) -> InstrumentWire<'_> {
    InstrumentWire {
        id: &instrument.id,
        handler_id: &instrument.handler_id,
        r#type: "card",
        brand: instrument.brand.as_deref().unwrap_or_default(),
        last_digits: instrument.last_digits.as_deref().unwrap_or_default(),
    }
}
