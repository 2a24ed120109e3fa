//! `POST /v1/orders/{id}/shipments`, `…/adjustments`, `…/lines/{n}/{ship|return|restock}`: what
//! happens to an order after the sale. Units and money move together, or not at all.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::{movements::reason, order_money};
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
        entry::{LineMoveKind, MoneyWish, Moved, Parcel},
        row::{OperationKind, OperationRow, OrderRow},
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
    let unpaid = unpaid(&body)?;
    let wish = ChangeWish { moves, parcel, reason, unpaid, ..wish(&door, order.id) };
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
    let money = match body.find("refund") {
        Some(field) if field.value().as_str() == Some("lines") => MoneyWish::Worth,
        Some(field) => MoneyWish::Refund(amount(&field, &order)?),
        None => MoneyWish::Keep,
    };
    if moves.is_empty() && !matches!(money, MoneyWish::Refund(_)) {
        let text = "Say which `lines` are given up, how much `refund` is due, or both.";
        return Err(Problem::new(Kind::Invalid, text).at("/lines"));
    }
    let reason = reason(&body, &door.limits)?;
    if money == MoneyWish::Worth {
        let wish = order_money::wish(&door, &asking, &order);
        return worth(&door, &asking, ChangeWish { moves, money, reason, ..wish }).await;
    }
    let wish = ChangeWish { moves, money, reason, ..wish(&door, order.id) };
    change(&door, &asking, wish).await
}

/// Gives back what the lines were paid: how much that is, the ledger says, and so the answer is
/// read back from it.
async fn worth(door: &Door, asking: &Asking, wish: ChangeWish) -> Result<HttpResponse, Problem> {
    idempotency::once(door, asking, "orders", async || {
        let (id, order) = (wish.id, wish.order);
        if let Err(refused) = door.desk.change_order_once_captured(wish.clone()).await? {
            return Err(refused.into());
        }
        let row = order_body::find(door, &order.to_string()).await?;
        let kept = row.changes.iter().find(|change| change.id == id);
        let money = kept.and_then(|change| change.money);
        let is = |operation: &&OperationRow| {
            Some(operation.operation.id) == money
                && operation.operation.kind == OperationKind::Refund
        };
        let refund = row.operations.iter().find(is).map(|row| row.operation.amount_minor);
        Ok(idempotency::answer(201, &ChangeView { refund, ..view(&wish) }))
    })
    .await
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
    let (reason, unpaid) = (reason(&body, &door.limits)?, unpaid(&body)?);
    let moves = vec![Moved { line, kind, quantity }];
    change(&door, &asking, ChangeWish { moves, reason, unpaid, ..wish(&door, order) }).await
}

fn wish(door: &Door, order: OrderId) -> ChangeWish {
    let at = door.clock.now();
    ChangeWish::of(ChangeId::new(at, &*door.chance), order, at)
}

/// Whether goods may leave that are not paid.
fn unpaid(body: &At<'_>) -> Result<bool, Problem> {
    body.find("unpaid").map_or(Ok(false), |field| field.truth())
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
        refund: match wish.money {
            MoneyWish::Refund(minor) => Some(minor),
            _ => None,
        },
        parcel: &wish.parcel,
        reason: &wish.reason,
        at: wish.at,
    }
}

pub(super) fn moves(
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
