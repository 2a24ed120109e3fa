//! `POST /carts`, `GET` and `PUT /carts/{id}`, `POST /carts/{id}/cancel`: what a buyer may buy,
//! with estimates; nothing is held for it. The protocol has no way to turn one into a session: what
//! is in it is said again there.

use actix_web::{HttpResponse, web};

use super::{
    attempt::{Attempt, Version},
    checkout_sessions::{answered, refused},
    session_request,
};
use crate::{
    base::{CartId, Protocol},
    cart::{Ask, Command, Show},
    checkout::{CheckoutRefused, Operation, Render, Shown},
    http::{answer, caller::Caller, door::Door, kinds::Kind, problem::Problem},
    ledger::row::SessionState,
};

/// Creates a cart: 201, or an error when nothing of it is for sale.
pub async fn create(door: web::Data<Door>, attempt: Attempt) -> Result<HttpResponse, Problem> {
    let draft = session_request::cart(&attempt.body(), &door.limits)?;
    let cart = CartId::new(door.clock.now(), &*door.chance);
    ask(&door, &attempt, cart, Command::Create(Box::new(draft))).await
}

/// Shows a cart that stands.
pub async fn get(
    door: web::Data<Door>,
    _version: Version,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (checkout, caller) = (cart_of(&id)?.session(), caller.0.to_string());
    let show = Show { checkout, caller, protocol: Protocol::Acp };
    let session = door.carts.show_cart(show).await.map_err(refused_cart)?;
    if session.state != SessionState::Open {
        return Err(nothing());
    }
    let shown = Shown::Session { session: &session, operation: Operation::Get };
    answer::write(&door.answers.render(Protocol::Acp, shown))
}

/// Replaces a cart.
pub async fn update(
    door: web::Data<Door>,
    attempt: Attempt,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let cart = cart_of(&id)?;
    let draft = session_request::cart(&attempt.body(), &door.limits)?;
    ask(&door, &attempt, cart, Command::Update(Box::new(draft))).await
}

/// Gives a cart up.
pub async fn cancel(
    door: web::Data<Door>,
    attempt: Attempt,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    ask(&door, &attempt, cart_of(&id)?, Command::CancelCart).await
}

async fn ask(
    door: &Door,
    attempt: &Attempt,
    cart: CartId,
    command: Command,
) -> Result<HttpResponse, Problem> {
    let asked = attempt.asked();
    let ask = Ask { checkout: cart.session(), asked, if_version: None, command };
    answered(&door.carts.ask(ask).await.map_err(refused_cart)?)
}

fn cart_of(id: &str) -> Result<CartId, Problem> {
    id.parse().map_err(|_| nothing())
}

fn nothing() -> Problem {
    Problem::new(Kind::NotFound, "There is no such cart, or its time is over.")
}

/// A cart that has ended is none.
fn refused_cart(error: CheckoutRefused) -> Problem {
    match error {
        CheckoutRefused::NotFound(_) | CheckoutRefused::Ended(_) => nothing(),
        other => refused(other),
    }
}
