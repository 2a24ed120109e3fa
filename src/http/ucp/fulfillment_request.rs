//! How the goods are to come, as platforms say it: one method, one destination, one group.

use crate::{
    base::{Destination, Limits, Person},
    http::{
        kinds::Kind,
        problem::Problem,
        reading::{self, At},
    },
    pricing::{Method, Wish},
};

/// Destinations of one checkout: a buyer's addresses.
const DESTINATIONS_MAX: usize = 20;

/// Reads `fulfillment`. Destinations become the person's; the chosen one is where the goods go.
pub fn wish(body: &At<'_>, limits: &Limits, person: &mut Person) -> Result<Option<Wish>, Problem> {
    let Some(fulfillment) = body.find("fulfillment") else { return Ok(None) };
    let Some(methods) = fulfillment.object()?.find("methods") else { return Ok(None) };
    // Goods of one checkout come one way; the profile says so.
    let Some(at) = methods.items(1)?.next() else { return Ok(None) };
    let method = match at.object()?.find("type") {
        Some(kind) => method(&kind, limits)?,
        None => Method::Shipping,
    };
    let mut destination = at.text_in("selected_destination_id", limits.text_bytes)?;
    if method == Method::Shipping {
        person.destinations = destinations(&at, limits)?;
        if destination.is_none() && at.value().get("selected_destination_id").is_none() {
            // Where there is no choice, none has to be made.
            let only = person.destinations.first().filter(|_| person.destinations.len() == 1);
            destination = only.map(|only| only.id.clone());
        }
        let chosen = person.destinations.iter().find(|one| Some(&one.id) == destination.as_ref());
        destination = chosen.map(|chosen| chosen.id.clone());
        person.shipping = chosen.map(|chosen| Box::new(chosen.address.clone()));
    }
    Ok(Some(Wish { method, destination, option: option(&at, limits)? }))
}

fn method(kind: &At<'_>, limits: &Limits) -> Result<Method, Problem> {
    match kind.text(limits.text_bytes)? {
        "shipping" => Ok(Method::Shipping),
        "pickup" => Ok(Method::Pickup),
        _ => {
            let text = "Goods come by `shipping` or `pickup`.".to_owned();
            Err(kind.problem(Kind::Invalid, text))
        }
    }
}

fn destinations(at: &At<'_>, limits: &Limits) -> Result<Vec<Destination>, Problem> {
    let Some(list) = at.find("destinations") else { return Ok(Vec::new()) };
    let read = |(number, at): (usize, At<'_>)| {
        let id = at.text_in("id", limits.text_bytes)?;
        let id = id.unwrap_or_else(|| format!("dest_{number}"));
        Ok(Destination { id, address: *reading::address(&at, limits)? })
    };
    (1..).zip(list.items(DESTINATIONS_MAX)?).map(read).collect()
}

fn option(at: &At<'_>, limits: &Limits) -> Result<Option<String>, Problem> {
    let Some(groups) = at.find("groups") else { return Ok(None) };
    let Some(group) = groups.items(1)?.next() else { return Ok(None) };
    group.object()?.text_in("selected_option_id", limits.text_bytes)
}
