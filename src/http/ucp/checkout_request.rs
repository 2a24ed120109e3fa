//! What platforms send, read into what the checkout understands.

use super::{catalog_request, fulfillment_request};
use crate::{
    base::{Limits, Person},
    checkout::{Draft, Instrument, Means, Session},
    http::{
        paying::{Billed, Paying},
        problem::Problem,
        reading::{self, At},
        signals,
    },
    payment::Credential,
};

/// The body of a create or an update. Prices and titles in it are ours to say, and are passed over.
/// The currency of its context is a hint: it counts when anything of it is sold in it.
pub fn draft(body: &At<'_>, limits: &Limits) -> Result<Draft, Problem> {
    let lines = body.get("line_items")?;
    let lines = lines
        .items(limits.lines_per_cart)?
        .map(|line| reading::wanted_line(&line, limits))
        .collect::<Result<_, _>>()?;
    let mut person = person(body, limits)?;
    let delivery = fulfillment_request::wish(body, limits, &mut person)?;
    let codes = match body.find("discounts") {
        Some(discounts) => match discounts.object()?.find("codes") {
            Some(codes) => reading::codes(&codes, limits)?,
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    let context = body.find("context");
    let country = match &context {
        Some(context) => context.object()?.text_in("address_country", limits.text_bytes)?,
        None => None,
    };
    let prefers = catalog_request::currency(body)?.into_iter().collect();
    Ok(Draft { prefers, lines, person, codes, delivery, country, ..Draft::default() })
}

/// The body of a create that turns a cart into a checkout: what the cart says wins.
pub fn draft_of_cart(body: &At<'_>, cart: &Session, limits: &Limits) -> Result<Draft, Problem> {
    let mut draft = cart.draft();
    let mut person = person(body, limits)?;
    draft.delivery = fulfillment_request::wish(body, limits, &mut person)?;
    person.buyer = draft.person.buyer.take().or(person.buyer);
    draft.person = person;
    Ok(draft)
}

fn person(body: &At<'_>, limits: &Limits) -> Result<Person, Problem> {
    let buyer =
        body.find("buyer").map(|at| reading::buyer(&at, limits).map(Box::new)).transpose()?;
    signals::observe(body, limits, Person { buyer, ..Person::default() })
}

/// The body of a complete.
pub fn paying(body: &At<'_>, limits: &Limits) -> Result<Paying, Problem> {
    Ok(Paying::of(billed(body, limits), person(body, limits)?))
}

/// Of several instruments the selected one pays, else the first; `None` when there is none, or it
/// has no token.
fn billed(body: &At<'_>, limits: &Limits) -> Result<Option<Billed>, Problem> {
    let payment = body.get("payment")?;
    let list = payment.get("instruments")?;
    let instruments: Vec<_> = list.items(limits.lines_per_cart)?.collect();
    let selected = |at: &&At<'_>| at.find("selected").is_some_and(|flag| flag.is_true());
    let chosen = instruments.iter().find(selected).or_else(|| instruments.first());
    let Some(chosen) = chosen else { return Ok(None) };
    let Some(credential) = chosen.find("credential") else { return Ok(None) };
    let token =
        credential.text_in("token", reading::TOKEN_BYTES)?.filter(|token| !token.is_empty());
    let Some(token) = token else { return Ok(None) };
    let billing = chosen.find("billing_address");
    let billing = billing.map(|at| reading::address(&at, limits)).transpose()?;
    let (instrument, credential) = (instrument(chosen, limits)?, Credential::new(token));
    Ok(Some((Means { instrument, credential }, billing)))
}

fn instrument(at: &At<'_>, limits: &Limits) -> Result<Instrument, Problem> {
    let text = |name| at.text_in(name, limits.text_bytes);
    let display = at.find("display");
    let shown = |name| match (&display, at.find(name)) {
        (_, Some(field)) => field.text(limits.text_bytes).map(|text| Some(text.to_owned())),
        (Some(display), None) => display.text_in(name, limits.text_bytes),
        (None, None) => Ok(None),
    };
    Ok(Instrument {
        id: text("id")?.unwrap_or_else(|| "instrument_1".to_owned()),
        handler_id: text("handler_id")?.unwrap_or_default(),
        kind: text("type")?.unwrap_or_else(|| "card".to_owned()),
        brand: shown("brand")?,
        last_digits: shown("last_digits")?,
    })
}
