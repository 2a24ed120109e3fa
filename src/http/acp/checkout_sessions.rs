//! `POST /checkout_sessions`, `GET` and `POST /checkout_sessions/{id}`.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web,
};

use super::{
    attempt::{Attempt, Version},
    order_wire::OrderWire,
    orders::is_in_review,
    session_request, session_wire,
};
use crate::{
    base::{CheckoutId, Protocol},
    cart::{Ask, Command, Show},
    checkout::{CheckoutRefused, Reply, Session},
    http::{
        answer, caller::Caller, door::Door, kinds::Kind, order_body::OrderBody, problem::Problem,
    },
};

/// How often an update is put on what stands: each time but the last, somebody else changed it
/// between reading and writing.
pub const UPDATES_MAX: u32 = 4;

/// Creates a session: 201, or an error when nothing of it can be sold.
pub async fn create(door: web::Data<Door>, attempt: Attempt) -> Result<HttpResponse, Problem> {
    let draft = session_request::create(&attempt.body(), &door.limits)?;
    let checkout = CheckoutId::new(door.clock.now(), &*door.chance);
    let command = Command::Create(Box::new(draft));
    let ask = Ask { checkout, asked: attempt.asked(), if_version: None, command };
    answered(&door.carts.ask(ask).await.map_err(refused)?)
}

/// Shows a session; one that became an order, with the order as it stands.
pub async fn get(
    door: web::Data<Door>,
    _version: Version,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let show = Show { checkout, caller: caller.0.to_string(), protocol: Protocol::Acp };
    let session = door.carts.show(show).await.map_err(refused)?;
    let json = show_session(&door, &session).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, "application/json"));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.body(json))
}

async fn show_session(door: &Door, session: &Session) -> Result<String, Problem> {
    let row = match session.order() {
        Some(id) => door.store.find_order(id).await?,
        None => None,
    };
    let Some(row) = row else {
        let order = OrderWire::of_session(&door.answers, session);
        return Ok(session_wire::show(&door.answers, session, order));
    };
    let (body, in_review) = (OrderBody::of(&row), is_in_review(door, row.id).await?);
    let order = OrderWire::of(&door.answers, &row, &body, in_review);
    Ok(session_wire::show(&door.answers, session, Some(order)))
}

/// Changes what the body says, on what stands; all else stays.
pub async fn update(
    door: web::Data<Door>,
    attempt: Attempt,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    for _ in 0..UPDATES_MAX {
        let show = Show { checkout, caller: attempt.caller(), protocol: Protocol::Acp };
        let session = door.carts.show(show).await.map_err(refused)?;
        let draft = session_request::update(&attempt.body(), &session, &door.limits)?;
        let command = Command::Update(Box::new(draft));
        let if_version = Some(vec![session.version]);
        let ask = Ask { checkout, asked: attempt.asked(), if_version, command };
        match door.carts.ask(ask).await {
            // Somebody else changed it meanwhile: it is looked at again.
            Err(CheckoutRefused::VersionMismatch { .. }) => {}
            Err(other) => return Err(refused(other)),
            Ok(reply) => return answered(&reply),
        }
    }
    Err(refused(CheckoutRefused::Busy))
}

/// The answer to a command; one that was kept as an error is told as errors are.
pub fn answered(reply: &Reply) -> Result<HttpResponse, Problem> {
    let mut response = answer::of_reply(reply)?;
    if response.status() >= StatusCode::BAD_REQUEST {
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    Ok(response)
}

/// A refused command as this protocol tells it.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn refused(error: CheckoutRefused) -> Problem {
    Problem::of_checkout(&error, false)
}

/// A text that is no id of ours names no checkout of ours.
pub fn checkout_of(id: &str) -> Result<CheckoutId, Problem> {
    id.parse().map_err(|_| Problem::new(Kind::NotFound, "There is no such checkout session."))
}
