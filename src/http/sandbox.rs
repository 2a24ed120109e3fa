//! The sandbox gateway over HTTP, for several processes that share one book.
//!
//! `POST /authorize /capture /void /refund /end`, `GET /find/{reference}`, `GET /charges`. It knows
//! no callers and keeps no secrets, so it listens on loopback alone.

use actix_web::{App, HttpResponse, HttpServer, dev::Server, middleware::from_fn, web};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use super::hosts;
use crate::{
    base::AttemptId,
    payment::{
        AuthorizeRequest, Gateway, GatewayFault, Lookup, MoneyRequest,
        remote::{FaultKind, RemoteFault},
        sandbox::Sandbox,
    },
};

/// Bytes of a request: the longest is a reference, an amount and a token.
const BODY_BYTES: usize = 16 * 1024;

/// The sandbox's server and the address it listens on (port 0 takes a free one). The caller awaits
/// the server.
///
/// # Errors
/// When the address is not a loopback address, or is taken.
pub fn serve(sandbox: Arc<Sandbox>, address: SocketAddr) -> io::Result<(Server, SocketAddr)> {
    if !address.ip().is_loopback() {
        let told = format!("the sandbox listens on loopback only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, told));
    }
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let data = web::Data::from(sandbox);
    let server = HttpServer::new(move || {
        App::new().wrap(from_fn(hosts::only_loopback)).app_data(data.clone()).configure(routes)
    })
    // One who hangs up frees the call that `lost_token` would hold for ever.
    .h1_allow_half_closed(false)
    // Longer than clients keep idle lines: a request on a line that is just closing would
    // have an unknown outcome.
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(1)
    .workers(1)
    .listen(listener)?
    .run();
    Ok((server, bound))
}

/// The routes; the app's data must hold a `web::Data<Sandbox>`.
pub fn routes(cfg: &mut web::ServiceConfig) {
    let malformed = |error: actix_web::error::JsonPayloadError, _: &actix_web::HttpRequest| {
        let fault = GatewayFault::Refused(format!("malformed request: {error}"));
        actix_web::error::InternalError::from_response(error, failed(fault)).into()
    };
    cfg.app_data(web::JsonConfig::default().limit(BODY_BYTES).error_handler(malformed))
        .route("/authorize", web::post().to(authorize))
        .route("/capture", web::post().to(capture))
        .route("/void", web::post().to(void))
        .route("/refund", web::post().to(refund))
        .route("/end", web::post().to(end))
        .route("/find/{reference}", web::get().to(find))
        .route("/charges", web::get().to(charges));
}

async fn authorize(
    sandbox: web::Data<Sandbox>,
    request: web::Json<AuthorizeRequest>,
) -> HttpResponse {
    answer(sandbox.answer(&request).await)
}

async fn capture(sandbox: web::Data<Sandbox>, request: web::Json<MoneyRequest>) -> HttpResponse {
    answer(sandbox.capture(&request).await)
}

async fn void(sandbox: web::Data<Sandbox>, request: web::Json<MoneyRequest>) -> HttpResponse {
    answer(sandbox.void(&request).await)
}

async fn refund(sandbox: web::Data<Sandbox>, request: web::Json<MoneyRequest>) -> HttpResponse {
    answer(sandbox.refund(&request).await)
}

async fn end(sandbox: web::Data<Sandbox>, lookup: web::Json<Lookup>) -> HttpResponse {
    answer(sandbox.end(&lookup).await)
}

async fn find(sandbox: web::Data<Sandbox>, reference: web::Path<String>) -> HttpResponse {
    match reference.parse::<AttemptId>() {
        Ok(reference) => answer(sandbox.look_up(reference).await),
        Err(error) => failed(GatewayFault::Refused(error.to_string())),
    }
}

async fn charges(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.charges())
}

fn answer(result: Result<impl serde::Serialize, GatewayFault>) -> HttpResponse {
    match result {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(fault) => failed(fault),
    }
}

fn failed(fault: GatewayFault) -> HttpResponse {
    let said = RemoteFault::from(fault);
    let mut response = match said.fault {
        FaultKind::Unknown => HttpResponse::InternalServerError(),
        FaultKind::NotSent => HttpResponse::ServiceUnavailable(),
        FaultKind::Refused => HttpResponse::Conflict(),
    };
    response.json(said)
}

#[cfg(test)]
#[path = "sandbox_tests.rs"]
mod tests;
