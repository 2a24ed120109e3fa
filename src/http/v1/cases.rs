//! `/v1/cases`: the orders that wait for a person, and those that have.
//!
//! A reviewer claims the next case, looks at all that is known of it, and decides; a claim is a
//! lease, so that two never have the same one, and one that is forgotten comes back.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::{
    case_actions::{order_of, unknown},
    case_view,
    page::{Wanted, parameter},
};
use crate::{
    base::{CheckoutId, Currency, OrderId, Person, Timestamp},
    fraud::{
        bench::Written,
        cases::{CaseHead, CaseRow, QueueCounts, QueueFilter, QueuePlace},
    },
    http::{
        caller::{Caller, Named},
        door::Door,
        kinds::Kind,
        problem::Problem,
    },
    ledger::review::{AssessmentRow, CaseState},
};

/// A judgement as people read it.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct AssessmentView {
    pub(super) id: String,
    pub(super) attempt: Option<String>,
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) assessment: crate::fraud::assessment::Assessment,
}

/// Which cases.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    state: Option<String>,
    mine: Option<bool>,
    reviewer: Option<String>,
    overdue: Option<bool>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// A page of cases.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Queue {
    items: Vec<CaseItem>,
    next_cursor: Option<String>,
    /// How many are open, whatever was asked for.
    counts: QueueCounts,
}

/// A case in a list, with what a reviewer chooses by.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct CaseItem {
    #[serde(flatten)]
    row: CaseRow,
    /// Whether somebody should have looked at it by now.
    overdue: bool,
    /// What the order cost in all, in minor units.
    amount_minor: Option<i64>,
    currency: Option<Currency>,
    score: Option<u16>,
    /// What raised the score most, or the rule that decided.
    top_reason: Option<String>,
    /// Who buys, without what names them: `a…@example.com`.
    buyer: Option<String>,
}

/// Lists cases, the most urgent first; unless something else is said, those that are open.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    named: Option<web::ReqData<Named>>,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let page = Wanted { cursor: filter.cursor.clone(), limit: filter.limit };
    let (size, after, now) =
        (page.size(&door.limits)?, page.after::<QueuePlace>()?, door.clock.now());
    let me = named.map(|named| named.0.to_string()).or_else(|| filter.reviewer.clone());
    let of = filter.mine.unwrap_or_default().then(|| me.clone().ok_or_else(nobody)).transpose()?;
    let states = states(filter.state.as_deref())?;
    let asked = QueueFilter { states, of, overdue: filter.overdue.unwrap_or_default() };
    let mut rows = door.cases.list(&asked, after, now, size + 1).await?;
    let has_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| QueuePlace::of(row).to_string());
    let orders: Vec<OrderId> = rows.iter().map(|row| row.order).collect();
    let heads = door.cases.heads(&orders).await?;
    let heads: HashMap<OrderId, CaseHead> =
        heads.into_iter().map(|head| (head.order, head)).collect();
    let items = rows.into_iter().map(|row| item(row, &heads, now)).collect();
    let counts = door.cases.count_open(me.as_deref(), now).await?;
    Ok(HttpResponse::Ok().json(Queue { items, next_cursor, counts }))
}

fn nobody() -> Problem {
    Problem::new(Kind::Invalid, "Say who `reviewer` is: without API keys nobody else does.")
        .at("/reviewer")
}

fn states(raw: Option<&str>) -> Result<Vec<CaseState>, Problem> {
    let words: Vec<_> =
        CaseState::ALL.iter().map(|state| format!("`{}`", state.as_str())).collect();
    let expected = format!("`all`, `closed`, or one of {}", words.join(", "));
    let found = parameter(raw, "state", &expected, |raw| match raw {
        "all" => Some(CaseState::ALL.to_vec()),
        "closed" => {
            let closed = CaseState::ALL.into_iter().filter(|state| *state != CaseState::Open);
            Some(closed.collect())
        }
        word => {
            let found = CaseState::ALL.into_iter().find(|state| state.as_str() == word);
            found.map(|state| vec![state])
        }
    })?;
    Ok(found.unwrap_or_else(|| vec![CaseState::Open]))
}

fn item(row: CaseRow, heads: &HashMap<OrderId, CaseHead>, now: Timestamp) -> CaseItem {
    let head = heads.get(&row.order);
    let written = head.and_then(CaseHead::written);
    let personal = head.and_then(|head| head.personal.as_ref());
    let person = personal.and_then(|sealed| sealed.open_json::<Person>().ok());
    let judged = written.map(|written| written.assessment);
    CaseItem {
        overdue: row.state == CaseState::Open && row.due_at <= now,
        amount_minor: head.map(|head| head.total_minor),
        currency: head.map(|head| head.currency),
        score: judged.as_ref().and_then(|judged| judged.score),
        top_reason: judged.as_ref().and_then(case_view::top_reason),
        buyer: person.and_then(|person| person.buyer?.email.map(|email| email.masked())),
        row,
    }
}

/// Shows a case with all that was said, judged and known about its order.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = order_of(&id)?;
    let row = door.cases.find(order).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(case_view::of(&door, row).await?))
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

pub(super) async fn assessments(
    door: &Door,
    checkout: CheckoutId,
) -> Result<Vec<AssessmentView>, Problem> {
    let rows = door.cases.list_assessments(checkout).await?;
    let view = |row: AssessmentRow| -> Result<AssessmentView, Problem> {
        let written: Written = serde_json::from_str(row.body.get())
            .map_err(|fault| Problem::fault(Kind::Internal, fault))?;
        Ok(AssessmentView {
            id: row.id.to_string(),
            attempt: row.attempt.map(|attempt| attempt.to_string()),
            at: row.at,
            assessment: written.assessment,
        })
    };
    let mut views = rows.into_iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let mut judged: Vec<_> = views.iter_mut().map(|view| &mut view.assessment).collect();
    door.desk.fraud.bench().schemas().tell(&mut judged).await?;
    Ok(views)
}
