//! The express lane as a careful engineer writes it by hand: one actix-web handler that commits the
//! attempt before the gateway and the outcome after it, answers, and captures after the answer.

use actix_web::{HttpRequest, HttpResponse, error, web};
use doorbuster::{
    base::{
        AttemptId, Buyer, CheckoutId, Clock, Email, EventId, OrderId, Person, Sku, SystemChance,
        Timestamp,
    },
    http::Answers,
    payment::{AuthorizeRequest, Authorized, Credential, Gateway, MoneyRequest, sandbox::Sandbox},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Way,
    sale::{Sale, Wish},
    statements,
};

/// What the handler works with.
pub(crate) struct Counter {
    pub(crate) way: Way,
    pub(crate) pool: PgPool,
    pub(crate) gateway: Sandbox,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) answers: Answers,
    /// Captures on their way.
    pub(crate) owed: AtomicUsize,
}

/// The request's body.
#[derive(Deserialize)]
pub(crate) struct Order {
    lines: Vec<Line>,
    buyer: Contact,
    payment: Payment,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

#[derive(Deserialize)]
struct Contact {
    email: String,
}

#[derive(Deserialize)]
struct Payment {
    token: String,
}

/// Places an order of one line.
pub(crate) async fn place(
    counter: web::Data<Counter>,
    request: HttpRequest,
    body: web::Bytes,
) -> actix_web::Result<HttpResponse> {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.ok_or_else(|| error::ErrorBadRequest("the idempotency key is missing"))?;
    let order: Order = serde_json::from_slice(&body)?;
    let now = counter.clock.now();
    let sale = Arc::new(sale(&order, key, &body, now, &counter.answers)?);

    let mut conn = counter.pool.acquire().await.map_err(error::ErrorServiceUnavailable)?;
    counter.way.begin(&mut conn, &sale).await.map_err(error::ErrorConflict)?;
    // Nothing is held while the gateway thinks.
    drop(conn);
    let authorization = authorize(&counter, &sale, order.payment.token).await?;
    let mut conn = counter.pool.acquire().await.map_err(error::ErrorServiceUnavailable)?;
    let placed = counter.way.place(&mut conn, &sale, &authorization).await;
    placed.map_err(error::ErrorInternalServerError)?;
    drop(conn);

    let text = sale.answer.body.open().map_err(error::ErrorInternalServerError)?.to_owned();
    counter.owed.fetch_add(1, Ordering::Relaxed);
    actix_web::rt::spawn(async move {
        capture(&counter, &sale, authorization).await.expect("the capture is recorded");
        counter.owed.fetch_sub(1, Ordering::Relaxed);
    });
    Ok(HttpResponse::Created().content_type("application/json").body(text))
}

fn sale(
    order: &Order,
    key: &str,
    body: &[u8],
    now: Timestamp,
    answers: &Answers,
) -> actix_web::Result<Sale> {
    let [line] = &order.lines[..] else {
        return Err(error::ErrorBadRequest("one line"));
    };
    let email = Email::parse(&order.buyer.email).map_err(error::ErrorBadRequest)?;
    let buyer = Buyer { email: Some(email), ..Buyer::default() };
    let wish = Wish {
        sku: Sku::parse(&line.sku).map_err(error::ErrorBadRequest)?,
        quantity: line.quantity,
        person: Person { buyer: Some(Box::new(buyer)), ..Person::default() },
        key: key.to_owned(),
        fingerprint: Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let checkout = CheckoutId::new(now, &SystemChance);
    let attempt = AttemptId::new(now, &SystemChance);
    Ok(Sale::new(wish, now, (checkout, attempt, EventId::new(now, &SystemChance)), answers))
}

async fn authorize(counter: &Counter, sale: &Sale, token: String) -> actix_web::Result<String> {
    let request = AuthorizeRequest {
        reference: sale.attempt,
        order: OrderId::of(sale.checkout()),
        amount: sale.total(),
        credential: Credential::new(token),
        not_after: sale.deadline(),
        authenticate: false,
        return_url: String::new(),
    };
    match counter.gateway.authorize(&request).await.map_err(error::ErrorBadGateway)? {
        Authorized::Approved { authorization, .. } => Ok(authorization),
        other => Err(error::ErrorPaymentRequired(format!("{other:?}"))),
    }
}

async fn capture(counter: &Counter, sale: &Sale, authorization: String) -> anyhow::Result<()> {
    let amount = sale.total();
    let request = MoneyRequest { reference: sale.attempt, part: 0, authorization, amount };
    counter.gateway.capture(&request).await?;
    let event = EventId::new(counter.clock.now(), &SystemChance).uuid();
    let mut conn = counter.pool.acquire().await?;
    Ok(statements::captured(&mut conn, sale, event).await?)
}
