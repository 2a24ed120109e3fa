//! `GET /v1/fraud/overview`: what fraud work came to in a span of days.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::page::parameter;
use crate::{
    base::Timestamp,
    fraud::{
        cases::QueueCounts,
        overview::{Came, DAYS_MAX, Reviews, RuleCame},
    },
    http::{caller::Caller, door::Door, kinds::Kind, problem::Problem},
};

/// The span unless said.
const USUAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The longest span.
const LONGEST: Duration = Duration::from_secs(DAYS_MAX as u64 * 24 * 60 * 60);

/// Which days.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    from: Option<String>,
    before: Option<String>,
}

/// Outcomes and money, rules, reviews.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct OverviewView {
    from: Timestamp,
    before: Timestamp,
    /// What came out, by day, outcome, model and currency.
    outcomes: Vec<Came>,
    /// What rules came to that matched at all, by name.
    rules: Vec<RuleCame>,
    /// What reviews came to of orders of these days.
    reviews: Reviews,
    /// What waits now.
    queue: QueueCounts,
}

/// Tells it.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let now = door.clock.now();
    let time = |raw: &Option<String>, name| {
        let expected = "an RFC 3339 time such as 2026-11-27T08:00:00Z";
        parameter(raw.as_deref(), name, expected, Timestamp::parse)
    };
    // Also what was judged in this very millisecond.
    let next = now.plus(Duration::from_millis(1));
    let before = time(&filter.before, "before")?.unwrap_or(next).min(next);
    let from = time(&filter.from, "from")?.unwrap_or_else(|| before.minus(USUAL));
    if from >= before {
        return Err(Problem::new(Kind::Invalid, "The span ends before it begins.").at("/from"));
    }
    if before.since(from) > LONGEST {
        let text = format!("An overview has {DAYS_MAX} days at most.");
        let problem = Problem::new(Kind::LimitExceeded, text).at("/from");
        return Err(problem.limit(u64::from(DAYS_MAX)));
    }
    if let Err(fault) = door.cases.search().round(next).await {
        tracing::warn!(%fault, "the latest judgements are counted later: {fault}");
    }
    let (overview, label_delay) =
        (door.cases.overview(), door.desk.fraud.bench().serving().layout.label_delay);
    let rules = door.rules.store().rules().await?;
    let rules: Vec<String> = rules.into_iter().map(|rule| rule.draft.name.to_string()).collect();
    let mut rules = overview.rules(&rules, (from, before), now.minus(label_delay)).await?;
    rules.retain(|rule| rule.hits > 0);
    Ok(HttpResponse::Ok().json(OverviewView {
        from,
        before,
        outcomes: overview.came(from, before).await?,
        rules,
        reviews: overview.reviews(from, before).await?,
        queue: door.cases.count_open(None, now).await?,
    }))
}
