//! How the goods are to come, as platforms say it: one method, one destination, one group.

use crate::{
    base::{Address, Limits},
    customers::{ADDRESSES_MAX, Sent},
    http::{
        kinds::Kind,
        problem::Problem,
        reading::{self, At},
    },
    pricing::Method,
};

/// What a platform wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How the goods come.
    pub method: Method,
    /// Where to they may come; none where the platform leaves that to us.
    pub sent: Vec<Sent>,
    /// Where to they are to come.
    pub choice: Choice,
    /// The option that was chosen.
    pub option: Option<String>,
}

/// Which destination was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Nothing was said of it.
    Unsaid,
    /// None any longer.
    Nothing,
    /// The one of this id.
    Id(String),
}

/// Reads `fulfillment`; none where it holds no method.
pub fn wanted(fulfillment: &At<'_>, limits: &Limits) -> Result<Option<Wanted>, Problem> {
    let Some(methods) = fulfillment.object()?.find("methods") else { return Ok(None) };
    // Goods of one checkout come one way; the profile says so.
    let Some(at) = methods.items(1)?.next() else { return Ok(None) };
    let method = match at.object()?.find("type") {
        Some(kind) => method(&kind, limits)?,
        // The schema of a request and that of its method do not agree on whether it is needed.
        None => Method::Shipping,
    };
    let choice = match at.text_in("selected_destination_id", limits.text_bytes)? {
        Some(id) => Choice::Id(id),
        None if at.value().get("selected_destination_id").is_some() => Choice::Nothing,
        None => Choice::Unsaid,
    };
    let sent = match method {
        Method::Shipping => destinations(&at, limits)?,
        Method::Pickup => Vec::new(),
    };
    Ok(Some(Wanted { method, sent, choice, option: option(&at, limits)? }))
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

fn destinations(at: &At<'_>, limits: &Limits) -> Result<Vec<Sent>, Problem> {
    let Some(list) = at.find("destinations") else { return Ok(Vec::new()) };
    let read = |at: At<'_>| {
        let id = at.object()?.text_in("id", limits.text_bytes)?.filter(|id| !id.is_empty());
        Ok(Sent { id, address: address(&at, limits)? })
    };
    list.items(ADDRESSES_MAX)?.map(read).collect()
}

/// A postal address, whose recipient may be named in one text.
pub fn address(at: &At<'_>, limits: &Limits) -> Result<Address, Problem> {
    let mut address = *reading::address(at, limits)?;
    if let Some(full) = at.text_in("full_name", limits.text_bytes)?
        && address.first_name.is_none()
        && address.last_name.is_none()
    {
        (address.first_name, address.last_name) = reading::name_parts(&full);
    }
    Ok(address)
}

fn option(at: &At<'_>, limits: &Limits) -> Result<Option<String>, Problem> {
    let Some(groups) = at.find("groups") else { return Ok(None) };
    let Some(group) = groups.items(1)?.next() else { return Ok(None) };
    group.object()?.text_in("selected_option_id", limits.text_bytes)
}
