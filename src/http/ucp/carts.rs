//! `POST /carts`, `GET` and `PUT /carts/{id}`, `POST /carts/{id}/cancel`: what a buyer may buy,
//! with estimates; nothing is held for it. A cart becomes a checkout by `cart_id`.

use actix_web::{HttpResponse, http::header, web};

use super::{
    BASE_PATH,
    agent::Agent,
    checkout_request,
    checkout_sessions::{created, refused},
};
use crate::{
    base::{CartId, CheckoutId, Protocol},
    cart::{Ask, Command, Show},
    checkout::{Asked, CheckoutRefused, Draft, Operation, Render, Reply, Session, Shown},
    http::{answer, asking::Asking, caller::Caller, door::Door, kinds::Kind, problem::Problem},
    ledger::row::SessionState,
};

/// Checkouts one cart may become, one after the other has ended. Each is looked for.
const TURNS_MAX: u32 = 32;

/// Creates a cart: 201, or 200 without an id when nothing of it is for sale.
pub async fn create(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
) -> Result<HttpResponse, Problem> {
    let cart = CartId::new(door.clock.now(), &*door.chance);
    let command = Command::Create(Box::new(draft(&door, &asking)?));
    let reply = ask(&door, asking.asked(agent.origin()), cart, None, command).await?;
    let mut response = answer::of_reply(&reply)?;
    let place = format!("{}{BASE_PATH}/carts/{cart}", door.site().base_url);
    if let (Reply::Done(done), Ok(place)) = (&reply, header::HeaderValue::from_str(&place))
        && done.status == 201
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

fn draft(door: &Door, asking: &Asking) -> Result<Draft, Problem> {
    let draft = checkout_request::draft(&asking.body(), &door.limits)?;
    // How goods come is chosen in the checkout.
    Ok(Draft { is_cart: true, delivery: None, ..draft })
}

async fn ask(
    door: &Door,
    asked: Asked,
    cart: CartId,
    if_version: Option<Vec<u32>>,
    command: Command,
) -> Result<Reply, Problem> {
    let ask = Ask { checkout: cart.session(), asked, if_version, command };
    door.carts.ask(ask).await.map_err(refused_cart)
}

/// Shows a cart that stands.
pub async fn get(
    door: web::Data<Door>,
    _agent: Agent,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let cart = standing(&door, cart_of(&id)?, &caller.0).await?;
    let shown = Shown::Session { session: &cart, operation: Operation::Get };
    answer::write(&door.answers.render(Protocol::Ucp, shown))
}

/// Replaces a cart.
pub async fn update(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (cart, if_version) = (cart_of(&id)?, asking.if_version());
    let command = Command::Update(Box::new(draft(&door, &asking)?));
    answer::of_reply(&ask(&door, asking.asked(agent.origin()), cart, if_version, command).await?)
}

/// Gives a cart up.
pub async fn cancel(
    door: web::Data<Door>,
    agent: Agent,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (cart, if_version) = (cart_of(&id)?, asking.if_version());
    answer::of_reply(
        &ask(&door, asking.asked(agent.origin()), cart, if_version, Command::CancelCart).await?,
    )
}

/// A text that is no id of ours names no cart of ours.
pub fn cart_of(id: &str) -> Result<CartId, Problem> {
    id.parse().map_err(|_| nothing())
}

fn nothing() -> Problem {
    Problem::new(Kind::NotFound, "There is no such cart.")
}

fn refused_cart(error: CheckoutRefused) -> Problem {
    match error {
        CheckoutRefused::NotFound(_) => nothing(),
        other => refused(other),
    }
}

async fn standing(door: &Door, cart: CartId, caller: &str) -> Result<Session, Problem> {
    let show =
        Show { checkout: cart.session(), caller: caller.to_owned(), protocol: Protocol::Ucp };
    let cart = door.carts.show_cart(show).await.map_err(refused_cart)?;
    match cart.state {
        SessionState::Open => Ok(Session::clone(&cart)),
        _ => Err(Problem::new(Kind::NotFound, "The cart was given up, or its time is over.")
            .suggest("Create a new one.")),
    }
}

/// Turns a cart into a checkout. Its id follows from the cart's, so that two who do it at once, or
/// one who does it again after a crash, come to the same one; a checkout that has ended makes room
/// for the next.
pub async fn convert(
    door: &Door,
    agent: Agent,
    asking: &Asking,
    cart: CartId,
) -> Result<HttpResponse, Problem> {
    let session = standing(door, cart, asking.caller()).await?;
    let draft = checkout_request::draft_of_cart(&asking.body(), &session, &door.limits)?;
    let asked = asking.asked(agent.origin());
    let mut turn = 0;
    // Twice as often: each may be looked at again when somebody else creates it meanwhile.
    for _ in 0..2 * TURNS_MAX {
        let checkout = CheckoutId::of_cart(cart, turn);
        let show = Show { checkout, caller: asking.caller().to_string(), protocol: Protocol::Ucp };
        let command = match door.carts.show(show).await {
            Err(CheckoutRefused::NotFound(_)) => Command::Create(Box::new(draft.clone())),
            Err(other) => return Err(refused(other)),
            Ok(found) if is_over(&found) => {
                turn += 1;
                continue;
            }
            Ok(_) => Command::Present,
        };
        let ask = Ask { checkout, asked: asked.clone(), if_version: None, command };
        match door.carts.ask(ask).await {
            // Somebody else created it meanwhile: it is looked at again.
            Err(CheckoutRefused::VersionMismatch { .. }) => {}
            Err(other) => return Err(refused(other)),
            Ok(reply) => return created(door, checkout, &reply),
        }
    }
    let text = "This cart has become too many checkouts.";
    Err(Problem::new(Kind::LimitExceeded, text).suggest("Create a new cart."))
}

const fn is_over(session: &Session) -> bool {
    !matches!(session.state, SessionState::Open | SessionState::Completing)
}
