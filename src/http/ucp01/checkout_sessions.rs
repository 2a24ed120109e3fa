//! `POST /checkout-sessions`, `GET` and `PUT /checkout-sessions/{id}`.

use actix_web::{HttpResponse, http::header, web};

use super::{BASE_PATH, agent::Agent, delivery, session_request};
use crate::{
    base::{CheckoutId, Protocol},
    cart::{Ask, Command, Show},
    checkout::{CheckoutRefused, Operation, Render, Reply, Shown},
    http::{answer, asking::Asking, caller::Caller, door::Door, kinds::Kind, problem::Problem},
};

/// How often an update is put on what stands: each time but the last, somebody else changed it
/// between reading and writing.
const UPDATES_MAX: u32 = 4;

/// Creates a session: 201, or an error when it cannot be sold as it was asked for.
pub async fn create(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
) -> Result<HttpResponse, Problem> {
    let (mut draft, wanted) = session_request::create(&asking.body(), &door.limits)?;
    let fresh = delivery::settle(&door, asking.caller(), &mut draft, wanted).await?;
    let checkout = CheckoutId::new(door.clock.now(), &*door.chance);
    let command = Command::Create(Box::new(draft));
    let ask = Ask { checkout, asked: asking.asked(agent.origin()), if_version: None, command };
    let reply = door.carts.ask(ask).await.map_err(refused)?;
    let mut response = answer::of_reply(&reply)?;
    if response.status().is_success() {
        fresh.keep(&door).await?;
    }
    let place = format!("{}{BASE_PATH}/checkout-sessions/{checkout}", door.site().base_url);
    if let (Reply::Done(done), Ok(place)) = (&reply, header::HeaderValue::from_str(&place))
        && done.status == 201
    {
        response.headers_mut().insert(header::LOCATION, place);
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
    let show = Show { checkout, caller: caller.0.to_string(), protocol: Protocol::Ucp202601 };
    let session = door.carts.show(show).await.map_err(refused)?;
    let shown = Shown::Session { session: &session, operation: Operation::Get };
    answer::write(&door.answers.render(Protocol::Ucp202601, shown))
}

/// Changes what the body says; what it does not say stays.
pub async fn update(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let checkout = checkout_of(&id)?;
    let (asked, if_version) = (asking.asked(agent.origin()), asking.if_version());
    for _ in 0..UPDATES_MAX {
        let caller = asking.caller().to_string();
        let show = Show { checkout, caller, protocol: Protocol::Ucp202601 };
        let session = door.carts.show(show).await.map_err(refused)?;
        let (mut draft, wanted) = session_request::update(&asking.body(), &session, &door.limits)?;
        let fresh = delivery::settle(&door, asking.caller(), &mut draft, wanted).await?;
        let command = Command::Update(Box::new(draft));
        let seen = if_version.clone().or_else(|| Some(vec![session.version]));
        let ask = Ask { checkout, asked: asked.clone(), if_version: seen, command };
        match door.carts.ask(ask).await {
            // Somebody else changed it meanwhile: it is looked at again.
            Err(CheckoutRefused::VersionMismatch { .. }) if if_version.is_none() => {}
            Err(other) => return Err(refused(other)),
            Ok(reply) => {
                let response = answer::of_reply(&reply)?;
                if response.status().is_success() {
                    fresh.keep(&door).await?;
                }
                return Ok(response);
            }
        }
    }
    Err(refused(CheckoutRefused::Busy))
}

/// A refused command as this protocol tells it.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn refused(error: CheckoutRefused) -> Problem {
    Problem::of_checkout(&error, true)
}

/// A text that is no id of ours names no checkout of ours.
pub fn checkout_of(id: &str) -> Result<CheckoutId, Problem> {
    id.parse().map_err(|_| Problem::new(Kind::NotFound, "There is no such checkout."))
}
