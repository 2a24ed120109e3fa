//! `/healthz`, `/readyz`, `/metrics`: for those who watch the house.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use std::time::Duration;

use super::{door::Door, kinds::Kind, problem::Problem};
use crate::telemetry::metrics::Exporter;

/// A ledger that takes longer is no ledger to send buyers to.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// The process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// The process can take work: the ledger answers and the way out has not begun.
pub async fn readyz(door: web::Data<Door>) -> Result<HttpResponse, Problem> {
    if door.draining.has_begun() {
        return Err(Problem::new(Kind::Draining, "This replica is shutting down."));
    }
    match tokio::time::timeout(READY_WITHIN, door.store.now()).await {
        Ok(Ok(_)) => Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")),
        Ok(Err(fault)) => Err(Problem::fault(Kind::LedgerUnreachable, fault)),
        Err(_) => Err(Problem::fault(Kind::LedgerUnreachable, "no answer within a second")),
    }
}

/// Mounts `/metrics`: on the main port when trying things out, on one of its own in production.
pub fn metrics_routes(exporter: Exporter) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        let shown = web::get().to(move || {
            let exporter = exporter.clone();
            async move { show(&exporter) }
        });
        config.route("/metrics", shown);
    }
}

fn show(exporter: &Exporter) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(exporter.render())
}
