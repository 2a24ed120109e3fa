//! Sessions and carts as this protocol shows them.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    address_wire::BuyerWire,
    discounts_wire::DiscountsWire,
    error_wire,
    fulfillment_wire::{self, DetailsWire, OptionWire, SelectedWire},
    message_wire::MessageWire,
    order_wire::OrderWire,
    totals_wire::TotalWire,
};
use crate::{
    base::{CartId, CheckoutId, Timestamp},
    checkout::{Line, Notice, NoticeCode, Operation, Session, Shown},
    http::{kinds::Kind, notices, problem::Problem, render::Answers},
    ledger::row::SessionState,
};

/// The answer's status and body. Where nothing of a create can be sold there is no session, and the
/// answer is an error.
pub fn write(answers: &Answers, shown: Shown<'_>) -> (u16, String) {
    match shown {
        Shown::Session { session, operation } => {
            let created = matches!(operation, Operation::Create | Operation::Express);
            let order = OrderWire::of_session(answers, session);
            (if created { 201 } else { 200 }, show(answers, session, order))
        }
        Shown::Nothing { notices, .. } => (422, error_wire::body(&nothing(notices))),
    }
}

/// The session, or the cart, with the order it became.
pub fn show(answers: &Answers, session: &Session, order: Option<OrderWire<'_>>) -> String {
    let json = match session.is_cart {
        true => serde_json::to_string(&CartWire::of(session)),
        false => serde_json::to_string(&SessionWire::of(answers, session, order)),
    };
    json.expect("invariant: wire types are maps with text keys")
}

/// The first notice that is an error says why.
fn nothing(notices: &[Notice]) -> Problem {
    let is_error = |notice: &&Notice| notices::row(notice.code).kind == "error";
    let Some(notice) = notices.iter().find(is_error).or_else(|| notices.first()) else {
        return Problem::new(Kind::ItemUnavailable, "Nothing of this can be sold.");
    };
    let problem = Problem::new(notices::row(notice.code).problem, notice.text.clone());
    match notice.line {
        Some(line) => problem.at(format!("/line_items/{line}")),
        None => problem,
    }
}

#[derive(Serialize)]
struct LineWire<'a> {
    id: &'a str,
    item: ItemWire<'a>,
    name: &'a str,
    quantity: u32,
    unit_amount: i64,
    sku: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<[&'a str; 1]>,
    totals: Vec<TotalWire>,
}

#[derive(Serialize)]
struct ItemWire<'a> {
    id: &'a str,
    name: &'a str,
    unit_amount: i64,
}

#[derive(Serialize)]
struct CartWire<'a> {
    id: CartId,
    currency: String,
    line_items: Vec<LineWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer: Option<BuyerWire<'a>>,
    totals: Vec<TotalWire>,
    messages: Vec<MessageWire<'a>>,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct SessionWire<'a> {
    id: CheckoutId,
    protocol: &'a RawValue,
    capabilities: &'a RawValue,
    status: &'static str,
    currency: String,
    line_items: Vec<LineWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer: Option<BuyerWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fulfillment_details: Option<DetailsWire<'a>>,
    fulfillment_options: Vec<OptionWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_fulfillment_options: Option<[SelectedWire<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discounts: Option<DiscountsWire<'a>>,
    totals: Vec<TotalWire>,
    messages: Vec<MessageWire<'a>>,
    links: &'a RawValue,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderWire<'a>>,
}

impl<'a> CartWire<'a> {
    fn of(session: &'a Session) -> Self {
        Self {
            id: CartId::of_session(session.id),
            currency: session.currency.code().to_ascii_lowercase(),
            line_items: lines(session),
            buyer: session.person.buyer.as_deref().and_then(BuyerWire::of),
            totals: totals(session),
            messages: session.notices.iter().map(MessageWire::of).collect(),
            expires_at: session.expires_at,
        }
    }
}

impl<'a> SessionWire<'a> {
    fn of(answers: &'a Answers, session: &'a Session, order: Option<OrderWire<'a>>) -> Self {
        let mut messages: Vec<_> = session.notices.iter().map(MessageWire::of).collect();
        if session.state == SessionState::Expired {
            messages.push(MessageWire::info("The session ended by time; create a new one."));
        }
        let status = status(session);
        Self {
            id: session.id,
            protocol: &answers.acp().protocol,
            capabilities: &answers.acp().capabilities,
            status,
            currency: session.currency.code().to_ascii_lowercase(),
            line_items: lines(session),
            buyer: session.person.buyer.as_deref().and_then(BuyerWire::of),
            fulfillment_details: DetailsWire::of(session),
            fulfillment_options: fulfillment_wire::options(session),
            selected_fulfillment_options: fulfillment_wire::selected(session),
            discounts: DiscountsWire::of(session),
            totals: totals(session),
            messages,
            links: &answers.acp().links,
            created_at: session.created_at,
            expires_at: session.expires_at,
            continue_url: session.challenge_url.as_deref().filter(|_| status == AUTHENTICATE),
            order,
        }
    }
}

const AUTHENTICATE: &str = "authentication_required";

/// Where the session stands, in this protocol's words.
fn status(session: &Session) -> &'static str {
    match session.state {
        SessionState::Completed => "completed",
        SessionState::Canceled => "canceled",
        SessionState::Expired => "expired",
        SessionState::Completing if session.is_challenged() => AUTHENTICATE,
        SessionState::Completing => "complete_in_progress",
        SessionState::Open if session.has(NoticeCode::PaymentChallenged) => AUTHENTICATE,
        SessionState::Open if !session.is_ready() || session.lines.is_empty() => {
            "not_ready_for_payment"
        }
        SessionState::Open => "ready_for_payment",
    }
}

fn totals(session: &Session) -> Vec<TotalWire> {
    TotalWire::of(&session.totals.entries(session.priced.as_deref()))
}

fn lines(session: &Session) -> Vec<LineWire<'_>> {
    let wire = |(at, line)| line_wire(session, at, line);
    session.lines.iter().enumerate().map(wire).collect()
}

fn line_wire<'a>(session: &'a Session, at: usize, line: &'a Line) -> LineWire<'a> {
    let (id, unit_amount) = (line.sku.as_str(), line.unit_price.minor());
    LineWire {
        id: &line.id,
        item: ItemWire { id, name: &line.title, unit_amount },
        name: &line.title,
        quantity: line.quantity,
        unit_amount,
        sku: id,
        images: line.image_url.as_deref().map(|url| [url]),
        totals: TotalWire::of_line(line, at, session.priced.as_deref()),
    }
}
