//! `/v1/models`: which model scores, which is watched beside it, and how the two compare.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

use crate::{
    fraud::{
        assessment::Outcome,
        backtest::report::{Split, Truth, count},
        history::Span,
        models::{Bundle, ModelsRefused, Promoted, REASON_BYTES_MAX, Wish},
    },
    http::{
        asking::{Asking, AskingFile},
        caller::Caller,
        door::Door,
        idempotency,
        kinds::Kind,
        problem::Problem,
        refusal::sentence,
    },
};

/// What a model is called.
#[derive(Debug, Deserialize)]
pub struct Named {
    version: Option<String>,
}

/// How far back two models are compared.
const COMPARED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Attempts that are compared at most.
const COMPARED_MAX: usize = 20_000;

/// Judgements read at once.
const PAGE: u32 = 200;

/// How a watched model's outcomes stand to those of the model that scored, by the same thresholds.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::http) struct Comparison {
    attempts: u64,
    agree: Split,
    stricter: Split,
    milder: Split,
}

/// Lists models, the newest first.
pub async fn list(door: web::Data<Door>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let items = door.models.list().await?;
    let serving = door.desk.fraud.bench().serving();
    Ok(HttpResponse::Ok().json(json!({
        "items": items, "serving": serving.version(), "mode": door.desk.fraud.bench().policy.mode,
        "watched": serving.challenger(),
    })))
}

/// Takes a trained model in, as `doorbuster models pack` writes it.
pub async fn add(
    door: web::Data<Door>,
    asking: AskingFile,
    named: web::Query<Named>,
) -> Result<HttpResponse, Problem> {
    let version = named.version.as_deref().unwrap_or_default();
    let bundle = Bundle::parse(asking.file()).map_err(|why| Problem::new(Kind::Invalid, why))?;
    let asking = asking.asking();
    idempotency::change(&door, asking, async || {
        let row = door.models.add(&bundle, version, asking.caller()).await?;
        Ok(idempotency::answer(201, &row))
    })
    .await
}

/// Shows a model: what is known of it, who wants it to go live, and what happened to it.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    version: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let gate = door.models.gate(&version).await?;
    let model = door.models.find(&version).await?;
    let (request, changes) =
        (door.models.request(&version).await?, door.models.changes(&version).await?);
    Ok(HttpResponse::Ok().json(json!({
        "model": model, "gate": gate, "request": request, "changes": changes,
    })))
}

/// Watches a model beside the live one. Every replica follows within a second.
pub async fn watch(
    door: web::Data<Door>,
    asking: Asking,
    version: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    act(&door, &asking, async |by| Ok((200, json!(door.models.watch(&version, by).await?)))).await
}

/// Watches it no longer.
pub async fn unwatch(
    door: web::Data<Door>,
    asking: Asking,
    version: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    act(&door, &asking, async |by| Ok((200, json!(door.models.unwatch(&version, by).await?)))).await
}

/// Asks that a model's score decides: at once where one person is enough, else once a second one
/// agrees.
pub async fn promote(
    door: web::Data<Door>,
    asking: Asking,
    version: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let waived = asking.body().find("override").map(|at| at.truth()).transpose()?;
    let waived = waived.unwrap_or_default();
    act(&door, &asking, async |(by, reason)| {
        Ok(match door.models.promote(&version, Wish { by, reason, waived }).await? {
            Promoted::Live(row) => (200, json!({ "live": row })),
            Promoted::Asked(request, gate) => (202, json!({ "request": request, "gate": gate })),
        })
    })
    .await
}

/// Agrees, as a second person, that a model goes live.
pub async fn approve(
    door: web::Data<Door>,
    asking: Asking,
    version: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    act(&door, &asking, async |(by, _)| {
        Ok((200, json!({ "live": door.models.approve(&version, by).await? })))
    })
    .await
}

/// Goes back to the model before, at once.
pub async fn rollback(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    act(&door, &asking, async |by| Ok((200, json!({ "live": door.models.rollback(by).await? }))))
        .await
}

/// What becomes of a model, once per key: by whom, and why; nothing where nobody says.
async fn act(
    door: &Door,
    asking: &Asking,
    work: impl AsyncFnOnce((&str, &str)) -> Result<(u16, Value), ModelsRefused>,
) -> Result<HttpResponse, Problem> {
    let reason = asking.body().text_in("reason", REASON_BYTES_MAX)?.unwrap_or_default();
    idempotency::change(door, asking, async || {
        let (status, body) = work((asking.caller(), &reason)).await?;
        Ok(idempotency::answer(status, &body))
    })
    .await
}

/// Compares what was watched in the last week with what scored beside it, by what orders turned
/// out to be.
pub async fn comparison(door: web::Data<Door>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let (now, bench) = (door.clock.now(), door.desk.fraud.bench());
    let delay = bench.serving().layout.label_delay;
    let span = Span::of(now.minus(COMPARED), now);
    let (history, mut cursor, mut seen) = (door.cases.history(), None, 0);
    let mut compared: BTreeMap<String, Comparison> = BTreeMap::new();
    while seen < COMPARED_MAX {
        let page = history.list(span, cursor, PAGE).await?;
        let Some(last) = page.last() else { break };
        cursor = Some(last.id);
        seen += page.len();
        for past in &page {
            let written = past.written()?;
            let judged = &written.assessment;
            let (Some(challenger), Some(score)) = (&judged.challenger, judged.score) else {
                continue;
            };
            let live: Outcome = bench.policy.thresholds.by_score(score);
            let theirs = bench.policy.thresholds.by_score(challenger.score);
            let model = judged.model.as_deref().unwrap_or_default();
            let pair = format!("{} beside {model}", challenger.model);
            let comparison = compared.entry(pair).or_default();
            comparison.attempts += 1;
            let split = match theirs.cmp(&live) {
                std::cmp::Ordering::Equal => &mut comparison.agree,
                std::cmp::Ordering::Greater => &mut comparison.stricter,
                std::cmp::Ordering::Less => &mut comparison.milder,
            };
            count(split, Truth::of(past, now, delay), (past, &written));
        }
    }
    Ok(HttpResponse::Ok().json(json!({ "compared": compared, "attempts": seen })))
}

impl From<ModelsRefused> for Problem {
    fn from(refused: ModelsRefused) -> Self {
        let text = sentence(&refused);
        match refused {
            ModelsRefused::Ledger(fault) => fault.into(),
            ModelsRefused::NoSuchModel(_) => Self::new(Kind::NotFound, text),
            ModelsRefused::BadName => Self::new(Kind::Invalid, text).at("/version"),
            ModelsRefused::NoReason => Self::new(Kind::Invalid, text).at("/reason"),
            ModelsRefused::Files { .. } => Self::new(Kind::Invalid, text),
            ModelsRefused::SamePerson | ModelsRefused::Nobody => Self::new(Kind::Forbidden, text),
            ModelsRefused::Taken(_)
            | ModelsRefused::IsLive(_)
            | ModelsRefused::NotWatched(_)
            | ModelsRefused::NothingLive
            | ModelsRefused::Lacking { .. }
            | ModelsRefused::NotAsked(_)
            | ModelsRefused::OtherFeatures(_)
            | ModelsRefused::Memory(_)
            | ModelsRefused::Raced => Self::new(Kind::CannotRecord, text),
        }
    }
}
