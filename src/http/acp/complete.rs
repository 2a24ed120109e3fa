//! `POST /checkout_sessions/{id}/complete`: pays.

use actix_web::{HttpResponse, web};

use super::{
    attempt::Attempt,
    checkout_sessions::{answered, checkout_of, refused},
    payment_request,
};
use crate::{
    cart::{Ask, Command},
    http::{
        door::Door,
        paying::{self, Paying},
        problem::Problem,
    },
};

/// Pays. Whatever the gateway says is 200: the session tells.
pub async fn complete(
    door: web::Data<Door>,
    attempt: Attempt,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let Paying { tender, lacks } = payment_request::paying(&attempt.body(), &door.limits)?;
    let command = Command::Complete(Box::new(tender));
    let ask = Ask { checkout, asked: attempt.asked(), if_version: None, command };
    let reply = door.carts.ask(ask).await;
    answered(&reply.map_err(|error| paying::refused(error, lacks, refused))?)
}
