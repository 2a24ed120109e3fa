//! What agents want to buy, read into what the checkout understands. An update says what changes,
//! and all else stays.

use super::fulfillment_request;
use crate::{
    base::{Currency, Hints, Limits, Person},
    checkout::{Draft, DraftLine, Session},
    http::{
        kinds::Kind,
        problem::Problem,
        reading::{self, At},
    },
    pricing::{Method, Wish},
};

/// The body of a create.
pub fn create(body: &At<'_>, limits: &Limits) -> Result<Draft, Problem> {
    body.get("line_items")?;
    let draft = Draft { currency: currency(body)?, ..Draft::default() };
    change(draft, body, limits)
}

/// The body of an update, on what stands.
pub fn update(body: &At<'_>, session: &Session, limits: &Limits) -> Result<Draft, Problem> {
    let has_address =
        session.person.destinations.iter().any(|one| one.address.address_country.is_some());
    let sent = || Wish { method: Method::Shipping, destination: None, option: None };
    let draft =
        Draft { delivery: session.wish().or_else(|| has_address.then(sent)), ..session.draft() };
    change(draft, body, limits)
}

/// The body of a cart, which is replaced as a whole. How goods come is chosen in the checkout.
pub fn cart(body: &At<'_>, limits: &Limits) -> Result<Draft, Problem> {
    let draft = create(body, limits)?;
    Ok(Draft { is_cart: true, delivery: None, ..draft })
}

fn change(mut draft: Draft, body: &At<'_>, limits: &Limits) -> Result<Draft, Problem> {
    if let Some(lines) = body.find("line_items") {
        draft.lines = self::lines(&lines, limits)?;
    }
    if let Some(at) = body.find("buyer") {
        draft.person = with_buyer(draft.person, &at, limits)?;
    }
    if let Some(codes) = codes(body, limits)? {
        draft.codes = codes;
    }
    fulfillment_request::change(&mut draft, body, limits)?;
    Ok(draft)
}

/// The person with who they say they are, and the account they have there.
pub fn with_buyer(person: Person, at: &At<'_>, limits: &Limits) -> Result<Person, Problem> {
    let buyer = Some(Box::new(reading::buyer_by_name(at, limits)?));
    let Some(customer_id) = at.text_in("customer_id", limits.text_bytes)? else {
        return Ok(Person { buyer, ..person });
    };
    let mut hints: Box<Hints> = person.hints.unwrap_or_default();
    hints.customer_id = Some(customer_id);
    Ok(Person { buyer, hints: Some(hints), ..person })
}

fn lines(at: &At<'_>, limits: &Limits) -> Result<Vec<DraftLine>, Problem> {
    let lines: Vec<_> = at
        .items(limits.lines_per_cart)?
        .map(|line| draft_line(&line, limits))
        .collect::<Result<_, _>>()?;
    if lines.is_empty() {
        return Err(at.problem(Kind::Invalid, "At least one item must stand here.".into()));
    }
    Ok(lines)
}

/// The schema of an item has no quantity, its examples do: one that says none means one.
fn draft_line(line: &At<'_>, limits: &Limits) -> Result<DraftLine, Problem> {
    let quantity = line.find("quantity").map(|at| at.quantity(limits.quantity_per_line));
    let item = line.object()?.get("id")?.text(limits.text_bytes)?.to_owned();
    Ok(DraftLine { id: None, item, quantity: quantity.transpose()?.unwrap_or(1) })
}

/// The codes of the discount extension, or the older `coupons`.
fn codes(body: &At<'_>, limits: &Limits) -> Result<Option<Vec<String>>, Problem> {
    if let Some(discounts) = body.find("discounts") {
        let codes = discounts.object()?.find("codes");
        return codes.map(|codes| reading::codes(&codes, limits)).transpose();
    }
    body.find("coupons").map(|codes| reading::codes(&codes, limits)).transpose()
}

/// Currencies are written small here.
fn currency(body: &At<'_>) -> Result<Option<Currency>, Problem> {
    let rule = |raw: &str| raw.to_ascii_uppercase().parse::<Currency>();
    body.find("currency").map(|field| field.parse(16, rule)).transpose()
}
