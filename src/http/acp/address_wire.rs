//! People and places as this protocol writes them: a name is one text, and an address has all its
//! fields.

use serde::Serialize;

use crate::{
    base::{Address, Buyer, Email, Limits},
    http::{
        problem::Problem,
        reading::{self, At},
    },
};

/// An address. The schema wants every field: what is not known is empty.
#[derive(Debug, Serialize)]
pub struct AddressWire<'a> {
    name: String,
    line_one: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_two: Option<&'a str>,
    city: &'a str,
    state: &'a str,
    country: &'a str,
    postal_code: &'a str,
}

impl<'a> AddressWire<'a> {
    /// An address as it is shown.
    pub fn of(address: &'a Address) -> Self {
        let text = |field: &'a Option<String>| field.as_deref().unwrap_or_default();
        Self {
            name: name(address).unwrap_or_default(),
            line_one: text(&address.street_address),
            line_two: address.extended_address.as_deref(),
            city: text(&address.address_locality),
            state: text(&address.address_region),
            country: text(&address.address_country),
            postal_code: text(&address.postal_code),
        }
    }
}

/// Who buys; the schema wants an e-mail address.
#[derive(Debug, Serialize)]
pub struct BuyerWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
}

impl<'a> BuyerWire<'a> {
    /// The buyer, once there is a way to write to them.
    pub fn of(buyer: &'a Buyer) -> Option<Self> {
        Some(Self {
            first_name: buyer.first_name.as_deref(),
            last_name: buyer.last_name.as_deref(),
            email: buyer.email.as_ref().map(Email::expose)?,
            phone_number: buyer.phone_number.as_deref(),
        })
    }
}

/// The recipient's name in one text.
pub fn name(address: &Address) -> Option<String> {
    match (address.first_name.as_deref(), address.last_name.as_deref()) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// Reads an address. Fields that are empty texts are absent.
pub fn address(at: &At<'_>, limits: &Limits) -> Result<Address, Problem> {
    at.object()?;
    let text = |name| {
        let text = at.text_in(name, limits.text_bytes)?;
        Ok::<_, Problem>(text.filter(|text| !text.is_empty()))
    };
    let (first_name, last_name) = reading::name_parts(&text("name")?.unwrap_or_default());
    let (address_country, address_region) = reading::places(at, "country", "state", limits)?;
    Ok(Address {
        first_name,
        last_name,
        street_address: text("line_one")?,
        extended_address: text("line_two")?,
        address_locality: text("city")?,
        address_region,
        address_country,
        postal_code: text("postal_code")?,
        phone_number: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_comes_back_as_it_was_said(said in "[A-Za-zé' -]{0,20}") {
            let (first_name, last_name) = reading::name_parts(&said);
            let address = Address { first_name, last_name, ..Address::default() };
            prop_assert_eq!(name(&address).unwrap_or_default(), said);
        }
    }
}
