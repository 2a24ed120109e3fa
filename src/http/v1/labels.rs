//! `POST /v1/orders/{id}/labels`, `POST /v1/labels/bulk`: what was found out about orders; many of
//! them as JSON, or as a table (`text/csv`).
//!
//! Of several labels of an order the last one that came is believed. Features learn of it after the
//! schema's label delay. Who wrote it down the API key says; a part of an order that is disputed is
//! noted, and the whole order is what was fraud or was not.

use actix_web::{HttpResponse, web};
use serde_json::json;
use std::time::Duration;

use crate::{
    base::{Money, MovementId, OrderId, Timestamp},
    fraud::{
        cases::Placed,
        label_table::{self, NOTE_BYTES_MAX, REASON_BYTES_MAX, SOURCES, WrongLine, told},
    },
    http::{
        asking::{Asking, TABLE},
        caller::Caller,
        door::Door,
        idempotency,
        kinds::Kind,
        order_body,
        problem::Problem,
        reading::{At, TIME_BYTES},
        refusal::sentence,
    },
    ledger::{
        EntryId, Fact,
        review::{LabelAmount, LabelDetails, LabelsWrite, NewLabel},
    },
};

/// What a date may be off by.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Labels one order.
pub async fn add(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = order_of(&id)?;
    let label = read(&asking.body(), order, (&asking, door.clock.now()))?;
    let placed = door.store.find_order(order).await?.ok_or_else(order_body::unknown)?;
    check(&asking.body(), &label, &Placed::of(&placed))?;
    let answer = idempotency::answer(201, &label);
    write(&door, &asking, vec![label], answer).await
}

/// Labels many orders; all of them or none.
pub async fn add_many(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    if let Some(table) = body.find(TABLE) {
        return add_table(&door, &asking, &table).await;
    }
    let list = body.get("labels")?;
    let mut labels = Vec::new();
    for at in list.items(door.limits.lines_per_cart)? {
        let field = at.get("order")?;
        let order = field.parse(TIME_BYTES, str::parse::<OrderId>)?;
        let label = read(&at, order, (&asking, door.clock.now()))?;
        let Some(placed) = door.store.find_order(order).await? else {
            return Err(field.problem(Kind::NotFound, format!("There is no order {order}.")));
        };
        check(&at, &label, &Placed::of(&placed))?;
        labels.push(label);
    }
    let answer = idempotency::answer(201, &json!({ "labels": labels }));
    write(&door, &asking, labels, answer).await
}

/// Labels the orders of a table. Every line that is wrong is told, and then nothing is kept.
async fn add_table(door: &Door, asking: &Asking, table: &At<'_>) -> Result<HttpResponse, Problem> {
    let refuse = |wrong: &[WrongLine]| table.problem(Kind::Invalid, told(wrong));
    let text = table.text(door.limits.body_bytes)?;
    let rows = label_table::read(text, door.clock.now()).map_err(|wrong| refuse(&wrong))?;
    let orders: Vec<OrderId> = rows.iter().map(|row| row.label.order).collect();
    let known = door.cases.find_orders(&orders).await?;
    let lines = rows.iter().filter_map(|row| {
        let why = match known.get(&row.label.order) {
            None => format!("there is no order {}", row.label.order),
            Some(placed) => wrong(&row.label, placed)?.1,
        };
        Some(WrongLine { line: row.line, why })
    });
    let lines: Vec<WrongLine> = lines.collect();
    if !lines.is_empty() {
        return Err(refuse(&lines));
    }
    let frauds = rows.iter().filter(|row| row.label.fraud).count();
    let answer = idempotency::answer(201, &json!({ "labels": rows.len(), "frauds": frauds }));
    let by = author(asking);
    let written = |mut label: NewLabel| {
        label.details.author = Some(by.clone());
        label
    };
    let labels = rows.into_iter().map(|row| written(row.label)).collect();
    write(door, asking, labels, answer).await
}

/// Lists what was found out about an order, the latest first: the first one is believed.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = order_of(&id)?;
    if door.store.find_order(order).await?.is_none() {
        return Err(order_body::unknown());
    }
    let items = door.cases.list_labels(order).await?;
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

