//! `POST /checkout-sessions`, `GET` and `PUT /checkout-sessions/{id}`.

use actix_web::{HttpResponse, http::header, web};

use super::{BASE_PATH, agent::Agent, carts, checkout_request, checkout_wire::saying};
use crate::{
    base::{CheckoutId, Protocol},
    cart::{Ask, Command, Show},
    checkout::{CheckoutRefused, NoticeCode, Operation, Render, Reply, Session, Shown},
    http::{answer, asking::Asking, caller::Caller, door::Door, kinds::Kind, problem::Problem},
};

/// Creates a session: 201, or 200 without an id when nothing of it can be sold. From a cart it is
/// the same session each time, while that has not ended.
pub async fn create(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
) -> Result<HttpResponse, Problem> {
    if let Some(cart) = asking.body().find("cart_id") {
        let cart = carts::cart_of(cart.text(door.limits.text_bytes)?)?;
        return carts::convert(&door, agent, &asking, cart).await;
    }
    let draft = checkout_request::draft(&asking.body(), &door.limits)?;
    let checkout = CheckoutId::new(door.clock.now(), &*door.chance);
    let command = Command::Create(Box::new(draft));
    let ask = Ask { checkout, asked: asking.asked(agent.origin()), if_version: None, command };
    let reply = door.carts.ask(ask).await.map_err(refused)?;
    created(&door, checkout, &reply)
}

/// The answer to a create, with the address of what was created.
pub fn created(door: &Door, checkout: CheckoutId, reply: &Reply) -> Result<HttpResponse, Problem> {
    let mut response = answer::of_reply(reply)?;
    if let Reply::Done(done) = reply
        && done.status == 201
    {
        let place = format!("{}{BASE_PATH}/checkout-sessions/{checkout}", door.site().base_url);
        if let Ok(place) = header::HeaderValue::from_str(&place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
    }
    Ok(response)
}

/// Shows a session.
pub async fn get(
    door: web::Data<Door>,
    _agent: Agent,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let show = Show { checkout, caller: caller.0.to_string(), protocol: Protocol::Ucp };
    let session = door.carts.show(show).await.map_err(refused)?;
    show_session(&door, &session, Operation::Get)
}

/// Replaces a session. While a payment is under way it stays as it is, and says so.
pub async fn update(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let draft = checkout_request::draft(&asking.body(), &door.limits)?;
    let if_version = asking.if_version();
    let command = Command::Update(Box::new(draft));
    let ask = Ask { checkout, asked: asking.asked(agent.origin()), if_version, command };
    match door.carts.ask(ask).await {
        Ok(reply) => answer::of_reply(&reply),
        Err(CheckoutRefused::Completing) => {
            let text = "A payment is under way; the session was left as it is.";
            show_saying(&door, &asking, checkout, NoticeCode::PaymentPending, text).await
        }
        Err(error) => Err(refused(error)),
    }
}

/// Shows a session as it stands, saying why nothing was done. Nothing is stored under the key.
pub async fn show_saying(
    door: &Door,
    asking: &Asking,
    checkout: CheckoutId,
    code: NoticeCode,
    text: &str,
) -> Result<HttpResponse, Problem> {
    let show = Show { checkout, caller: asking.caller().to_string(), protocol: Protocol::Ucp };
    let session = door.carts.show(show).await.map_err(refused)?;
    show_session(door, &saying(&session, code, text), Operation::Get)
}

fn show_session(
    door: &Door,
    session: &Session,
    operation: Operation,
) -> Result<HttpResponse, Problem> {
    answer::write(&door.answers.render(Protocol::Ucp, Shown::Session { session, operation }))
}

/// A refused command as UCP tells it.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn refused(error: CheckoutRefused) -> Problem {
    Problem::of_checkout(&error, true)
}

/// A text that is no id of ours names no checkout of ours.
pub fn checkout_of(id: &str) -> Result<CheckoutId, Problem> {
    id.parse().map_err(|_| Problem::new(Kind::NotFound, "There is no such checkout."))
}
