//! `/v1/rules/{name}/snoozes`: whom a rule passes over, and until when.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::{
    page::{self, Wanted},
    rule_lists::{kind, moment, normal, value},
    rules::{change, name_of, reason},
};
use crate::{
    fraud::rules::{ListKind, Snooze},
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
    },
};

/// Lists the snoozes of a rule that are not over.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let mut rows = door.rules.snoozes(&name_of(&name)?).await?;
    if let Some(after) = &wanted.cursor {
        rows.retain(|snooze| cursor(snooze) > *after);
    }
    Ok(page::answer(rows, size, cursor, |snooze| snooze))
}

/// The order in which they are listed. No kind begins with another and a slash.
fn cursor(snooze: &Snooze) -> String {
    format!("{}/{}", snooze.kind, snooze.value)
}

/// Lets the rule pass somebody over until a date.
pub async fn snooze(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let kind = kind(&body.get("kind")?)?;
    let until = moment(&body, "until")?;
    let snooze = Snooze {
        rule: name_of(&name)?,
        kind,
        value: value(&body, kind, &door)?,
        until: until.ok_or_else(|| {
            Problem::new(Kind::Invalid, "The field `until` is missing.").at("/until")
        })?,
        reason: reason(&body, &door)?,
        author: asking.caller().to_string(),
        at: door.rules.now(),
    };
    let mut answer = json!(snooze);
    if snooze.until <= snooze.at {
        answer["warnings"] = json!(["It has ended already, and quiets nothing."]);
    }
    let answer = idempotency::answer(200, &answer);
    change(&door, &asking, async || {
        door.rules.snooze(snooze).await?;
        Ok(answer)
    })
    .await
}

/// Ends a snooze. One that is not there is over already.
pub async fn end(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (name, kind, value) = &*path;
    let name = name_of(name)?;
    let no_kind = || Problem::new(Kind::NotFound, "There is no such kind of list.");
    let kind = ListKind::find(kind).ok_or_else(no_kind)?;
    let value = normal(kind, value)?;
    change(&door, &asking, async || {
        let ended = door.rules.end_snooze(&name, kind, &value, asking.caller()).await?;
        Ok(idempotency::answer(200, &json!({ "kind": kind, "value": value, "ended": ended })))
    })
    .await
}