async fn write(
    door: &Door,
    asking: &Asking,
    labels: Vec<NewLabel>,
    answer: crate::ledger::entry::StoredAnswer,
) -> Result<HttpResponse, Problem> {
    // A name of its own: that the request was answered already, its key says.
    let name = MovementId::new(door.clock.now(), &*door.chance);
    let name = format!("labels/{name}");
    let fact = |key| Fact::Labels(Box::new(LabelsWrite { labels, key }));
    idempotency::write_once(door, asking, EntryId::of(name), answer, fact).await
}

fn read(
    at: &At<'_>,
    order: OrderId,
    (asking, now): (&Asking, Timestamp),
) -> Result<NewLabel, Problem> {
    let field = at.get("fraud")?;
    let fraud = field
        .value()
        .as_bool()
        .ok_or_else(|| field.problem(Kind::Invalid, "Expected `true` or `false`.".to_owned()))?;
    let field = at.get("source")?;
    let source = field.text(TIME_BYTES)?;
    if !SOURCES.contains(&source) {
        let text = format!("A source is one of {}.", SOURCES.join(", "));
        return Err(field.problem(Kind::Invalid, text));
    }
    let details = details(at, asking)?;
    let at = match at.find("at") {
        None => now,
        Some(field) => {
            let time = Timestamp::parse(field.text(TIME_BYTES)?);
            time.filter(|at| *at <= now).ok_or_else(|| {
                let text = "Expected a time that has passed, such as 2026-11-27T08:00:00Z.";
                field.problem(Kind::Invalid, text.to_owned())
            })?
        }
    };
    Ok(NewLabel { order, fraud, source: source.to_owned(), at, details })
}

/// What else is known of it.
fn details(at: &At<'_>, asking: &Asking) -> Result<LabelDetails, Problem> {
    let amount = match (at.find("amount_minor"), at.find("currency")) {
        (None, None) => None,
        (Some(minor), Some(currency)) => Some(LabelAmount {
            amount_minor: minor.integer()?,
            currency: currency.parse(16, str::parse)?,
        }),
        (Some(one), None) | (None, Some(one)) => {
            let text = "`amount_minor` and `currency` come together.".to_owned();
            return Err(one.problem(Kind::Invalid, text));
        }
    };
    Ok(LabelDetails {
        author: Some(author(asking)),
        reason: at.text_in("reason", REASON_BYTES_MAX)?.filter(|text| !text.is_empty()),
        note: at.text_in("note", NOTE_BYTES_MAX)?.filter(|text| !text.is_empty()),
        amount,
    })
}

/// Who writes it down: the name of the API key, never a field of the body.
fn author(asking: &Asking) -> String {
    asking.person().unwrap_or(asking.caller()).to_owned()
}

/// Refuses what cannot be true of this order.
fn check(at: &At<'_>, label: &NewLabel, placed: &Placed) -> Result<(), Problem> {
    match wrong(label, placed) {
        None => Ok(()),
        Some((field, why)) => Err(at.get(field)?.problem(Kind::Invalid, sentence(&why))),
    }
}

/// At which field a label is wrong, and why. Exports tell days: one of the day of its order is not
/// from before it.
fn wrong(label: &NewLabel, placed: &Placed) -> Option<(&'static str, String)> {
    if label.at.plus(DAY) <= placed.at {
        let at = placed.at;
        let why = format!("nothing was found out of an order before it was placed, at {at}");
        return Some(("at", why));
    }
    let LabelAmount { amount_minor, currency } = label.details.amount?;
    let total = Money::from_minor(placed.total_minor, placed.currency);
    if currency != placed.currency {
        return Some(("currency", format!("the order was paid in {}", placed.currency)));
    }
    let fits = (1..=placed.total_minor).contains(&amount_minor);
    let why = format!("an amount is at least 1 minor unit and at most the order's total, {total}");
    (!fits).then_some(("amount_minor", why))
}

fn order_of(id: &str) -> Result<OrderId, Problem> {
    id.parse().map_err(|_| order_body::unknown())
}
