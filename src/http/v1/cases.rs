//! `/v1/cases`: the orders that wait for a person.
//!
//! A reviewer claims the next case, looks at its judgements, and decides; a claim is a lease, so
//! that two never have the same one, and one that is forgotten comes back.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

use super::page::{self, Wanted};
use crate::{
    base::{CheckoutId, Limits, OrderId},
    checkout::resolve::Verdict,
    fraud::{
        bench::Written,
        cases::{CaseEvent, CaseRow},
    },
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
    ledger::{
        Fact, LedgerRefused,
        review::{AssessmentRow, CaseState},
    },
};

/// A claim lasts this long unless said.
const LEASE_SECONDS: u32 = 15 * 60;

/// Nobody looks at one order longer.
const LEASE_MAX_SECONDS: u32 = 8 * 60 * 60;

#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct CaseView {
    #[serde(flatten)]
    row: CaseRow,
    events: Vec<CaseEvent>,
    assessments: Vec<AssessmentView>,
}

/// A judgement as people read it.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct AssessmentView {
    id: String,
    attempt: Option<String>,
    at: crate::base::Timestamp,
    #[serde(flatten)]
    assessment: crate::fraud::assessment::Assessment,
}

/// Lists open cases, the most urgent first.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let skip: u32 = wanted.after()?.unwrap_or(0);
    let rows = door.cases.list_open(skip, size + 1).await?;
    let next = skip.saturating_add(size).to_string();
    Ok(page::answer(rows, size, |_| next, |row| row))
}

/// Shows a case with all that was said and judged about its order.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = order_of(&id)?;
    let row = door.cases.find(order).await?.ok_or_else(unknown)?;
    let events = door.cases.list_events(order).await?;
    let assessments = assessments(&door, order.checkout()).await?;
    Ok(HttpResponse::Ok().json(CaseView { row, events, assessments }))
}

/// Shows every judgement of an order's checkout.
pub async fn list_assessments(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such order or checkout.");
    let order = id.parse::<OrderId>().map(OrderId::checkout);
    let checkout = order.or_else(|_| id.parse::<CheckoutId>()).map_err(|_| unknown())?;
    let items = assessments(&door, checkout).await?;
    if items.is_empty() {
        return Err(unknown());
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({ "items": items })))
}

async fn assessments(door: &Door, checkout: CheckoutId) -> Result<Vec<AssessmentView>, Problem> {
    let rows = door.cases.list_assessments(checkout).await?;
    let view = |row: AssessmentRow| {
        let written: Written = serde_json::from_str(row.body.get())
            .map_err(|fault| Problem::fault(Kind::Internal, fault))?;
        Ok(AssessmentView {
            id: row.id.to_string(),
            attempt: row.attempt.map(|attempt| attempt.to_string()),
            at: row.at,
            assessment: written.assessment,
        })
    };
    rows.into_iter().map(view).collect()
}

/// Gives a reviewer the next case, or says that there is none.
pub async fn claim_next(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let (reviewer, lease) = (reviewer(&body, &door.limits)?, lease(&body)?);
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let now = door.clock.now();
    let row = door.cases.claim_next(&reviewer, lease, now).await?;
    keep(&door, &asking, &serde_json::json!({ "case": row })).await
}

/// What a reviewer does with one case: `claim`, `release`, `notes`, `assign`, `escalate`.
pub async fn act(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (order, body) = (order_of(&path.0)?, asking.body());
    let by = reviewer(&body, &door.limits)?;
    if path.1 == "decide" {
        return decide(&door, &asking, order, by).await;
    }
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let found = door.cases.find(order).await?.ok_or_else(unknown)?;
    let (cases, now) = (&door.cases, door.clock.now());
    let changed = match path.1.as_str() {
        "claim" => cases.claim(order, &by, lease(&body)?, now).await?,
        "release" => cases.release(order, &by, now).await?,
        "assign" => {
            let to = text(&body, "to", &door.limits)?;
            cases.assign(order, (&by, &to), now).await?
        }
        "escalate" => {
            let why = text(&body, "reason", &door.limits)?;
            cases.escalate(order, (&by, &why), now).await?
        }
        "notes" => {
            let note = text(&body, "note", &door.limits)?;
            cases.note(order, (&by, &note), now).await?;
            Some(found.clone())
        }
        _ => {
            let text = "A case is claimed, released, assigned, escalated, noted or decided.";
            return Err(Problem::new(Kind::NotFound, text));
        }
    };
    match changed {
        Some(row) => keep(&door, &asking, &row).await,
        None => Err(not_theirs(&found)),
    }
}

