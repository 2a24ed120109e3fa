//! `POST /checkout-sessions/{id}/cancel`: gives up.

use actix_web::{HttpResponse, web};

use super::{
    agent::Agent,
    checkout_sessions::{checkout_of, refused},
};
use crate::{
    cart::{Ask, Command},
    http::{answer, asking::Asking, door::Door, problem::Problem},
};

/// Gives up; refused once it has ended, and while a payment is under way.
pub async fn cancel(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let (asked, if_version) = (asking.asked(agent.origin()), asking.if_version());
    let ask = Ask { checkout, asked, if_version, command: Command::Cancel };
    answer::of_reply(&door.carts.ask(ask).await.map_err(refused)?)
}
