//! The demo shop's tariff: a code, two ways to send goods, a place to fetch them, and a tax that
//! prices contain.

use serde_json::{Value, json};

use super::tariff::ItemKind;

/// Every item of it.
pub fn demo() -> Vec<(ItemKind, Value)> {
    let rate = |id: &str, title: &str, minor: i64, days: (u16, u16)| {
        json!({ "id": id, "title": title, "service": id, "carrier": "Demo Post",
                "amount_minor": minor, "currency": "EUR", "min_days": days.0, "max_days": days.1 })
    };
    let welcome = json!({
        "id": "welcome", "title": "Welcome: 10% off", "code": "WELCOME10",
        "benefit": { "kind": "percent", "basis_points": 1_000 }, "usage_limit": 1_000,
    });
    let place = json!({
        "id": "berlin", "title": "Demo shop Berlin",
        "address": { "street_address": "1 Demo Street", "address_locality": "Berlin",
                     "postal_code": "10115", "address_country": "DE" },
    });
    let vat = json!({ "id": "vat-de", "title": "VAT 19%", "countries": ["DE"],
                      "basis_points": 1_900, "inclusive": true });
    vec![
        (ItemKind::Discounts, welcome),
        (ItemKind::ShippingRates, rate("standard", "Standard shipping", 490, (2, 4))),
        (ItemKind::ShippingRates, rate("express", "Express shipping", 1_290, (1, 1))),
        (ItemKind::PickupLocations, place),
        (ItemKind::TaxRates, vat),
    ]
}

#[cfg(test)]
mod tests {
    use super::demo;

    #[test]
    fn every_item_makes_sense() {
        for (kind, document) in demo() {
            kind.read(&document).unwrap_or_else(|invalid| panic!("{document}: {invalid}"));
        }
    }
}
