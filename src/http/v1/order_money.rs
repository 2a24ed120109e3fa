//! `POST /v1/orders/{id}/cancel`, `…/capture`, `…/void`: what the back office decides about an
//! order's money. Each answers with the order as it stands then.

use actix_web::{HttpResponse, web};

use super::{movements::reason, order_changes, order_view::OrderView};
use crate::{
    base::{ChangeId, Money},
    checkout::ChangeWish,
    http::{asking::Asking, door::Door, idempotency, kinds::Kind, order_body, problem::Problem},
    ledger::{
        entry::{LineMoveKind, MoneyWish},
        row::OrderRow,
    },
};

/// Gives an order up, or lines of it: what has not left goes back on sale, and what is due is let
/// go or given back. Once more, it is canceled already.
pub async fn cancel(
    door: web::Data<Door>,
    asking: Asking,
    order: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let row = order_body::find(&door, &order).await?;
    let body = asking.body();
    let moves = match body.find("lines") {
        Some(lines) => order_changes::moves(&lines, &door, |_| Ok(LineMoveKind::Restock))?,
        None => Vec::new(),
    };
    let (money, reason) = (MoneyWish::Cancel, reason(&body, &door.limits)?);
    let wish = ChangeWish { moves, money, reason, ..wish(&door, &asking, &row) };
    settle(&door, &asking, wish).await
}

/// Takes what is authorized: all that is left of it, or a part.
pub async fn capture(
    door: web::Data<Door>,
    asking: Asking,
    order: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let row = order_body::find(&door, &order).await?;
    let body = asking.body();
    let amount = body.find("amount").map(|field| amount(&field, &row)).transpose()?;
    let reason = body.text_in("reason", door.limits.text_bytes)?;
    let (money, reason) =
        (MoneyWish::Capture(amount), reason.unwrap_or_else(|| "captured".to_owned()));
    settle(&door, &asking, ChangeWish { money, reason, ..wish(&door, &asking, &row) }).await
}

/// Lets go what is authorized and not captured. The goods stay the buyer's: cancel the order to put
/// them back on sale.
pub async fn void(
    door: web::Data<Door>,
    asking: Asking,
    order: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let row = order_body::find(&door, &order).await?;
    let (money, reason) = (MoneyWish::Void, reason(&asking.body(), &door.limits)?);
    settle(&door, &asking, ChangeWish { money, reason, ..wish(&door, &asking, &row) }).await
}

/// The request's key names the change, so that asking twice is asking once.
pub(super) fn wish(door: &Door, asking: &Asking, row: &OrderRow) -> ChangeWish {
    let name = format!("{}/{}", asking.caller(), asking.key());
    ChangeWish::of(ChangeId::named(row.id, &name), row.id, door.clock.now())
}

async fn settle(door: &Door, asking: &Asking, wish: ChangeWish) -> Result<HttpResponse, Problem> {
    let order = wish.order;
    idempotency::once(door, asking, "orders", async || {
        if let Err(refused) = door.desk.change_order_once_captured(wish).await? {
            return Err(refused.into());
        }
        let row = order_body::find(door, &order.to_string()).await?;
        Ok(idempotency::answer(200, &OrderView::whole(row)?))
    })
    .await
}

fn amount(field: &crate::http::reading::At<'_>, order: &OrderRow) -> Result<i64, Problem> {
    let minor = field.integer()?;
    if (1..=order.total_minor).contains(&minor) {
        return Ok(minor);
    }
    let total = Money::from_minor(order.total_minor, order.currency);
    let text =
        format!("An amount is given in minor units: at least 1, at most the total, {total}.");
    Err(field.problem(Kind::Invalid, text))
}
