//! The express lane's answer: the order, or why there is none.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    base::{CheckoutId, OrderId, Timestamp},
    checkout::{Declined, Notice, NoticeCode, Session, Shown},
    http::{
        kinds::Kind,
        notices,
        problem::{Problem, Scene},
        render::Answers,
    },
    ledger::row::SessionState,
    pricing::Priced,
};

use super::order_view::counted_from_one;

#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct OrderWire<'a> {
    id: OrderId,
    checkout_id: CheckoutId,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    placed_at: Option<Timestamp>,
    currency: &'static str,
    subtotal: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    priced: Option<Box<Priced>>,
    total: i64,
    /// Paid with the sandbox's money: nothing of it reaches a bank.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test_payment: bool,
    lines: Vec<LineWire<'a>>,
    url: String,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct LineWire<'a> {
    line: u32,
    sku: &'a str,
    title: &'a str,
    quantity: u32,
    unit_price: i64,
}

/// The answer's status and body.
pub fn write(answers: &Answers, shown: Shown<'_>) -> (u16, String) {
    let session = match shown {
        Shown::Nothing { notices, declined, .. } => {
            return refusal(answers, notices, None, declined);
        }
        Shown::Session { session, .. } => session,
    };
    let declined = Declined { checkout: session.id, request: session.request.as_deref() };
    match session.state {
        SessionState::Completed => (201, order(answers, session, "placed")),
        // The gateway has not answered; the order is placed or given up without the buyer.
        SessionState::Completing if session.is_challenged() => {
            refusal(answers, &session.notices, session.challenge_url.as_deref(), Some(declined))
        }
        SessionState::Completing => (202, order(answers, session, "pending")),
        SessionState::Open | SessionState::Canceled | SessionState::Expired => {
            refusal(answers, &session.notices, session.challenge_url.as_deref(), Some(declined))
        }
    }
}

fn order(answers: &Answers, session: &Session, status: &'static str) -> String {
    let id = OrderId::of(session.id);
    let lines = (1..).zip(&session.lines).map(|(number, line)| LineWire {
        line: number,
        sku: line.sku.as_str(),
        title: &line.title,
        quantity: line.quantity,
        unit_price: line.unit_price.minor(),
    });
    let wire = OrderWire {
        id,
        checkout_id: session.id,
        status,
        placed_at: session.placed_at,
        currency: session.currency.code(),
        subtotal: session.totals.subtotal.minor(),
        priced: session.priced.clone().map(counted_from_one),
        total: session.totals.total.minor(),
        test_payment: session.test_payment,
        lines: lines.collect(),
        url: format!("{}/v1/orders/{id}", answers.site().base_url),
    };
    serde_json::to_string(&wire).expect("invariant: wire types are maps with text keys")
}

/// The first notice that has a word to say against it.
fn refusal(
    answers: &Answers,
    notices: &[Notice],
    challenge: Option<&str>,
    declined: Option<Declined<'_>>,
) -> (u16, String) {
    let weight = |notice: &&Notice| notices::row(notice.code).kind == "error";
    let notice = notices.iter().find(weight).or_else(|| notices.first());
    let scene = Scene {
        base_url: &answers.site().base_url,
        request_id: declined.and_then(|declined| declined.request),
        ..Scene::default()
    };
    let Some(notice) = notice else {
        let problem = Problem::new(Kind::CheckoutEnded, "The checkout ended without an order.");
        return (problem.kind().row().status, problem.body(scene));
    };
    let mut problem = Problem::new(notices::row(notice.code).problem, notice.text.clone());
    if let Some(declined) = declined {
        problem = problem.about(declined.checkout);
    }
    if let Some(line) = notice.line {
        problem = problem.at(format!("/lines/{line}"));
    }
    if let Some(code) = notice.discount {
        problem = problem.at(format!("/discount_codes/{code}"));
    }
    if let (NoticeCode::PaymentChallenged, Some(url)) = (notice.code, challenge) {
        problem = problem.suggest(format!("The buyer confirms the payment at {url}."));
    }
    (problem.kind().row().status, problem.body(scene))
}
