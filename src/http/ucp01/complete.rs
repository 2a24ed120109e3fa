//! `POST /checkout-sessions/{id}/complete`: pays.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    agent::Agent,
    checkout_sessions::{checkout_of, refused},
    payment_request, simulation,
};
use crate::{
    cart::{Ask, Command},
    http::{
        answer,
        asking::Asking,
        door::Door,
        paying::{self, Paying},
        problem::Problem,
    },
};

/// Pays. A refused payment is 402, and the session stays open for another.
pub async fn complete(
    door: web::Data<Door>,
    request: HttpRequest,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let Paying { tender, lacks } = payment_request::paying(&asking.body(), &door.limits)?;
    let tender = simulation::escalated(&request, &asking.body(), tender);
    let (asked, if_version) = (asking.asked(agent.origin()), asking.if_version());
    let command = Command::Complete(Box::new(tender));
    let ask = Ask { checkout, asked, if_version, command };
    let reply = door.carts.ask(ask).await;
    answer::of_reply(&reply.map_err(|error| paying::refused(error, lacks, refused))?)
}
