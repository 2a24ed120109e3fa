//! Where items of a tariff lie, by the codes of countries and their parts.

use serde_json::{Value, value::Index};

use super::tariff::Invalid;
use crate::base::place;

/// Puts codes (ISO 3166-1 alpha-2, ISO 3166-2 without the country) in the place of names of
/// countries and their parts, and tells which ones nobody knows. What is no text is left to who
/// reads it.
pub(super) fn settle(document: &mut Value) -> Vec<Invalid> {
    let mut unknown = Vec::new();
    let codes = each(document, "countries", "/countries", &mut unknown, place::country);
    if let [Some(country)] = codes[..] {
        each(document, "regions", "/regions", &mut unknown, |said| place::region(country, said));
    }
    if let Some(address) = document.get_mut("address").filter(|address| address.is_object()) {
        settle_address(address, &mut unknown);
    }
    unknown
}

fn settle_address(address: &mut Value, unknown: &mut Vec<Invalid>) {
    let at = "/address/address_country";
    let Some(country) = one(address, "address_country", at, unknown, place::country) else {
        return;
    };
    let is_free = |said: &str| !place::must_be_known(country, said);
    if address
        .get("address_region")
        .and_then(Value::as_str)
        .is_some_and(|said| place::region(country, said).is_none() && is_free(said))
    {
        return;
    }
    let at = "/address/address_region";
    one(address, "address_region", at, unknown, |said| place::region(country, said));
}

fn each(
    document: &mut Value,
    name: &str,
    at: &str,
    unknown: &mut Vec<Invalid>,
    find: impl Fn(&str) -> Option<&'static str>,
) -> Vec<Option<&'static str>> {
    let Some(list) = document.get_mut(name).filter(|list| list.is_array()) else {
        return Vec::new();
    };
    let count = list.as_array().map_or(0, Vec::len);
    (0..count).map(|index| one(list, index, &format!("{at}/{index}"), unknown, &find)).collect()
}

/// The code of what stands in one place, which it takes.
fn one(
    document: &mut Value,
    index: impl Index,
    at: &str,
    unknown: &mut Vec<Invalid>,
    find: impl Fn(&str) -> Option<&'static str>,
) -> Option<&'static str> {
    let field = document.get_mut(index)?;
    let said = field.as_str()?;
    let Some(code) = find(said) else {
        let text = format!(
            "Nothing is called `{said}` there. Say the code, such as `DE` (ISO 3166-1 alpha-2) or \
             `CA` for California (ISO 3166-2)."
        );
        unknown.push(Invalid::new(at, text));
        return None;
    };
    *field = code.into();
    Some(code)
}
