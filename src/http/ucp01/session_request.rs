//! What platforms want to buy, read into what the checkout understands. An update says what
//! changes, and what it leaves out stays.

use super::fulfillment_request::{self, Wanted};
use crate::{
    base::{Limits, Protocol},
    checkout::{Demands, Draft, Session},
    http::{
        kinds::Kind,
        problem::Problem,
        reading::{self, At},
    },
};

/// Instruments of one buyer that a platform may list.
const INSTRUMENTS_MAX: usize = 50;

/// The body of a create, and how the goods are to come.
pub fn create(body: &At<'_>, limits: &Limits) -> Result<(Draft, Option<Wanted>), Problem> {
    change(Draft::default(), body, limits)
}

/// The body of an update, on what stands.
pub fn update(
    body: &At<'_>,
    session: &Session,
    limits: &Limits,
) -> Result<(Draft, Option<Wanted>), Problem> {
    let id = body.get("id")?;
    if id.text(limits.text_bytes)? != session.id.to_string() {
        let text = "This is not the id of the checkout at this address.".to_owned();
        return Err(id.problem(Kind::Invalid, text));
    }
    change(Draft { delivery: session.wish(), ..session.draft() }, body, limits)
}

fn change(
    mut draft: Draft,
    body: &At<'_>,
    limits: &Limits,
) -> Result<(Draft, Option<Wanted>), Problem> {
    draft.demands = Demands::of(Protocol::Ucp202601);
    draft.currency = reading::currency(body)?;
    body.get("currency")?;
    payment(&body.get("payment")?, limits)?;
    let lines = body.get("line_items")?;
    draft.lines = lines
        .items(limits.lines_per_cart)?
        .map(|line| reading::wanted_line(line.object()?, limits))
        .collect::<Result<_, _>>()?;
    if let Some(at) = body.find("buyer") {
        draft.person.buyer = Some(Box::new(reading::buyer_by_name(&at, limits)?));
    }
    if let Some(discounts) = body.find("discounts") {
        let codes = discounts.object()?.find("codes");
        draft.codes =
            codes.map(|codes| reading::codes(&codes, limits)).transpose()?.unwrap_or_default();
    }
    let wanted = body.find("fulfillment");
    let wanted = wanted.map(|at| fulfillment_request::wanted(&at, limits)).transpose()?;
    Ok((draft, wanted.flatten()))
}

/// What a platform says of instruments beforehand changes nothing here, but must be what it says
/// it is.
fn payment(payment: &At<'_>, limits: &Limits) -> Result<(), Problem> {
    payment.object()?.text_in("selected_instrument_id", limits.text_bytes)?;
    let Some(instruments) = payment.find("instruments") else { return Ok(()) };
    for instrument in instruments.items(INSTRUMENTS_MAX)? {
        for name in ["id", "handler_id", "type"] {
            instrument.object()?.get(name)?.text(limits.text_bytes)?;
        }
    }
    Ok(())
}
