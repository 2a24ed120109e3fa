//! What it costs to send goods, and where they can be fetched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

use super::{
    priced::DeliveryOption,
    tariff::{Area, Invalid, check_area, check_slug},
};
use crate::base::{Address, Currency, Timestamp};

/// The longest delivery window that makes sense, in days.
const DAYS_MAX: u16 = 365;

const fn yes() -> bool {
    true
}

/// What one service costs somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingRate {
    /// Its name in addresses: 1 to 40 lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The level of service (`standard`, `express`, …): of several rates of one service, the one
    /// for the narrowest area counts, and among those the cheapest.
    pub service: String,
    /// Who brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Countries by alpha-2, alpha-3 or numeric code or by name, kept as alpha-2 (ISO 3166-1);
    /// everywhere when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// States or provinces of the one country that is named, by code or by name, kept as codes (ISO
    /// 3166-2 without the country); all of it when none is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// What it costs, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// Only from this weight on, in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_weight_grams: Option<u64>,
    /// Only below this weight, in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_weight_grams: Option<u64>,
    /// Only from this value of the goods on, after discounts, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_subtotal_minor: Option<i64>,
    /// Only below this value of the goods, after discounts, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_subtotal_minor: Option<i64>,
    /// The first day on which it may arrive, counted from the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days: Option<u16>,
    /// The last day on which it should arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u16>,
    /// Whether it is offered.
    #[serde(default = "yes")]
    pub active: bool,
}

/// Where goods can be fetched, for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickupLocation {
    /// Its name in addresses: 1 to 40 lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Where it is.
    pub address: Address,
    /// Whether goods can be fetched there now.
    #[serde(default = "yes")]
    pub active: bool,
}

/// A parcel on its way to a price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel<'a> {
    pub area: Area<'a>,
    pub currency: Currency,
    pub weight_grams: u64,
    pub value_minor: i64,
    pub now: Timestamp,
}

impl ShippingRate {
    /// # Errors
    /// Which field makes no sense, and why.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        check_slug("/id", &self.id)?;
        check_slug("/service", &self.service)?;
        check_area(&self.countries, &self.regions)?;
        if self.amount_minor < 0 {
            return Err(Invalid::new("/amount_minor", "Not below 0."));
        }
        if matches!((self.min_weight_grams, self.max_weight_grams), (Some(a), Some(b)) if b <= a) {
            return Err(Invalid::new("/max_weight_grams", "It lies above the least weight."));
        }
        let values = (self.min_subtotal_minor, self.max_subtotal_minor);
        if matches!(values, (Some(least), Some(most)) if most <= least) {
            return Err(Invalid::new("/max_subtotal_minor", "It lies above the least value."));
        }
        let (first, last) = (self.min_days.unwrap_or(0), self.max_days.unwrap_or(DAYS_MAX));
        if first > last || last > DAYS_MAX {
            let text = format!("Days are in order and at most {DAYS_MAX}.");
            return Err(Invalid::new("/max_days", text));
        }
        Ok(())
    }

    /// How narrow its area is; none when the parcel is not for it.
    fn fits(&self, parcel: &Parcel<'_>) -> Option<u8> {
        let above = |least: Option<u64>| least.is_none_or(|least| parcel.weight_grams >= least);
        let below = |most: Option<u64>| most.is_none_or(|most| parcel.weight_grams < most);
        let fits = self.active
            && self.currency == parcel.currency
            && above(self.min_weight_grams)
            && below(self.max_weight_grams)
            && self.min_subtotal_minor.is_none_or(|least| parcel.value_minor >= least)
            && self.max_subtotal_minor.is_none_or(|most| parcel.value_minor < most);
        if fits { parcel.area.within(&self.countries, &self.regions) } else { None }
    }

    fn option(&self, now: Timestamp) -> DeliveryOption {
        let day = |days: u16| now.plus(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
        DeliveryOption {
            id: self.id.clone(),
            title: self.title.clone(),
            carrier: self.carrier.clone(),
            minor: self.amount_minor,
            earliest: self.min_days.map(day),
            latest: self.max_days.map(day),
        }
    }
}

/// What there is for a parcel: one rate of each service, the cheapest first.
pub(super) fn options(rates: &[ShippingRate], parcel: &Parcel<'_>) -> Vec<DeliveryOption> {
    let mut best: BTreeMap<&str, (u8, &ShippingRate)> = BTreeMap::new();
    for rate in rates {
        let Some(narrow) = rate.fits(parcel) else { continue };
        let key = |narrow: u8, rate: &ShippingRate| (std::cmp::Reverse(narrow), rate.amount_minor);
        match best.get(rate.service.as_str()) {
            Some((known, other)) if key(*known, other) <= key(narrow, rate) => {}
            _ => drop(best.insert(&rate.service, (narrow, rate))),
        }
    }
    let mut options: Vec<_> = best.values().map(|(_, rate)| rate.option(parcel.now)).collect();
    options.sort_by(|a, b| (a.minor, &a.id).cmp(&(b.minor, &b.id)));
    options
}
