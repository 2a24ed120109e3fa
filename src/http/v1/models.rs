//! `/v1/models`: which model scores, which is watched beside it, and how the two compare.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

use crate::{
    fraud::{
        assessment::Outcome,
        backtest::report::{Split, Truth, count},
        history::Span,
        models::ModelsRefused,
    },
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        refusal::sentence,
    },
};

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
        "items": items, "serving": serving.version(), "score": serving.score_mode(),
        "watched": serving.challenger(),
    })))
}

/// Moves a model on: watched, then live. Every replica follows within a second.
pub async fn promote(
    door: web::Data<Door>,
    asking: Asking,
    version: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let row = door.models.promote(&version, asking.caller()).await?;
    keep(&door, &asking, &row).await
}

/// Goes back to the model before.
pub async fn rollback(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let live = door.models.rollback(asking.caller()).await?;
    keep(&door, &asking, &json!({ "live": live })).await
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
            let live: Outcome = bench.policy.thresholds.outcome(score);
            let theirs = bench.policy.thresholds.outcome(challenger.score);
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

async fn keep(
    door: &Door,
    asking: &Asking,
    view: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    idempotency::keep(door, asking, "models", idempotency::answer(200, view)).await
}

impl From<ModelsRefused> for Problem {
    fn from(refused: ModelsRefused) -> Self {
        let text = sentence(&refused);
        match refused {
            ModelsRefused::Ledger(fault) => fault.into(),
            ModelsRefused::NoSuchModel(_) => Self::new(Kind::NotFound, text),
            ModelsRefused::BadName => Self::new(Kind::Invalid, text),
            ModelsRefused::Taken(_)
            | ModelsRefused::IsLive(_)
            | ModelsRefused::NothingLive
            | ModelsRefused::OtherFeatures(_)
            | ModelsRefused::Memory(_)
            | ModelsRefused::Files { .. }
            | ModelsRefused::Raced => Self::new(Kind::CannotRecord, text),
        }
    }
}
