//! The baselines' HTTP: actix-web, one handler for each of the three requests.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt::Write as _, rc::Rc};
use uuid::Uuid;

use super::{
    book::Book,
    shop::{Asked, Done, NewAttempt, NewCheckout, NewOrder, Shop},
    wire::{Blocks, CompleteIn, CreateIn, ExpressIn, Session, SoldLine, document, in_seconds},
};

/// What everything costs.
pub const PRICE: i64 = 1990;

/// How long a session stays open.
pub(super) const SESSION_SECONDS: i64 = 6 * 60 * 60;

/// What the handlers of one thread share.
pub struct Counter<S> {
    shop: Rc<S>,
    blocks: Rc<Blocks>,
    book: Book,
}

type At<S> = web::Data<Counter<S>>;

/// Serves a shop until the process ends. `open` makes a thread's shop. Says where it serves.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve<S: Shop>(
    book: Book,
    workers: usize,
    open: impl AsyncFn() -> anyhow::Result<S> + Clone + Send + 'static,
) -> anyhow::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", listener.local_addr()?);
    let announced = base.clone();
    let server = HttpServer::new(move || {
        let (open, base, book) = (open.clone(), base.clone(), book.clone());
        let counter = move || {
            let (open, base, book) = (open.clone(), base.clone(), book.clone());
            async move {
                // The server says only that a thread did not start.
                let shop = open().await.inspect_err(|error| eprintln!("{error:#}"))?;
                let shop = Rc::new(shop);
                let blocks = Rc::new(Blocks::of(&base));
                anyhow::Ok(Counter { shop, blocks, book })
            }
        };
        App::new()
            .data_factory(counter)
            .route("/ucp/checkout-sessions", web::post().to(create::<S>))
            .route("/ucp/checkout-sessions/{id}/complete", web::post().to(complete::<S>))
            .route("/v1/orders", web::post().to(express::<S>))
            .route("/healthz", web::get().to(HttpResponse::Ok))
    });
    let server = server.workers(workers).backlog(4096).listen(listener)?.run();
    super::announce(&announced);
    Ok(server.await?)
}

/// The key and the hash of what was asked.
fn asked(request: &HttpRequest, body: &[u8]) -> Asked {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
    let mut hash = Sha256::new();
    hash.update(request.path());
    hash.update(body);
    let mut fingerprint = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(fingerprint, "{byte:02x}").expect("a string takes what is written to it");
    }
    Asked { key: key.unwrap_or_default().to_owned(), fingerprint }
}

pub(super) fn json(status: u16, body: String) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).expect("statuses of our own");
    HttpResponse::build(status).content_type("application/json").body(body)
}

/// Why there is no answer of the expected kind.
fn instead<T>(blocks: &Blocks, done: Done<T>) -> HttpResponse {
    match done {
        Done::SoldOut => json(200, blocks.sold_out()),
        Done::Known(Some((status, body))) => json(status, body),
        Done::Known(None) => json(409, r#"{"code":"idempotency_in_flight"}"#.to_owned()),
        Done::Conflict => json(409, r#"{"code":"idempotency_conflict"}"#.to_owned()),
        Done::NotOpen | Done::With(_) => json(404, r#"{"code":"not_found"}"#.to_owned()),
    }
}

fn fault(error: &anyhow::Error) -> HttpResponse {
    json(500, serde_json::json!({ "detail": error.to_string() }).to_string())
}

pub(super) fn bad(error: &serde_json::Error) -> HttpResponse {
    json(400, serde_json::json!({ "detail": error.to_string() }).to_string())
}

/// What is to be sold, priced, one line a SKU.
pub(super) fn priced<'a>(
    lines: impl Iterator<Item = (Cow<'a, str>, u32)>,
) -> (Vec<SoldLine<'a>>, i64) {
    let line = |(sku, quantity)| {
        let title = Cow::Owned(format!("The {sku}"));
        SoldLine { sku, title, quantity, unit_price: PRICE }
    };
    let lines: Vec<_> = lines.map(line).collect();
    let total = lines.iter().map(|line| line.unit_price * i64::from(line.quantity)).sum();
    (lines, total)
}

/// What is to be stored of a session: its lines sorted by SKU, each once.
fn checkout<'a>(
    session: &'a Session<'_>,
    id: Uuid,
    answer: String,
    asked: Asked,
) -> NewCheckout<'a> {
    let mut lines: Vec<&SoldLine<'_>> = session.lines.iter().collect();
    lines.sort_unstable_by_key(|line| &line.sku);
    NewCheckout {
        id,
        skus: lines.iter().map(|line| &*line.sku).collect(),
        quantities: lines.iter().map(|line| line.quantity.cast_signed()).collect(),
        prices: lines.iter().map(|line| line.unit_price).collect(),
        total: session.total,
        body: document(session),
        answer,
        asked,
    }
}

async fn create<S: Shop>(at: At<S>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let wanted: CreateIn<'_> = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return bad(&error),
    };
    let lines = wanted.line_items.into_iter().map(|line| (line.item.id, line.quantity));
    let (lines, total) = priced(lines);
    let expires_at = in_seconds(SESSION_SECONDS).into();
    let session = Session { lines, buyer: wanted.buyer, total, expires_at };
    let id = Uuid::now_v7();
    let answer = at.blocks.checkout(id, &session, None);
    let new = checkout(&session, id, answer, asked(&request, &body));
    match at.shop.create(&new).await {
        Ok(Done::With(())) => json(201, new.answer),
        Ok(done) => instead(&at.blocks, done),
        Err(error) => fault(&error),
    }
}

