//! E: actix-web parsing the same requests and answering the same JSON, and nothing else: no hash,
//! no key, no database, no gateway. What HTTP and JSON alone leave of the machine.

use actix_web::{App, HttpResponse, HttpServer, web};
use uuid::Uuid;

use super::{
    http::{SESSION_SECONDS, bad, json, priced},
    wire::{Blocks, BuyerWire, CompleteIn, CreateIn, Session, in_seconds},
};
use crate::drive::request::sku;

struct Echo {
    blocks: Blocks,
    /// What complete answers, of whom it knows nothing.
    session: Session<'static>,
}

/// Serves until the process ends. Completed checkouts have so many lines.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve(workers: usize, lines: u32) -> anyhow::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", listener.local_addr()?);
    let announced = base.clone();
    let server = HttpServer::new(move || {
        let (lines, total) = priced((0..lines).map(|number| (sku(number).into(), 1)));
        let buyer = Some(BuyerWire { email: "ada@example.com".into() });
        let expires_at = in_seconds(SESSION_SECONDS).into();
        let session = Session { lines, buyer, total, expires_at };
        App::new()
            .app_data(web::Data::new(Echo { blocks: Blocks::of(&base), session }))
            .route("/ucp/checkout-sessions", web::post().to(create))
            .route("/ucp/checkout-sessions/{id}/complete", web::post().to(complete))
    });
    let server = server.workers(workers).backlog(4096).listen(listener)?.run();
    super::announce(&announced);
    Ok(server.await?)
}

async fn create(echo: web::Data<Echo>, body: web::Bytes) -> HttpResponse {
    let wanted: CreateIn<'_> = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return bad(&error),
    };
    let lines = wanted.line_items.into_iter().map(|line| (line.item.id, line.quantity));
    let (lines, total) = priced(lines);
    let expires_at = in_seconds(SESSION_SECONDS).into();
    let session = Session { lines, buyer: wanted.buyer, total, expires_at };
    json(201, echo.blocks.checkout(Uuid::now_v7(), &session, None))
}

async fn complete(echo: web::Data<Echo>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    let tender: CompleteIn<'_> = match serde_json::from_slice(&body) {
        Ok(tender) => tender,
        Err(error) => return bad(&error),
    };
    let checkout = id.strip_prefix("chk_").and_then(|digits| Uuid::try_parse(digits).ok());
    let (Some(checkout), Some(instrument)) = (checkout, tender.payment.instruments.first()) else {
        return HttpResponse::NotFound().finish();
    };
    json(200, echo.blocks.checkout(checkout, &echo.session, Some(instrument)))
}
