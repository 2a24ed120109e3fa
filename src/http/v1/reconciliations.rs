//! Payments that differ between a gateway's own list and the ledger, and the days compared.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::parameter;
use crate::{
    http::{caller::Caller, door::Door, problem::Problem},
    reconcile::{BreakFilter, BreakRow, Records, Run},
};

/// Breaks told at once: more than that is one cause, and wants `doorbuster reconcile`.
const BREAKS_MAX: u32 = 1_000;

/// Days told at once: a quarter at a few gateways.
const RUNS_MAX: u32 = 400;

/// Which breaks.
#[derive(Debug, Default, Deserialize)]
pub(in crate::http) struct Filter {
    state: Option<String>,
}

/// Breaks, the latest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct BreaksView {
    /// What differs, or did.
    breaks: Vec<BreakRow>,
}

/// Days, the latest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct RunsView {
    /// What was compared.
    reconciliations: Vec<Run>,
}

/// Tells what differs.
pub(in crate::http) async fn breaks(
    door: web::Data<Door>,
    _caller: Caller,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let read = |word: &str| match word {
        "open" => Some(false),
        "all" => Some(true),
        _ => None,
    };
    let closed = parameter(filter.state.as_deref(), "state", "`open` or `all`", read)?;
    let filter = BreakFilter { closed: closed.unwrap_or(false), limit: BREAKS_MAX };
    let breaks = Records::new(door.database.clone()).list(filter).await?;
    Ok(HttpResponse::Ok().json(BreaksView { breaks }))
}

/// Tells which days were compared.
pub(in crate::http) async fn runs(
    door: web::Data<Door>,
    _caller: Caller,
) -> Result<HttpResponse, Problem> {
    let reconciliations = Records::new(door.database.clone()).runs(RUNS_MAX).await?;
    Ok(HttpResponse::Ok().json(RunsView { reconciliations }))
}