async fn complete<S: Shop>(
    at: At<S>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let tender: CompleteIn<'_> = match serde_json::from_slice(&body) {
        Ok(tender) => tender,
        Err(error) => return bad(&error),
    };
    let checkout = id.strip_prefix("chk_").and_then(|digits| Uuid::try_parse(digits).ok());
    let (Some(checkout), Some(instrument)) = (checkout, tender.payment.instruments.first()) else {
        return instead::<()>(&at.blocks, Done::NotOpen);
    };
    let asked = asked(&request, &body);
    let attempt = NewAttempt { id: Uuid::now_v7(), checkout, asked };
    let stored = match at.shop.begin(&attempt).await {
        Ok(Done::With(stored)) => stored,
        Ok(done) => return instead(&at.blocks, done),
        Err(error) => return fault(&error),
    };
    let session: Session<'_> = match serde_json::from_str(&stored) {
        Ok(session) => session,
        Err(error) => return bad(&error),
    };
    let answer = at.blocks.checkout(checkout, &session, Some(instrument));
    pay(&at, &attempt, &session, 200, answer).await
}

async fn express<S: Shop>(at: At<S>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let wanted: ExpressIn<'_> = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return bad(&error),
    };
    let (lines, total) = priced(wanted.lines.into_iter().map(|line| (line.sku, line.quantity)));
    let expires_at = in_seconds(SESSION_SECONDS).into();
    let session = Session { lines, buyer: Some(wanted.buyer), total, expires_at };
    let id = Uuid::now_v7();
    let asked = asked(&request, &body);
    let attempt = NewAttempt { id: Uuid::now_v7(), checkout: id, asked: asked.clone() };
    let new = checkout(&session, id, String::new(), asked);
    match at.shop.begin_express(&new, &attempt).await {
        Ok(Done::With(())) => {}
        Ok(done) => return instead(&at.blocks, done),
        Err(error) => return fault(&error),
    }
    pay(&at, &attempt, &session, 201, at.blocks.express(id, &session)).await
}

/// Asks the gateway, and writes down what came of it.
async fn pay<S: Shop>(
    at: &At<S>,
    attempt: &NewAttempt,
    session: &Session<'_>,
    status: u16,
    answer: String,
) -> HttpResponse {
    let Some(authorization) = at.book.authorize(attempt.id, session.total).await else {
        return fault(&anyhow::anyhow!("the gateway's book cannot be written"));
    };
    let body = document(session);
    let order = NewOrder {
        attempt: attempt.id,
        checkout: attempt.checkout,
        authorization: &authorization,
        skus: session.lines.iter().map(|line| &*line.sku).collect(),
        quantities: session.lines.iter().map(|line| line.quantity.cast_signed()).collect(),
        prices: session.lines.iter().map(|line| line.unit_price).collect(),
        total: session.total,
        body: &body,
        answer: (i32::from(status), &answer),
        event: Uuid::now_v7(),
        key: &attempt.asked.key,
    };
    match at.shop.place(&order).await {
        Ok(Done::With(())) => json(status, answer),
        Ok(done) => instead(&at.blocks, done),
        Err(error) => fault(&error),
    }
}
