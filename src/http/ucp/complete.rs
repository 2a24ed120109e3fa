//! `POST /checkout-sessions/{id}/complete`: pays.

use actix_web::{HttpResponse, web};

use super::{
    agent::Agent,
    checkout_request,
    checkout_sessions::{checkout_of, refused, show_saying},
};
use crate::{
    base::{CheckoutId, Money, Protocol},
    cart::{Ask, Command, Show},
    checkout::{CheckoutRefused, NoticeCode},
    http::{
        answer,
        asking::Asking,
        door::Door,
        paying::{self, Paying},
        problem::Problem,
        reading, signed,
    },
};

/// Pays. Whatever the gateway says is 200: the session tells. Where nothing is to be paid no
/// instrument is needed.
pub async fn complete(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let Paying { mut tender, lacks } = checkout_request::paying(&asking.body(), &door.limits)?;
    tender.expected_total = expected_total(&door, &asking, checkout).await?;
    let if_version = asking.if_version();
    let command = Command::Complete(Box::new(tender));
    let is_named = agent.is_named();
    let ask = Ask { checkout, asked: asking.asked(agent.origin()), if_version, command };
    let reply = match door.carts.ask(ask).await {
        Ok(reply) => reply,
        Err(CheckoutRefused::MeansMissing) if lacks.is_none() => {
            let text = "Send a payment instrument with a token.";
            return show_saying(&door, &asking, checkout, NoticeCode::PaymentMissing, text).await;
        }
        Err(error) => return Err(paying::refused(error, lacks, refused)),
    };
    let mut response = answer::of_reply(&reply)?;
    // Who does not say who they are has no use for our signature.
    if let (true, Ok(body)) = (is_named, reply.answer().body.open()) {
        signed::sign_answer(&door, &mut response, body.as_bytes());
    }
    Ok(response)
}

/// The total the buyer agreed to, in minor units of the session's currency unless another is named.
async fn expected_total(
    door: &Door,
    asking: &Asking,
    checkout: CheckoutId,
) -> Result<Option<Money>, Problem> {
    let body = asking.body();
    let Some(total) = body.find("expected_total") else { return Ok(None) };
    let minor = total.integer()?;
    let currency = match reading::currency(&body)? {
        Some(currency) => currency,
        None => {
            let show =
                Show { checkout, caller: asking.caller().to_string(), protocol: Protocol::Ucp };
            door.carts.show(show).await.map_err(refused)?.currency
        }
    };
    Ok(Some(Money::from_minor(minor, currency)))
}
