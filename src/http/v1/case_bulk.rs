//! `POST /v1/cases/decide`: many cases end for one reason.
//!
//! Each case is a decision of its own, with all that follows from it. One that cannot be decided so
//! says why, and stops none of the others. Whoever asks again, also after a crash half way, finds
//! what was decided by them already, and the rest is done.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};

use super::case_actions::{
    Decision, check_claims, is_claimed, is_theirs, not_theirs, order_of, reviewer, unknown,
};
use crate::{
    base::OrderId,
    http::{asking::Asking, door::Door, idempotency, kinds::Kind, problem::Problem},
    ledger::review::CaseState,
};

/// Cases that one request ends at most: each is a commit of its own, and all of them have to fit in
/// the time that a request may take.
const CASES_MAX: usize = 100;

/// A free case is the reviewer's for so long while it is decided.
const LEASE: Duration = Duration::from_secs(60);

/// What became of many cases.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct Decided {
    /// How many ended as asked.
    decided: usize,
    /// Each case, in the order of the request; one that is named twice stands once.
    items: Vec<Item>,
}

/// What became of one of them.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    /// Its order.
    order: OrderId,
    /// Where it stands now, when it ended as asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<CaseState>,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Why>,
}

/// Why a case did not end as asked.
#[derive(Debug, Serialize, JsonSchema)]
struct Why {
    /// The problem's code.
    code: &'static str,
    /// In words.
    detail: String,
}

/// Ends the cases.
pub(super) async fn decide(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let by = reviewer(&asking, &door.limits)?;
    let decision = Decision::read(&body, &door.limits)?;
    let (mut orders, mut named) = (Vec::new(), BTreeSet::new());
    for item in body.get("orders")?.items(CASES_MAX)? {
        let text = item.text(door.limits.text_bytes)?;
        let order = order_of(text).map_err(|_| {
            item.problem(Kind::Invalid, "Expected an order's id: `ord_…`.".to_owned())
        })?;
        if named.insert(order) {
            orders.push(order);
        }
    }
    if let Some(answer) = idempotency::find_answer(&door, &asking).await? {
        return Ok(answer);
    }
    let mut items = Vec::with_capacity(orders.len());
    for order in orders {
        items.push(match end(&door, order, &decision, &by).await {
            Ok(()) => Item { order, state: Some(decision.to), problem: None },
            // The database does not answer: whoever asks again goes on from here.
            Err(problem) if problem.kind().row().status >= 500 => return Err(problem),
            Err(problem) => {
                let (code, detail) = (problem.kind().row().code, problem.detail().to_owned());
                Item { order, state: None, problem: Some(Why { code, detail }) }
            }
        });
    }
    let decided = items.iter().filter(|item| item.state.is_some()).count();
    let answer = idempotency::answer(200, &Decided { decided, items });
    idempotency::keep(&door, &asking, "cases", answer).await
}

async fn end(door: &Door, order: OrderId, decision: &Decision, by: &str) -> Result<(), Problem> {
    let now = door.clock.now();
    let mut found = door.cases.find(order).await?.ok_or_else(unknown)?;
    // An earlier sending did it.
    if found.state == decision.to && found.closed_by.as_deref() == Some(by) {
        return Ok(());
    }
    if found.state == CaseState::Open && !is_theirs(&found, by, now) {
        let most = door.desk.terms.review_claims_max;
        let claimed = door.cases.claim(order, by, (LEASE, most), now).await?;
        found = match claimed {
            Some(row) => row,
            None if is_claimed(&found, now) => return Err(not_theirs(&found, now)),
            None => {
                check_claims(door, by).await?;
                return Err(not_theirs(&found, now));
            }
        };
    }
    decision.carry_out(door, (&found, by), None).await?.map(drop).map_err(Problem::from)
}
