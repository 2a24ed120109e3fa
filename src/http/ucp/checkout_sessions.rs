//! `POST /checkout-sessions`, `GET` and `PUT /checkout-sessions/{id}`.

use actix_web::{HttpResponse, http::header, web};

use super::{BASE_PATH, agent::Agent, checkout_request, checkout_wire::completing_still};
use crate::{
    base::CheckoutId,
    cart::{Ask, Command, Show},
    checkout::{CheckoutRefused, Operation, Render, Reply, Session, Shown},
    http::{
        UCP, answer, asking::Asking, caller::Caller, door::Door, kinds::Kind, problem::Problem,
    },
};

/// Creates a session: 201, or 200 without an id when nothing of it can be sold.
pub async fn create(
    door: web::Data<Door>,
    _agent: Agent,
    asking: Asking,
) -> Result<HttpResponse, Problem> {
    let draft = checkout_request::draft(&asking.body(), &door.limits)?;
    let checkout = CheckoutId::new(door.clock.now(), &*door.chance);
    let command = Command::Create(Box::new(draft));
    let ask = Ask { checkout, asked: asking.asked(UCP), if_version: None, command };
    let reply = door.carts.ask(ask).await.map_err(refused)?;
    let mut response = answer::of_reply(&reply)?;
    if let Reply::Done(done) = &reply
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
    let show = Show { checkout, caller: caller.0.to_string() };
    let session = door.carts.show(show).await.map_err(refused)?;
    show_session(&door, &session, Operation::Get)
}

/// Replaces a session. While a payment is under way it stays as it is, and says so.
pub async fn update(
    door: web::Data<Door>,
    _agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let draft = checkout_request::draft(&asking.body(), &door.limits)?;
    let if_version = asking.if_version()?;
    let command = Command::Update(Box::new(draft));
    let ask = Ask { checkout, asked: asking.asked(UCP), if_version, command };
    match door.carts.ask(ask).await {
        Ok(reply) => answer::of_reply(&reply),
        Err(CheckoutRefused::Completing) => {
            let show = Show { checkout, caller: asking.caller().to_string() };
            let session = door.carts.show(show).await.map_err(refused)?;
            show_session(&door, &completing_still(&session), Operation::Update)
        }
        Err(error) => Err(refused(error)),
    }
}

fn show_session(
    door: &Door,
    session: &Session,
    operation: Operation,
) -> Result<HttpResponse, Problem> {
    answer::write(&door.answers.render(UCP, Shown::Session { session, operation }))
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
