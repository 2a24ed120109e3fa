//! How the goods are to come, as agents say it: an address, or a group that wants to fetch them,
//! and one of the options that were offered.

use super::address_wire;
use crate::{
    base::{Address, Buyer, Destination, Email, Limits},
    checkout::Draft,
    http::{
        kinds::Kind,
        problem::Problem,
        reading::{self, At},
    },
    pricing::{Method, Wish},
};

/// The one destination there is; the protocol has no name for it.
const DESTINATION: &str = "fulfillment_details";

/// Options that may be chosen at once: one for things, one for what is not sent.
const SELECTIONS_MAX: usize = 2;

/// Reads what an update or a create says about it.
pub fn change(draft: &mut Draft, body: &At<'_>, limits: &Limits) -> Result<(), Problem> {
    if let Some(at) = body.find("fulfillment_details") {
        details(draft, &at, limits)?;
    }
    if let Some(at) = body.find("fulfillment_groups") {
        group(draft, &at, limits)?;
    }
    if let Some(at) = body.find("selected_fulfillment_options") {
        select(draft, &at, limits)?;
    }
    settle(draft);
    Ok(())
}

fn details(draft: &mut Draft, at: &At<'_>, limits: &Limits) -> Result<(), Problem> {
    let text = |name| at.text_in(name, limits.text_bytes);
    let mut address = match at.object()?.find("address") {
        Some(at) => address_wire::address(&at, limits)?,
        None => Address::default(),
    };
    if address.first_name.is_none() && address.last_name.is_none() {
        (address.first_name, address.last_name) =
            reading::name_parts(&text("name")?.unwrap_or_default());
    }
    address.phone_number = text("phone_number")?;
    // Where nothing else is said of the buyer, the confirmation goes where the goods go.
    if let Some(field) = at.find("email").filter(|field| field.value().as_str() != Some("")) {
        let email = field.parse(limits.text_bytes, Email::parse)?;
        let buyer = draft.person.buyer.get_or_insert_with(|| Box::new(Buyer::default()));
        buyer.email.get_or_insert(email);
    }
    if draft.delivery.is_none() && address.address_country.is_some() {
        draft.delivery = Some(Wish { method: Method::Shipping, destination: None, option: None });
    }
    draft.person.destinations = vec![Destination { id: DESTINATION.to_owned(), address }];
    Ok(())
}

/// Goods of one checkout come one way: the first group says which.
fn group(draft: &mut Draft, at: &At<'_>, limits: &Limits) -> Result<(), Problem> {
    let Some(group) = at.items(limits.lines_per_cart)?.next() else { return Ok(()) };
    let kind = group.object()?.get("destination_type")?;
    let location = group.text_in("location_id", limits.text_bytes)?;
    match kind.text(limits.text_bytes)? {
        "pickup" => {
            draft.delivery =
                Some(Wish { method: Method::Pickup, destination: location, option: None });
        }
        "shipping" => {
            let option = draft.delivery.take().filter(|wish| wish.method == Method::Shipping);
            let option = option.and_then(|wish| wish.option);
            draft.delivery = Some(Wish { method: Method::Shipping, destination: None, option });
            if let Some(at) = group.find("fulfillment_details") {
                details(draft, &at, limits)?;
            }
        }
        "digital" => {}
        _ => return Err(not_offered(&kind)),
    }
    Ok(())
}

fn select(draft: &mut Draft, at: &At<'_>, limits: &Limits) -> Result<(), Problem> {
    let mut chosen = None;
    for option in at.items(SELECTIONS_MAX)? {
        let kind = option.object()?.get("type")?;
        let id = option.get("option_id")?.text(limits.text_bytes)?.to_owned();
        let wish = match kind.text(limits.text_bytes)? {
            "digital" => continue,
            "shipping" => Wish { method: Method::Shipping, destination: None, option: Some(id) },
            "pickup" => Wish { method: Method::Pickup, destination: Some(id), option: None },
            _ => return Err(not_offered(&kind)),
        };
        if chosen.replace(wish).is_some() {
            let text = "All goods of a checkout come one way; choose one.".to_owned();
            return Err(at.problem(Kind::Invalid, text));
        }
    }
    draft.delivery = chosen.or(draft.delivery.take());
    Ok(())
}

fn not_offered(kind: &At<'_>) -> Problem {
    kind.problem(Kind::Invalid, "Goods come by `shipping` or `pickup`.".to_owned())
}

/// What is sent goes to the one destination; what is fetched goes nowhere.
fn settle(draft: &mut Draft) {
    let Some(wish) = &mut draft.delivery else { return };
    if wish.method == Method::Pickup {
        draft.person.shipping = None;
        return;
    }
    let mut known = draft.person.destinations.iter();
    let there = known.find(|one| one.address.address_country.is_some());
    wish.destination = there.map(|one| one.id.clone());
    draft.person.shipping = there.map(|one| Box::new(one.address.clone()));
}
