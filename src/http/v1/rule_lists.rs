//! `/v1/lists`: values that rules look up.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::{
    page::{self, Wanted},
    rules::{change, name_of, new_name, word},
};
use crate::{
    base::Timestamp,
    fraud::rules::{ListEntry, ListKind},
    http::{
        asking::Asking, caller::Caller, door::Door, free_text, idempotency, kinds::Kind,
        problem::Problem, reading::At,
    },
};

/// The kinds of lists, as a refusal names them.
const KINDS: &str = "card, bin, email, domain, ip, device, address or customer";

/// Lists the lists, by name.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let mut rows = door.rules.store().lists().await?;
    if let Some(after) = &wanted.cursor {
        rows.retain(|head| head.name.as_str() > after.as_str());
    }
    Ok(page::answer(rows, size, |head| head.name.to_string(), |head| head))
}

/// Shows a list, without its entries.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(door.rules.find_list(&name_of(&name)?).await?))
}

/// Makes a list, or changes its note.
pub async fn save(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let name = new_name(&name)?;
    let kind = kind(&body.get("kind")?)?;
    let note = body.text_in("note", door.limits.text_bytes)?.unwrap_or_default();
    change(&door, &asking, async || {
        let head = door.rules.save_list(&name, kind, &note, asking.caller()).await?;
        Ok(idempotency::answer(200, &head))
    })
    .await
}

/// Removes a list with its entries. One that is not there is removed already.
pub async fn remove_list(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let name = name_of(&name)?;
    change(&door, &asking, async || {
        let removed = door.rules.remove_list(&name, asking.caller()).await?;
        Ok(idempotency::answer(200, &json!({ "name": name, "removed": removed })))
    })
    .await
}

/// Lists the entries of a list, by value.
pub async fn entries(
    door: web::Data<Door>,
    _caller: Caller,
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let name = door.rules.find_list(&name_of(&name)?).await?.name;
    let rows = door.rules.store().entries(&name, wanted.cursor.as_deref(), size + 1).await?;
    Ok(page::answer(rows, size, |entry| entry.value.clone(), |entry| entry))
}

/// Adds one entry, or many under `entries`, all or none. Those that are there get the new end and
/// note.
pub async fn add(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let head = door.rules.find_list(&name_of(&name)?).await?;
    let entries = match body.find("entries") {
        Some(list) => {
            let items = list.items(door.limits.lines_per_cart)?;
            items.map(|at| read(&at, head.kind, &door, &asking)).collect::<Result<Vec<_>, _>>()?
        }
        None => vec![read(&body, head.kind, &door, &asking)?],
    };
    let now = door.rules.now();
    let ended = entries.iter().filter(|entry| entry.expires_at.is_some_and(|end| end <= now));
    let told = |entry: &ListEntry| format!("`{}` has expired, and matches nobody.", entry.value);
    let warnings: Vec<String> = ended.map(told).collect();
    let mut answer = match (&entries[..], body.find("entries")) {
        ([entry], None) => json!(entry),
        (many, _) => json!({ "saved": many.len() }),
    };
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    let answer = idempotency::answer(200, &answer);
    change(&door, &asking, async || {
        door.rules.add_entries(&head.name, entries, asking.caller()).await?;
        Ok(answer)
    })
    .await
}

/// Removes an entry. One that is not there is removed already.
pub async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let head = door.rules.find_list(&name_of(&path.0)?).await?;
    let value = normal(head.kind, &path.1)?;
    change(&door, &asking, async || {
        let mut removed = door.rules.remove_entry(&head.name, &value, asking.caller()).await?;
        // An older release kept e-mail addresses as they were written.
        let written = path.1.trim().to_lowercase();
        if head.kind == ListKind::Email && written != value {
            removed |= door.rules.remove_entry(&head.name, &written, asking.caller()).await?;
        }
        Ok(idempotency::answer(200, &json!({ "value": value, "removed": removed })))
    })
    .await
}

/// A value in a path, in its normal form.
pub(super) fn normal(kind: ListKind, raw: &str) -> Result<String, Problem> {
    let refused = |error| Problem::new(Kind::NotFound, format!("Refused: {error}."));
    kind.normalize(raw).map_err(refused)
}

/// A value in a body, in its normal form. Names of devices and customers are numbers as long as a
/// card's; in every other list, fingerprints of cards among them, a card number is refused.
pub(super) fn value(at: &At<'_>, kind: ListKind, door: &Door) -> Result<String, Problem> {
    let field = at.get("value")?;
    if !matches!(kind, ListKind::Device | ListKind::Customer) {
        free_text::refuse_card_number_at(&field)?;
    }
    field.parse(door.limits.text_bytes, |raw| kind.normalize(raw))
}

/// What a list holds.
pub(super) fn kind(field: &At<'_>) -> Result<ListKind, Problem> {
    word(field, KINDS, ListKind::find)
}

/// A moment in a field that may be absent.
pub(super) fn moment(at: &At<'_>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(field) = at.find(name) else { return Ok(None) };
    let text = "Expected an RFC 3339 time such as 2026-11-27T08:00:00Z.";
    let moment = Timestamp::parse(field.text(64)?);
    moment.map(Some).ok_or_else(|| field.problem(Kind::Invalid, text.to_owned()))
}

fn read(at: &At<'_>, kind: ListKind, door: &Door, asking: &Asking) -> Result<ListEntry, Problem> {
    let value = value(at, kind, door)?;
    let note = at.text_in("note", door.limits.text_bytes)?.unwrap_or_default();
    let (author, added_at) = (asking.caller().to_string(), door.rules.now());
    Ok(ListEntry { value, expires_at: moment(at, "expires_at")?, note, author, added_at })
}
