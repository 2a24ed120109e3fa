//! The server itself: routes put together, limits the framework enforces.

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use std::{io, net::TcpListener, time::Duration};

use crate::telemetry::metrics::Exporter;

use super::{
    acp, admission, caller, contract, docs, door::Door, head, health, kinds::Kind, pages,
    problem::Problem, ucp, ucp01, v1,
};

/// Connections that say nothing are closed after this; clients keep theirs for bursts.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Mounts every route. The door must be the app's data, and `admission::admit` must wrap it.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").get(health::healthz))
        .service(web::resource("/readyz").get(health::readyz))
        .service(web::resource("/.well-known/ucp").get(ucp::discovery::get))
        .service(web::resource(ucp::PROFILE_PATH).get(ucp::discovery::get))
        .service(web::resource(ucp01::PROFILE_PATH).get(ucp01::discovery::get))
        .service(web::resource("/.well-known/acp.json").get(acp::discovery::get))
        .service(web::scope(acp::BASE_PATH).configure(acp::routes))
        // Before the one whose path it begins with: a scope is not left again.
        .service(web::scope(ucp01::BASE_PATH).configure(ucp01::routes))
        .service(web::scope(ucp::BASE_PATH).configure(ucp::routes))
        .service(web::scope("/v1").wrap(from_fn(contract::admit)).configure(v1::routes))
        .configure(pages::routes)
        .configure(docs::routes)
        .app_data(
            web::PathConfig::default().error_handler(|_, _| {
                Problem::new(Kind::NotFound, "The path cannot be read.").into()
            }),
        )
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            Problem::new(Kind::Invalid, format!("The query cannot be read: {error}.")).into()
        }))
        .default_service(web::to(nothing_here));
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(caller::nothing_here())
}

/// `/metrics` beside the API, where it has no port of its own.
pub fn beside(
    exporter: &Exporter,
    mounted: bool,
) -> impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static {
    let exporter = mounted.then(|| exporter.clone());
    move |config: &mut ServiceConfig| {
        if let Some(exporter) = exporter {
            config.configure(health::metrics_routes(exporter));
        }
    }
}

/// A small server for those who watch the house: `/metrics`, `/healthz`, `/readyz`.
pub fn figures(door: Data<Door>, exporter: Exporter, listener: TcpListener) -> io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(head::heads_as_gets))
            .app_data(door.clone())
            .configure(health::metrics_routes(exporter.clone()))
            .service(web::resource("/healthz").get(health::healthz))
            .service(web::resource("/readyz").get(health::readyz))
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

/// A server on these listeners. `more` mounts what only the composition root knows (metrics on the
/// main port, the sandbox). Signals are the caller's.
pub fn server(
    door: Data<Door>,
    listeners: Vec<TcpListener>,
    workers: usize,
    more: impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let limits = door.limits.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(admission::admit))
            .app_data(door.clone())
            .configure(more.clone())
            .configure(routes)
    })
    .workers(workers)
    .keep_alive(KEEP_ALIVE)
    // Who closes the line has given up: their request is dropped where it waits. What has begun is
    // finished by the cart, and the same key asks for it again.
    .h1_allow_half_closed(false)
    .client_request_timeout(Duration::from_secs(limits.header_seconds))
    .shutdown_timeout(limits.request_seconds)
    .disable_signals();
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}
