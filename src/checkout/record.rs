//! Between a session and what the ledger keeps of it.

use serde_json::value::RawValue;
use std::sync::Arc;

use super::session::{Line, Session};
use crate::{
    base::{AttemptId, EventId, Money, OperationId, OrderId, Person, Sealed, Sku, Timestamp},
    catalog::StockPolicy,
    ledger::{
        Document, LedgerFault,
        entry::{HoldWanted, KeyWrite, NewAttempt, NewEvent, SessionWrite},
        row::{NewOperation, NewOrder, NewOrderLine, OperationKind, SessionRow},
    },
};

/// The session without its personal fields.
pub fn document(session: &Session) -> Document {
    raw(session)
}

fn raw(value: &impl serde::Serialize) -> Document {
    let text = serde_json::value::to_raw_value(value);
    Arc::from(text.expect("records of text, numbers and lists serialize"))
}

/// A session from its row.
///
/// # Errors
/// When the row does not read: damage, or a newer version's.
pub fn from_row(row: SessionRow) -> Result<Session, LedgerFault> {
    let broken =
        |why: String| LedgerFault::Broken(format!("session {} does not read: {why}", row.checkout));
    let mut session: Session =
        serde_json::from_str(row.body.get()).map_err(|error| broken(error.to_string()))?;
    session.version = row.version;
    session.state = row.state;
    session.person = match &row.personal {
        Some(sealed) => sealed.open_json().map_err(|error| broken(error.to_string()))?,
        None => Person::default(),
    };
    session.held = row.holds.iter().map(|hold| (hold.sku.clone(), hold.quantity)).collect();
    Ok(session)
}

/// The fact that makes this session the next version, holding these units.
pub fn session_write(
    session: &Session,
    holds: Vec<HoldWanted>,
    personal: bool,
    attempt: Option<NewAttempt>,
    key: Option<KeyWrite>,
    now: Timestamp,
) -> SessionWrite {
    SessionWrite {
        checkout: session.id,
        version: session.version,
        state: session.state,
        expires_at: session.expires_at,
        body: document(session),
        personal: personal.then(|| Sealed::seal_json(&session.person)),
        holds,
        hold_until: session.hold_until,
        attempt,
        assessment: None,
        key,
        now,
    }
}

/// The order a session becomes. Uses of discounts stand behind its lines, so that they are sold,
/// and restocked when it is given up, like goods.
pub fn order(session: &Session) -> NewOrder {
    let line = |(at, line): (usize, &Line)| NewOrderLine {
        line: u32::try_from(at + 1).unwrap_or(u32::MAX),
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price_minor: line.unit_price.minor(),
        tracked: line.stock_policy == StockPolicy::Tracked,
    };
    let uses = |(at, sku): (usize, &Sku)| NewOrderLine {
        line: u32::try_from(session.lines.len() + at + 1).unwrap_or(u32::MAX),
        sku: sku.clone(),
        quantity: 1,
        unit_price_minor: 0,
        tracked: true,
    };
    let lines = session.lines.iter().enumerate().map(line);
    let lines = lines.chain(session.uses().iter().enumerate().map(uses)).collect();
    NewOrder {
        id: OrderId::of(session.id),
        total_minor: session.totals.total.minor(),
        currency: session.currency,
        body: document(session),
        lines,
    }
}

/// What an authorization lets us do: one operation of each kind per attempt.
pub fn operation(
    attempt: AttemptId,
    kind: OperationKind,
    authorization: &str,
    amount: Money,
) -> NewOperation {
    NewOperation {
        id: OperationId::of(attempt, kind.number()),
        attempt,
        kind,
        amount_minor: amount.minor(),
        authorization: authorization.to_owned(),
    }
}

/// A public event about an order.
pub fn event(
    id: EventId,
    order: OrderId,
    kind: &str,
    body: &impl serde::Serialize,
    at: Timestamp,
) -> NewEvent {
    NewEvent { id, order, kind: kind.to_owned(), body: raw(body), at }
}

/// The event of an order that was placed: what it says stands with the order, and only there.
pub fn placed(id: EventId, order: OrderId, at: Timestamp) -> NewEvent {
    let body = Arc::from(RawValue::NULL.to_owned());
    NewEvent { id, order, kind: "order.placed".to_owned(), body, at }
}

/// A JSON text as a document.
///
/// # Errors
/// When it is not JSON.
pub fn parse_document(text: &str) -> Result<Document, serde_json::Error> {
    RawValue::from_string(text.to_owned()).map(Arc::from)
}
