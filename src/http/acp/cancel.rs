//! `POST /checkout_sessions/{id}/cancel`: gives up.

use actix_web::{HttpResponse, web};

use super::{
    attempt::Attempt,
    checkout_sessions::{answered, checkout_of, refused},
};
use crate::{
    cart::{Ask, Command},
    checkout::CheckoutRefused,
    http::{door::Door, kinds::Kind, problem::Problem, refusal},
};

/// Gives up; 405 once it has ended. Why, which an agent may say, changes nothing.
pub async fn cancel(
    door: web::Data<Door>,
    attempt: Attempt,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let asked = attempt.asked();
    let ask = Ask { checkout, asked, if_version: None, command: Command::Cancel };
    let reply = door.carts.ask(ask).await.map_err(|error| match error {
        CheckoutRefused::Ended(_) => Problem::new(Kind::NotCancelable, refusal::sentence(&error)),
        other => refused(other),
    })?;
    answered(&reply)
}
