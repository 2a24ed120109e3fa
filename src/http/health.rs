//! `/healthz`, `/readyz`, `/metrics`: for those who watch the house.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use std::time::Duration;
use tokio::{sync::Mutex, time::Instant};

use super::{door::Door, kinds::Kind, problem::Problem};
use crate::{ledger::Store, telemetry::metrics::Exporter};

/// A ledger that takes longer is no ledger to send buyers to.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// The process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// How long a yes is believed. Whoever asks more often, or asks in crowds, costs the ledger no
/// more.
const BELIEVED: Duration = Duration::from_secs(1);

/// When the ledger was last found able to take commits; one looks, and the others wait for it.
#[derive(Debug, Default)]
pub struct Ready(Mutex<Option<Instant>>);

impl Ready {
    async fn look(&self, store: &dyn Store) -> Result<(), Problem> {
        let refused = |why: String| Problem::fault(Kind::LedgerUnreachable, why);
        let look = async {
            let mut ready_at = self.0.lock().await;
            if ready_at.is_some_and(|at| at.elapsed() < BELIEVED) {
                return Ok(());
            }
            *ready_at = None;
            store.check_ready().await.map_err(|fault| refused(fault.to_string()))?;
            *ready_at = Some(Instant::now());
            Ok(())
        };
        let looked = tokio::time::timeout(READY_WITHIN, look).await;
        looked.unwrap_or_else(|_| Err(refused("no answer within a second".to_owned())))
    }
}

/// The process can take work: the schema is one it knows, commits reach the disk, and the way out
/// has not begun.
pub async fn readyz(door: web::Data<Door>) -> Result<HttpResponse, Problem> {
    if door.draining.has_begun() {
        return Err(Problem::new(Kind::Draining, "This replica is shutting down."));
    }
    door.ready.look(&*door.store).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n"))
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
