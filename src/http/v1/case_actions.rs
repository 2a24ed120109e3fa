//! What a reviewer does with a case: claims it, passes it on, decides it.
//!
//! Who they are the API key says. In dev mode, where there are none, the body says it.

use actix_web::{HttpResponse, web};
use std::time::Duration;

use super::case_blocks::{self, Block};
use crate::{
    base::{Limits, OrderId},
    checkout::resolve::Verdict,
    fraud::cases::CaseRow,
    http::{
        answer, asking::Asking, door::Door, idempotency, kinds::Kind, problem::Problem, reading::At,
    },
    ledger::{
        LedgerRefused, Outcome,
        entry::KeyWrite,
        review::{CaseState, CloseReason},
    },
};

/// A claim lasts this long unless said.
const LEASE_SECONDS: u32 = 15 * 60;

/// Nobody looks at one order longer.
const LEASE_MAX_SECONDS: u32 = 8 * 60 * 60;

/// Gives a reviewer the next case, or says that there is none.
pub async fn claim_next(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let (by, lease) = (reviewer(&asking, &door.limits)?, lease(&body)?);
    let (now, most) = (door.clock.now(), door.desk.terms.review_claims_max);
    idempotency::change(&door, &asking, async || {
        let row = door.cases.claim_next(&by, (lease, most), now).await?;
        if row.is_none() {
            check_claims(&door, &by).await?;
        }
        Ok(idempotency::answer(200, &serde_json::json!({ "case": row })))
    })
    .await
}

/// What a reviewer does with one case: `claim`, `release`, `notes`, `assign`, `escalate`.
pub async fn act(
    door: web::Data<Door>,
    asking: Asking,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let order = order_of(&path.0)?;
    let by = reviewer(&asking, &door.limits)?;
    if path.1 == "decide" {
        return decide(&door, &asking, order, by).await;
    }
    idempotency::change(&door, &asking, async || {
        let row = change(&door, &asking, (order, &path.1), &by).await?;
        Ok(idempotency::answer(200, &row))
    })
    .await
}

/// Changes one case; it is theirs to change, or the change is refused.
async fn change(
    door: &Door,
    asking: &Asking,
    (order, action): (OrderId, &str),
    by: &str,
) -> Result<CaseRow, Problem> {
    let body = asking.body();
    let found = door.cases.find(order).await?.ok_or_else(unknown)?;
    let (cases, now) = (&door.cases, door.clock.now());
    let changed = match action {
        "claim" => {
            let most = door.desk.terms.review_claims_max;
            let row = cases.claim(order, by, (lease(&body)?, most), now).await?;
            let is_free = !is_claimed(&found, now) && found.state == CaseState::Open;
            if row.is_none() && is_free {
                check_claims(door, by).await?;
            }
            row
        }
        "release" => cases.release(order, by, now).await?,
        "assign" => {
            let to = text(&body, "to", &door.limits)?;
            cases.assign(order, (by, &to), now).await?
        }
        "escalate" => {
            let why = text(&body, "reason", &door.limits)?;
            cases.escalate(order, (by, &why), now).await?
        }
        "notes" => {
            let note = text(&body, "note", &door.limits)?;
            cases.note(order, (by, &note), now).await?;
            Some(found.clone())
        }
        _ => {
            let text = "A case is claimed, released, assigned, escalated, noted or decided.";
            return Err(Problem::new(Kind::NotFound, text));
        }
    };
    changed.ok_or_else(|| not_theirs(&found, now))
}

/// How cases end, as a reviewer says it.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) to: CaseState,
    because: Option<CloseReason>,
    reason: String,
    blocks: Vec<Block>,
}

impl Decision {
    /// Reads it.
    pub(super) fn read(body: &At<'_>, limits: &Limits) -> Result<Self, Problem> {
        let field = body.get("decision")?;
        let to = match field.text(limits.text_bytes)? {
            "approve" => CaseState::Approved,
            "decline" => CaseState::Declined,
            "refund" => CaseState::Refunded,
            _ => {
                let text = "A decision is `approve`, `decline` or `refund`.".to_owned();
                return Err(field.problem(Kind::Invalid, text));
            }
        };
        let because = close_reason(body, to)?;
        let reason = match (because, body.find("reason")) {
            // One of the few reasons says enough.
            (Some(_), None) => String::new(),
            _ => text(body, "reason", limits)?,
        };
        Ok(Self { to, because, reason, blocks: case_blocks::read(body, to)? })
    }

    /// What was decided, for the one who did.
    pub(super) fn view(&self, order: OrderId, by: &str) -> serde_json::Value {
        serde_json::json!({
            "order": order, "state": self.to, "by": by, "reason": self.reason,
            "close_reason": self.because, "blocked": self.blocks,
        })
    }

