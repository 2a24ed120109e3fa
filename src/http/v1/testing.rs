//! `/v1/testing/clock`: time, for integrators who want to see holds lapse, discounts end and
//! reviews run out. In dev mode alone.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use std::{sync::Arc, time::Duration};

use crate::{
    base::{TestClock, Timestamp},
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
    },
};

/// The most seconds the clock is put forward at once: in a year everything has lapsed that does.
pub const ADVANCE_MAX: u32 = 366 * 24 * 60 * 60;

/// What time it is here.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct ClockView {
    /// Now.
    now: Timestamp,
    /// How far ahead of the real time that is.
    ahead_seconds: u64,
}

impl ClockView {
    fn of(door: &Door, clock: &TestClock) -> Self {
        Self { now: door.clock.now(), ahead_seconds: clock.ahead().as_secs() }
    }
}

/// Tells the time.
pub async fn get(door: web::Data<Door>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let clock = clock_of(&door)?;
    Ok(HttpResponse::Ok().json(ClockView::of(&door, clock)))
}

/// Puts the clock forward, for this process and while it runs.
pub async fn advance(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let clock = clock_of(&door)?;
    let by = asking.body().get("advance_seconds")?.quantity(ADVANCE_MAX)?;
    idempotency::once(&door, &asking, "testing", async || {
        clock.advance(Duration::from_secs(u64::from(by)));
        tracing::info!(seconds = by, "put the test clock forward by {by} s");
        Ok(idempotency::answer(200, &ClockView::of(&door, clock)))
    })
    .await
}

fn clock_of(door: &Door) -> Result<&Arc<TestClock>, Problem> {
    door.test_clock.as_ref().ok_or_else(|| {
        Problem::new(Kind::Forbidden, "In production mode time is nobody's to move.")
            .suggest("Start a service of its own with mode = \"dev\" to try things out.")
    })
}
