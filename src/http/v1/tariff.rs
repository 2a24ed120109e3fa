//! `/v1/discounts`, `/v1/shipping-rates`, `/v1/pickup-locations`, `/v1/tax-rates`: what is applied
//! to a session besides its products' prices.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, ServiceConfig},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    base::Timestamp,
    checkout::UsesRefused,
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
    },
    ledger::entry::StoredAnswer,
    pricing::{Item, ItemKind, TariffRow, TariffsRefused},
};

/// Mounts a list and an item of each kind.
pub fn routes(config: &mut ServiceConfig) {
    for kind in ItemKind::ALL {
        let path = format!("/{}", kind.as_str());
        let items = web::resource(format!("{path}/{{id}}"));
        config
            .service(web::resource(path).app_data(kind).get(list))
            .service(items.app_data(kind).get(get).put(save).delete(remove));
    }
}

/// An item as it is shown.
#[derive(Debug, Serialize)]
struct ItemView {
    #[serde(flatten)]
    body: Value,
    version: u64,
    updated_at: Timestamp,
    /// Uses of a discount that nobody holds or has had.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_left: Option<i64>,
    /// What of it can do nothing, as things stand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl ItemView {
    fn of(row: TariffRow) -> Self {
        let TariffRow { body, version, updated_at, .. } = row;
        Self { body, version, updated_at, uses_left: None, warnings: Vec::new() }
    }
}

fn kind_of(request: &HttpRequest) -> Result<ItemKind, Problem> {
    let kind = request.app_data::<ItemKind>().copied();
    kind.ok_or_else(|| Problem::new(Kind::NotFound, "There is nothing at this address."))
}

/// Lists the items of a kind by id; there are at most a thousand.
async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&request)?;
    door.desk.tariffs.follow().await?;
    let items: Vec<_> = door.desk.tariffs.list(kind).into_iter().map(ItemView::of).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

/// Shows an item.
async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&request)?;
    door.desk.tariffs.follow().await?;
    let row = door.desk.tariffs.find(kind, &id).ok_or_else(|| nothing(kind, &id))?;
    let uses_left = uses_left(&door, &row).await?;
    Ok(HttpResponse::Ok().json(ItemView { uses_left, ..ItemView::of(row) }))
}

fn nothing(kind: ItemKind, id: &str) -> Problem {
    let kind = kind.as_str();
    Problem::new(Kind::NotFound, format!("There is nothing named `{id}` among the {kind}."))
        .suggest(format!("Make it with PUT /v1/{kind}/{id}."))
}

async fn uses_left(door: &Door, row: &TariffRow) -> Result<Option<i64>, Problem> {
    let Item::Discount(discount) = row.item()? else { return Ok(None) };
    let Some(uses) = discount.uses() else { return Ok(None) };
    let levels = door.store.find_stock(std::slice::from_ref(&uses)).await?;
    Ok(Some(levels.first().map_or(0, |level| level.available())))
}

/// Keeps an item, new or in the place of the one with this id. It counts here at once, at other
/// replicas within a second; sessions that were quoted before keep what they were quoted.
async fn save(
    door: web::Data<Door>,
    asking: Asking,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&request)?;
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let mut body = asking.body().value().clone();
    match asking.body().find("id") {
        Some(other) if other.value() != id.as_str() => {
            let text = format!("The address says `{id}`, the body says {}.", other.value());
            return Err(Problem::new(Kind::Invalid, text).at("/id"));
        }
        _ => body["id"] = id.as_str().into(),
    }
    let item = kind.read_new(&mut body).map_err(|invalid| {
        Problem::new(Kind::Invalid, invalid.text.into_owned()).at(invalid.pointer)
    })?;
    if let Item::Discount(discount) = &item {
        door.desk.count_uses(discount).await?.map_err(uses_refused)?;
    }
    let now = door.clock.now();
    change(&door, &asking, async || {
        let saved = door.desk.tariffs.save(&item, &body, asking.caller(), now).await;
        let warnings = door.desk.warnings(&item).await?;
        let view = ItemView { warnings, ..ItemView::of(saved.map_err(refused)?) };
        Ok(idempotency::answer(200, &view))
    })
    .await
}

/// Changes the tariff, once per key. What was committed counts here at once, elsewhere within a
/// round.
async fn change(
    door: &Door,
    asking: &Asking,
    work: impl AsyncFnOnce() -> Result<StoredAnswer, Problem>,
) -> Result<HttpResponse, Problem> {
    let answer = idempotency::change(door, asking, work).await?;
    if let Err(fault) = door.desk.tariffs.follow().await {
        tracing::warn!(%fault, "the tariff is not read again; the next round does");
    }
    Ok(answer)
}

/// Removes an item. Removing what is not there is as good.
async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&request)?;
    change(&door, &asking, async || {
        let removed = door.desk.tariffs.remove(kind, &id, asking.caller(), door.clock.now()).await;
        removed.map_err(refused)?;
        Ok(idempotency::answer(200, &json!({ "removed": *id })))
    })
    .await
}

fn uses_refused(refused: UsesRefused) -> Problem {
    let kind = match refused {
        UsesRefused::InUse { .. } => Kind::StockPromised,
        UsesRefused::Busy(_) => Kind::Busy,
    };
    Problem::new(kind, format!("Refused: {refused}.")).at("/usage_limit")
}

fn refused(refused: TariffsRefused) -> Problem {
    match refused {
        TariffsRefused::Ledger(fault) => fault.into(),
        TariffsRefused::Busy | TariffsRefused::Moved => {
            Problem::new(Kind::Busy, format!("{refused}."))
        }
        TariffsRefused::CodeTaken(_) => {
            Problem::new(Kind::Invalid, format!("Refused: {refused}.")).at("/code")
        }
        TariffsRefused::TooMany => Problem::new(Kind::LimitExceeded, format!("{refused}.")),
    }
}