/// Ends a case. Clicked twice, it is ended once; decided by another meanwhile, that one stands.
async fn decide(
    door: &Door,
    asking: &Asking,
    order: OrderId,
    by: String,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let field = body.get("decision")?;
    let to = match field.text(door.limits.text_bytes)? {
        "approve" => CaseState::Approved,
        "decline" => CaseState::Declined,
        "refund" => CaseState::Refunded,
        _ => {
            let text = "A decision is `approve`, `decline` or `refund`.".to_owned();
            return Err(field.problem(Kind::Invalid, text));
        }
    };
    let reason = text(&body, "reason", &door.limits)?;
    let found = door.cases.find(order).await?.ok_or_else(unknown)?;
    let now = door.clock.now();
    let leased = found.lease_until.is_some_and(|until| until > now);
    if leased && found.claimed_by.as_ref().is_some_and(|claimed| *claimed != by) {
        return Err(not_theirs(&found));
    }
    let view = serde_json::json!({ "order": order, "state": to, "by": by, "reason": reason });
    let answer = idempotency::answer(200, &view);
    let key = asking.key_write(answer.clone(), now);
    let verdict = Verdict { order, to, by, reason };
    match door.desk.resolve(&verdict, Some(key)).await? {
        Ok(_) => crate::http::answer::write(&answer),
        Err(LedgerRefused::KeyTaken(_)) => idempotency::find_answer(door, asking)
            .await?
            .ok_or_else(|| Problem::new(Kind::KeyInFlight, "The request is still worked on.")),
        Err(refused) => Err(refused.into()),
    }
}

async fn keep(
    door: &Door,
    asking: &Asking,
    view: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let name = format!("case/{}/{}/{}", asking.caller(), asking.key(), asking.fingerprint());
    let answer = idempotency::answer(200, view);
    let id = crate::ledger::EntryId::of(name);
    idempotency::write_once(door, asking, id, answer, Fact::Answer).await
}

fn order_of(id: &str) -> Result<OrderId, Problem> {
    id.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "No review was opened for this order.")
}

fn not_theirs(found: &CaseRow) -> Problem {
    match (found.state, &found.claimed_by) {
        (CaseState::Open, Some(other)) => {
            Problem::new(Kind::CaseClaimed, format!("{other} looks at this case."))
                .suggest("Claim the next one, or wait until their lease is over.")
        }
        (CaseState::Open, None) => Problem::new(Kind::CaseClaimed, "Nobody has claimed this case.")
            .suggest("Claim it first."),
        (state, _) => Problem::new(Kind::CaseEnded, format!("The case is {}.", state.as_str())),
    }
}

fn reviewer(body: &At<'_>, limits: &Limits) -> Result<String, Problem> {
    text(body, "reviewer", limits)
}

/// A text that must be there and say something.
fn text(body: &At<'_>, name: &str, limits: &Limits) -> Result<String, Problem> {
    let field = body.get(name)?;
    let text = field.text(limits.text_bytes)?.trim();
    if text.is_empty() {
        return Err(field.problem(Kind::Invalid, format!("Say something in `{name}`.")));
    }
    Ok(text.to_owned())
}

fn lease(body: &At<'_>) -> Result<Duration, Problem> {
    let seconds = match body.find("lease_seconds") {
        Some(field) => field.quantity(LEASE_MAX_SECONDS)?,
        None => LEASE_SECONDS,
    };
    Ok(Duration::from_secs(u64::from(seconds)))
}
