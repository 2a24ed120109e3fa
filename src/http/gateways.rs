//! What gateways and their buyers ask of us: notifications, and the page a buyer comes back to.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header::HeaderMap, web};

use super::{body::Body, door::Door, kinds::Kind, problem::Problem};
use crate::{
    base::AttemptId,
    ledger::row::AttemptState,
    payment::{Notification, NotificationRefused, Notified},
};

/// Mounts them.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/webhooks/{gateway}").post(notified))
        .service(web::resource("/payments/return/{attempt}").get(returned));
}

/// `POST /webhooks/{gateway}`: keeps what it tells before it is acknowledged. Only what the gateway
/// has signed is kept; what it tells is looked into afterwards.
async fn notified(
    door: web::Data<Door>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let gateway = door.desk.gateways.named(&name);
    let gateway =
        gateway.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such payment gateway."))?;
    let body = request.extensions().get::<Body>().cloned().unwrap_or_default().0;
    let headers = headers(request.headers());
    let now = door.clock.now();
    let notification = Notification { headers: &headers, body: &body, now };
    let Notified { events, answer } = gateway.read(&notification).await.map_err(|refused| {
        tracing::warn!(gateway = %*name, %refused, "a notification is refused");
        problem(&refused)
    })?;
    for event in &events {
        let is_new = door.inbox.keep(gateway.name(), event, now).await.map_err(|fault| {
            tracing::error!(%fault, "a notification could not be kept");
            Problem::new(Kind::LedgerUnreachable, "It could not be kept; send it again.")
        })?;
        tracing::info!(gateway = %*name, event.id = event.id, kind = event.kind, is_new, "told");
    }
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(answer))
}

fn problem(refused: &NotificationRefused) -> Problem {
    let kind = match refused {
        NotificationRefused::Forged(_) | NotificationRefused::Stale { .. } => Kind::Unauthorized,
        NotificationRefused::Malformed(_) | NotificationRefused::Foreign(_) => Kind::Invalid,
        NotificationRefused::NotNow(_) => Kind::LedgerUnreachable,
        NotificationRefused::Unsupported => Kind::NotFound,
    };
    let mut text = refused.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Problem::new(kind, format!("{text}."))
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&actix_web::http::header::HeaderName, &_)| {
        let value: &actix_web::http::header::HeaderValue = value;
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    map.iter().filter_map(text).collect()
}

/// Bytes of a query that a buyer brings back; Adyen's are the longest, up to some 4 kB.
const RETURNED_BYTES: usize = 16 * 1024;

/// `GET /payments/return/{attempt}`: where a buyer comes back to from the gateway. The page asks
/// what became of the payment, and says it. What the address carries beside goes to the gateway,
/// which knows whether it has written it, and is not believed by itself.
async fn returned(
    door: web::Data<Door>,
    request: HttpRequest,
    attempt: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such payment.");
    let id: AttemptId = attempt.parse().map_err(|_| unknown())?;
    let row = door.store.find_attempt(id).await?;
    let row = row.ok_or_else(unknown)?;
    let mut state = row.state;
    if state == AttemptState::Pending {
        let query = request.query_string();
        if query.len() <= RETURNED_BYTES {
            door.desk.bring_back(&row, query).await;
        }
        if let Err(refused) = door.carts.tend(row.checkout).await {
            tracing::warn!(attempt.id = %id, %refused, "a buyer came back and nothing is known");
        }
        let now = door.store.find_attempt(id).await?;
        state = now.map_or(state, |now| now.state);
    }
    let (title, text) = match state {
        AttemptState::Authorized => {
            let text = "The payment is confirmed and the order is placed. You can close this page \
                        and go back to the shop.";
            ("Thank you", text)
        }
        AttemptState::Pending => {
            let text = "The bank has not confirmed the payment yet. Reload this page in a moment, \
                        or go back to the shop.";
            ("One moment", text)
        }
        AttemptState::Declined | AttemptState::Challenged | AttemptState::Unheard => {
            let text = "The payment was not confirmed and nothing was charged. Go back to the \
                        shop to try again.";
            ("Not paid", text)
        }
    };
    Ok(page(title, text))
}

fn page(title: &str, text: &str) -> HttpResponse {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <main><h1>{title}</h1><p>{text}</p></main></html>"
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", "default-src 'none'"))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header(("cache-control", "no-store"))
        .body(html)
}
