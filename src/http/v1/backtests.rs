//! `POST /v1/backtests`: what a rule, other thresholds or another model would have done.

use actix_web::{HttpResponse, web};
use serde_json::json;
use std::time::Duration;

use crate::{
    base::Timestamp,
    checkout::backtest::{Backtest, check_costs},
    fraud::{
        backtest::{DraftRule, Proposal, costs::Costs},
        policy::{NEVER, Thresholds},
        progress::Silent,
        rules::{Action, Pass, RulesRefused},
    },
    http::{
        asking::Asking,
        door::Door,
        kinds::Kind,
        problem::Problem,
        reading::{At, TIME_BYTES},
    },
};

/// Attempts one call looks at: about two seconds' work. The command line looks at more.
const MOST: u64 = 20_000;

/// Without a span it looks at the last week.
const USUAL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Bytes of an expression that are read; how long one may be is the rules' own limit.
const EXPRESSION_READ_MAX: usize = 64 * 1024;

/// Runs one and answers what it came to. It changes nothing.
pub async fn run(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let bench = door.desk.fraud.bench();
    let (serving, now) = (bench.serving(), door.clock.now());
    let from = time(&body, "from")?.unwrap_or_else(|| now.minus(USUAL));
    let until = time(&body, "until")?.unwrap_or(now);
    let rule = match body.find("rule") {
        Some(rule) => Some(draft(&rule, &door)?),
        None => None,
    };
    let model = match body.find("model") {
        Some(field) => {
            let version = field.text(door.limits.text_bytes)?;
            let loaded = door.models.load(version, &serving).await;
            Some(loaded.map_err(Problem::from)?)
        }
        None => None,
    };
    let in_force = bench.policy.thresholds;
    let thresholds = body.find("thresholds").map(|at| thresholds(&at, in_force)).transpose()?;
    let proposal = Proposal { rule, thresholds, model };
    let costs = body.find("costs").map(|at| costs(&at)).transpose()?;
    let backtest = Backtest {
        proposal: &proposal,
        policy: &bench.policy,
        serving: &serving,
        whereabouts: bench.whereabouts(),
        from,
        until,
        costs,
        most: MOST,
        drift: None,
        now,
    };
    let (report, fitted) = backtest.run(&door.cases.history(), &mut Silent).await?;
    Ok(HttpResponse::Ok().json(json!({ "report": report, "fitted": fitted })))
}

fn draft(rule: &At<'_>, door: &Door) -> Result<DraftRule, Problem> {
    let expression = rule.object()?.get("expression")?;
    let expression = expression.text(EXPRESSION_READ_MAX)?;
    let field = rule.get("action")?;
    let action = Action::find(field.text(TIME_BYTES)?).ok_or_else(|| {
        let text = "Expected challenge, allow, block or review.".to_owned();
        field.problem(Kind::Invalid, text)
    })?;
    if rule.find("pass").is_some_and(|pass| pass.value() != Pass::Before.as_str()) {
        let text = "What the issuer said is not recorded: only rules before authorization can be \
                    backtested.";
        return Err(rule.get("pass")?.problem(Kind::Invalid, text.to_owned()));
    }
    let program = door.rules.check(expression, Pass::Before).map_err(RulesRefused::from)?;
    let book = door.rules.current();
    DraftRule::new((expression, action), program.uses(), &book, door.clock.now())
        .ok_or_else(|| Problem::new(Kind::Internal, "The draft has no name."))
}

/// Scores that are not said are never reached; expected losses that are not said are as in force.
fn thresholds(at: &At<'_>, in_force: Thresholds) -> Result<Thresholds, Problem> {
    let loss = |name, in_force| match at.find(name) {
        None => Ok(in_force),
        Some(field) => match field.integer()? {
            loss @ 0.. => Ok(loss),
            _ => Err(field.problem(Kind::Invalid, "A loss is 0 (never) or more.".to_owned())),
        },
    };
    let score = |name| match at.find(name) {
        None => Ok(NEVER),
        Some(field) => field.integer().and_then(|score| match u16::try_from(score) {
            Ok(score) if score <= NEVER => Ok(score),
            _ => Err(field.problem(Kind::Invalid, format!("A score is 0 to {NEVER}."))),
        }),
    };
    at.object()?;
    Ok(Thresholds {
        challenge: score("challenge")?,
        review: score("review")?,
        decline: score("decline")?,
        challenge_loss: loss("challenge_loss_minor", in_force.challenge_loss)?,
        review_loss: loss("review_loss_minor", in_force.review_loss)?,
    })
}

fn costs(at: &At<'_>) -> Result<Costs, Problem> {
    let costs: Costs = serde_json::from_value(at.value().clone())
        .map_err(|error| at.problem(Kind::Invalid, format!("The costs do not read: {error}.")))?;
    check_costs(&costs).map_err(|why| at.problem(Kind::Invalid, format!("Refused: {why}.")))?;
    Ok(costs)
}

fn time(body: &At<'_>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(field) = body.find(name) else { return Ok(None) };
    let time = Timestamp::parse(field.text(TIME_BYTES)?);
    time.map(Some).ok_or_else(|| {
        let text = "Expected a time such as 2026-11-27T08:00:00Z.".to_owned();
        field.problem(Kind::Invalid, text)
    })
}
