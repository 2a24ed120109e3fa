//! `POST /v1/stock/movements`, `GET /v1/stock/{sku}/movements`: stock comes in and goes out by
//! hand.

use actix_web::{HttpResponse, web};
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    page::{self, Wanted},
    stock::sku_of,
};
use crate::{
    base::{Limits, MovementId, Sku, Timestamp},
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
    ledger::{
        Entry, EntryId, Fact,
        entry::{KeyWrite, MoveKind, StockMove},
    },
};

/// A movement as asked for. The levels after it are not told: another may follow at once.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct MovementView<'a> {
    id: MovementId,
    sku: &'a Sku,
    kind: MoveKind,
    quantity: u32,
    reason: &'a str,
    at: Timestamp,
}

/// A movement of a bulk, and whether it was made. It shows no id: when two sendings of one request
/// meet, either may have made it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct BulkItem<'a> {
    sku: &'a Sku,
    kind: MoveKind,
    quantity: u32,
    reason: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct Bulk<'a> {
    movements: Vec<BulkItem<'a>>,
    refused: usize,
}

/// Records one movement, or many under `movements`.
pub async fn record(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    match body.find("movements") {
        Some(list) => record_many(&door, &asking, &list).await,
        None => record_one(&door, &asking, read(&body, &door)?).await,
    }
}

async fn record_one(
    door: &Door,
    asking: &Asking,
    movement: StockMove,
) -> Result<HttpResponse, Problem> {
    let answer = idempotency::answer(201, &view(&movement));
    let id = EntryId::of(movement.id);
    let fact = |key| Fact::Move(StockMove { key: Some(key), ..movement });
    idempotency::write_once(door, asking, id, answer, fact).await
}

/// Each movement stands for itself: one that is refused stops no other. Their entries are named by
/// the request, so that a retry after a crash makes those that are missing and no other.
async fn record_many(door: &Door, asking: &Asking, list: &At<'_>) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(door, asking).await? {
        return Ok(answer);
    }
    let movements = list
        .items(door.limits.lines_per_cart)?
        .map(|at| read(&at, door))
        .collect::<Result<Vec<_>, _>>()?;
    let name = format!("bulk/{}/{}/{}", asking.caller(), asking.key(), asking.fingerprint());
    let writes = movements.iter().enumerate().map(|(index, movement)| {
        let id = EntryId::of(format_args!("{name}/{index}"));
        door.writer.write(Entry::new(id, Fact::Move(movement.clone())))
    });
    let mut bulk = Bulk { movements: Vec::with_capacity(movements.len()), refused: 0 };
    for (movement, outcome) in movements.iter().zip(join_all(writes).await) {
        let detail = outcome?.err().map(|refused| refused.to_string());
        bulk.refused += usize::from(detail.is_some());
        let status = if detail.is_some() { "refused" } else { "recorded" };
        let StockMove { sku, kind, quantity, reason, .. } = movement;
        let (kind, quantity) = (*kind, *quantity);
        bulk.movements.push(BulkItem { sku, kind, quantity, reason, status, detail });
    }
    let answer = idempotency::answer(200, &bulk);
    let id = EntryId::of(format_args!("{name}/answer"));
    idempotency::write_once(door, asking, id, answer, Fact::Answer).await
}

fn read(at: &At<'_>, door: &Door) -> Result<StockMove, Problem> {
    let limits: &Limits = &door.limits;
    let kind = match at.get("kind")?.text(limits.text_bytes)? {
        "receive" => MoveKind::Receive,
        "write_off" => MoveKind::WriteOff,
        "count" => MoveKind::Count,
        _ => {
            let text = "A movement is `receive`, `write_off` or `count`.".to_owned();
            return Err(at.get("kind")?.problem(Kind::Invalid, text));
        }
    };
    let now = door.clock.now();
    Ok(StockMove {
        id: MovementId::new(now, &*door.chance),
        sku: at.get("sku")?.parse(limits.text_bytes, Sku::parse)?,
        kind,
        quantity: quantity(at, kind)?,
        reason: reason(at, limits)?,
        key: None::<KeyWrite>,
        now,
    })
}

/// At least one unit moves; none may be counted.
fn quantity(at: &At<'_>, kind: MoveKind) -> Result<u32, Problem> {
    let field = at.get("quantity")?;
    match kind {
        MoveKind::Count if field.integer()? == 0 => Ok(0),
        _ => field.quantity(i32::MAX.unsigned_abs()),
    }
}

/// Why units move: a clerk's words, required, because the books are read later.
pub fn reason(at: &At<'_>, limits: &Limits) -> Result<String, Problem> {
    let field = at.get("reason")?;
    let reason = field.text(limits.text_bytes)?.trim();
    if reason.is_empty() {
        return Err(field.problem(Kind::Invalid, "Say why the units move.".to_owned()));
    }
    Ok(reason.to_owned())
}

fn view(movement: &StockMove) -> MovementView<'_> {
    MovementView {
        id: movement.id,
        sku: &movement.sku,
        kind: movement.kind,
        quantity: movement.quantity,
        reason: &movement.reason,
        at: movement.now,
    }
}

/// Lists a SKU's movements, newest first.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    sku: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let sku = sku_of(&sku)?;
    let size = wanted.size(&door.limits)?;
    let rows = door.store.list_movements(&sku, wanted.after()?, size + 1).await?;
    Ok(page::answer(rows, size, |row| row.id.to_string(), |row| row))
}
