//! `POST /v1/orders/{id}/shipments`, `…/adjustments`, `…/lines/{n}/{ship|return|restock}`: what
//! happens to an order after the sale. Units and money move together, or not at all.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::movements::reason;
use crate::{
    base::{ChangeId, Money, OrderId, Timestamp},
    checkout::ChangeWish,
    http::{
        answer,
        asking::Asking,
        door::Door,
        idempotency,
        kinds::Kind,
        order_body, order_history,
        problem::Problem,
        reading::{self, At},
    },
    ledger::{
        LedgerRefused,
        entry::{LineMoveKind, Moved, Parcel},
        row::OrderRow,
    },
};

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct ChangeView<'a> {
    id: ChangeId,
    order: OrderId,
    moved: &'a [Moved],
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<i64>,
    #[serde(flatten)]
    parcel: &'a Parcel,
    reason: &'a str,
    at: Timestamp,
}

/// Sends goods: the lines named, or everything that has not left yet.
pub async fn ship(
    door: web::Data<Door>,
    asking: Asking,
    order: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = order_body::find(&door, &order).await?;
    let body = asking.body();
    let moves = match body.find("lines") {
        Some(lines) => moves(&lines, &door, |_| Ok(LineMoveKind::Ship))?,
        None => order_history::still_here(&order),
    };
    if moves.is_empty() {
        let text = "Every unit of this order has left, or is back on sale.";
        return Err(Problem::new(Kind::LineShort, text));
    }
    let text = |name| body.text_in(name, door.limits.text_bytes);
    let parcel = Parcel {
        carrier: text("carrier")?,
        tracking_number: text("tracking_number")?,
        tracking_url: body.find("tracking_url").map(|field| reading::url(&field)).transpose()?,
        news: None,
    };
    let reason = text("reason")?.unwrap_or_else(|| "shipped".to_owned());
    let wish = ChangeWish { moves, parcel, reason, ..wish(&door, order.id) };
    change(&door, &asking, wish).await
}

/// Takes goods back or off the order, gives money back, or both.
pub async fn adjust(
    door: web::Data<Door>,
    asking: Asking,
    order: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = order_body::find(&door, &order).await?;
    let body = asking.body();
    let moves = match body.find("lines") {
        Some(lines) => moves(&lines, &door, adjusting)?,
        None => Vec::new(),
    };
    let refund_minor = body.find("refund").map(|field| amount(&field, &order)).transpose()?;
    if moves.is_empty() && refund_minor.is_none() {
        let text = "Say which `lines` are given up, how much `refund` is due, or both.";
        return Err(Problem::new(Kind::Invalid, text).at("/lines"));
    }
    let reason = reason(&body, &door.limits)?;
    let wish = ChangeWish { moves, refund_minor, reason, ..wish(&door, order.id) };
    change(&door, &asking, wish).await
}

/// Ships, takes back, or puts back on sale units of one line.
pub async fn shift(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (order, line, kind) = read_path(&path)?;
    let body = asking.body();
    let quantity = body.get("quantity")?.quantity(door.limits.quantity_per_line)?;
    let reason = reason(&body, &door.limits)?;
    let moves = vec![Moved { line, kind, quantity }];
    change(&door, &asking, ChangeWish { moves, reason, ..wish(&door, order) }).await
}

fn wish(door: &Door, order: OrderId) -> ChangeWish {
    let at = door.clock.now();
    ChangeWish {
        id: ChangeId::new(at, &*door.chance),
        order,
        moves: Vec::new(),
        refund_minor: None,
        parcel: Parcel::default(),
        reason: String::new(),
        at,
    }
}

async fn change(door: &Door, asking: &Asking, wish: ChangeWish) -> Result<HttpResponse, Problem> {
    let stored = idempotency::answer(201, &view(&wish));
    let key = asking.key_write(stored.clone(), wish.at);
    match door.desk.change_order(wish, Some(key)).await? {
        Ok(_) => answer::write(&stored),
        Err(LedgerRefused::KeyTaken(row)) => idempotency::settle(&row, asking),
        Err(refused) => Err(refused.into()),
    }
}

fn view(wish: &ChangeWish) -> ChangeView<'_> {
    ChangeView {
        id: wish.id,
        order: wish.order,
        moved: &wish.moves,
        refund: wish.refund_minor,
        parcel: &wish.parcel,
        reason: &wish.reason,
        at: wish.at,
    }
}

fn moves(
    lines: &At<'_>,
    door: &Door,
    kind: impl Fn(&At<'_>) -> Result<LineMoveKind, Problem>,
) -> Result<Vec<Moved>, Problem> {
    let limits = &door.limits;
    let line = |item: At<'_>| {
        let line = u32::try_from(limits.lines_per_cart).unwrap_or(u32::MAX);
        Ok(Moved {
            line: item.get("line")?.quantity(line)?,
            kind: kind(&item)?,
            quantity: item.get("quantity")?.quantity(limits.quantity_per_line)?,
        })
    };
    lines.items(limits.lines_per_cart)?.map(line).collect()
}

fn adjusting(line: &At<'_>) -> Result<LineMoveKind, Problem> {
    let field = line.get("kind")?;
    match field.text(16)? {
        "return" => Ok(LineMoveKind::Return),
        "restock" => Ok(LineMoveKind::Restock),
        _ => {
            let text = "A kind is `return` (units that had shipped come back) or `restock` (units \
                        that never shipped go back on sale).";
            Err(field.problem(Kind::Invalid, text.to_owned()))
        }
    }
}

fn amount(field: &At<'_>, order: &OrderRow) -> Result<i64, Problem> {
    let minor = field.integer()?;
    if (1..=order.total_minor).contains(&minor) {
        return Ok(minor);
    }
    let total = Money::from_minor(order.total_minor, order.currency);
    let text = format!("A refund is given in minor units: at least 1, at most the total, {total}.");
    Err(field.problem(Kind::Invalid, text))
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