    /// Ends a case so. Who takes part in a declined order is blocked before it: one that was
    /// declined with somebody blocked leaves nobody free. Whether the case is theirs the ledger
    /// says, in the commit that ends it; before somebody is blocked it is looked at as well.
    pub(super) async fn carry_out(
        &self,
        door: &Door,
        (found, by): (&CaseRow, &str),
        key: Option<KeyWrite>,
    ) -> Result<Outcome, Problem> {
        if found.state == CaseState::Open && !self.blocks.is_empty() {
            let now = door.clock.now();
            if !is_theirs(found, by, now) {
                return Err(not_theirs(found, now));
            }
            case_blocks::keep(door, found.order, &self.blocks, by).await?;
        }
        let verdict = Verdict {
            order: found.order,
            to: self.to,
            by: by.to_owned(),
            claimed: true,
            because: self.because,
            reason: self.reason.clone(),
        };
        Ok(door.desk.resolve(&verdict, key).await?)
    }
}

/// Ends a case. An open one is decided by whoever has claimed it. Clicked twice, it is ended once;
/// decided by another meanwhile, that one stands.
async fn decide(
    door: &Door,
    asking: &Asking,
    order: OrderId,
    by: String,
) -> Result<HttpResponse, Problem> {
    let decision = Decision::read(&asking.body(), &door.limits)?;
    let found = door.cases.find(order).await?.ok_or_else(unknown)?;
    let answer = idempotency::answer(200, &decision.view(order, &by));
    let key = asking.key_write(answer.clone(), door.clock.now());
    match decision.carry_out(door, (&found, &by), Some(key)).await? {
        Ok(_) => answer::write(&answer),
        Err(LedgerRefused::KeyTaken(_)) => idempotency::find_answer(door, asking)
            .await?
            .ok_or_else(|| Problem::new(Kind::KeyInFlight, "The request is still worked on.")),
        Err(refused) => Err(refused.into()),
    }
}

/// Why it ends so, as one of the few reasons.
fn close_reason(body: &At<'_>, to: CaseState) -> Result<Option<CloseReason>, Problem> {
    let Some(field) = body.find("close_reason") else { return Ok(None) };
    let found = CloseReason::find(field.text(64)?);
    let Some(reason) = found else {
        let words: Vec<_> = CloseReason::ALL.iter().map(|reason| reason.as_str()).collect();
        let text = format!("Expected one of {}.", words.join(", "));
        return Err(field.problem(Kind::Invalid, text));
    };
    if (to, reason) == (CaseState::Approved, CloseReason::Fraud) {
        let text = "What is fraud is not approved.".to_owned();
        return Err(field.problem(Kind::Invalid, text));
    }
    Ok(Some(reason))
}

/// Refuses who has as many cases as one can have.
pub(super) async fn check_claims(door: &Door, by: &str) -> Result<(), Problem> {
    let most = door.desk.terms.review_claims_max;
    let mine = door.cases.count_open(Some(by), door.clock.now()).await?.mine;
    if mine < u64::from(most) {
        return Ok(());
    }
    let text = format!("{by} has {mine} open cases; one reviewer has {most} at most.");
    Err(Problem::new(Kind::LimitExceeded, text)
        .limit(u64::from(most))
        .suggest("Decide or release one of them first."))
}

pub(super) fn order_of(id: &str) -> Result<OrderId, Problem> {
    id.parse().map_err(|_| unknown())
}

pub(super) fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "No review was opened for this order.")
}

/// Whether they have it.
pub(super) fn is_theirs(row: &CaseRow, by: &str, now: crate::base::Timestamp) -> bool {
    is_claimed(row, now) && row.claimed_by.as_deref() == Some(by)
}

/// Whether somebody looks at it now.
pub(super) fn is_claimed(row: &CaseRow, now: crate::base::Timestamp) -> bool {
    row.claimed_by.is_some() && row.lease_until.is_some_and(|until| until > now)
}

pub(super) fn not_theirs(found: &CaseRow, now: crate::base::Timestamp) -> Problem {
    match (found.state, &found.claimed_by) {
        (CaseState::Open, holder) => {
            let by = holder.clone().filter(|_| is_claimed(found, now));
            LedgerRefused::CaseNotTheirs { by }.into()
        }
        (state, _) => Problem::new(Kind::CaseEnded, format!("The case is {}.", state.as_str())),
    }
}

/// Who looks: the name of the API key; where access is open, whoever the body says.
pub(super) fn reviewer(asking: &Asking, limits: &Limits) -> Result<String, Problem> {
    let body = asking.body();
    let Some(name) = asking.person() else { return text(&body, "reviewer", limits) };
    match body.find("reviewer") {
        Some(field) if field.text(limits.text_bytes)?.trim() != name => {
            let text = format!("Who decides is who the API key says: `{name}`.");
            let way = "Leave the field out, and give each reviewer a key of their own.";
            Err(field.problem(Kind::Invalid, text).suggest(way))
        }
        _ => Ok(name.to_owned()),
    }
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
