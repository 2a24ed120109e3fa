//! `POST /v1/orders/{id}/lines/{n}/{ship|return|restock}`: units of an order move after the sale.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::movements::reason;
use crate::{
    base::{MovementId, OrderId, Timestamp},
    http::{asking::Asking, door::Door, idempotency, kinds::Kind, problem::Problem},
    ledger::{
        EntryId, Fact,
        entry::{LineMove, LineMoveKind},
    },
};

#[derive(Debug, Serialize)]
struct LineMoveView<'a> {
    id: MovementId,
    order: OrderId,
    line: u32,
    kind: LineMoveKind,
    quantity: u32,
    reason: &'a str,
    at: Timestamp,
}

/// Ships, takes back, or puts back on sale.
pub async fn shift(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (order, line, kind) = read_path(&path)?;
    let body = asking.body();
    let now = door.clock.now();
    let movement = LineMove {
        id: MovementId::new(now, &*door.chance),
        order,
        line,
        kind,
        quantity: body.get("quantity")?.quantity(door.limits.quantity_per_line)?,
        reason: reason(&body, &door.limits)?,
        events: Vec::new(),
        key: None,
        now,
    };
    let answer = idempotency::answer(201, &view(&movement));
    let id = EntryId::of(movement.id);
    let fact = |key| Fact::Line(LineMove { key: Some(key), ..movement });
    idempotency::write_once(&door, &asking, id, answer, fact).await
}

fn read_path(path: &(String, String, String)) -> Result<(OrderId, u32, LineMoveKind), Problem> {
    let unknown = |what: &str| Problem::new(Kind::NotFound, format!("There is no such {what}."));
    let (order, line, kind) = path;
    let kind = match kind.as_str() {
        "ship" => LineMoveKind::Ship,
        "return" => LineMoveKind::Return,
        "restock" => LineMoveKind::Restock,
        _ => return Err(unknown("action; there are ship, return and restock")),
    };
    let order = order.parse().map_err(|_| unknown("order"))?;
    let line = line.parse().map_err(|_| unknown("order line"))?;
    Ok((order, line, kind))
}

fn view(movement: &LineMove) -> LineMoveView<'_> {
    LineMoveView {
        id: movement.id,
        order: movement.order,
        line: movement.line,
        kind: movement.kind,
        quantity: movement.quantity,
        reason: &movement.reason,
        at: movement.now,
    }
}
