//! Which tax goods bear, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    share::WHOLE,
    tariff::{Area, Invalid, check_area, check_slug},
};

/// The category of shipping itself.
pub(super) const SHIPPING: &str = "shipping";

const fn yes() -> bool {
    true
}

/// A tax on goods of one category, or of all, somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// Its name in addresses: 1 to 40 lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// Its name for people: `VAT 19%`.
    pub title: String,
    /// Countries by alpha-2, alpha-3 or numeric code or by name, kept as alpha-2 (ISO 3166-1);
    /// everywhere, also where the destination is not known, when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// States or provinces of the one country that is named, by code or by name, kept as codes (ISO
    /// 3166-2 without the country); all of it when none is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// The tax category of the goods (`standard`, `reduced`, …), or `shipping`; every category of
    /// goods when it is not said. Shipping is taxed by a rate that names it, and by no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// 0 to 10,000 hundredths of a percent.
    pub basis_points: u32,
    /// Whether prices contain it: then it is told, and not added.
    #[serde(default)]
    pub inclusive: bool,
    /// Whether it is levied.
    #[serde(default = "yes")]
    pub active: bool,
}

impl TaxRate {
    /// # Errors
    /// Which field makes no sense, and why.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        check_slug("/id", &self.id)?;
        check_area(&self.countries, &self.regions)?;
        if self.basis_points > WHOLE {
            let text = format!("Basis points are 0 to {WHOLE} hundredths of a percent.");
            return Err(Invalid::new("/basis_points", text));
        }
        Ok(())
    }

    /// How closely it is meant for this; none when it is not.
    fn fits(&self, area: Area<'_>, category: &str) -> Option<(u8, bool)> {
        let named = self.category.as_deref();
        let meant = named == Some(category) || (named.is_none() && category != SHIPPING);
        let narrow = area.within(&self.countries, &self.regions)?;
        (self.active && meant).then_some((narrow, named.is_some()))
    }
}

/// The one rate for goods of this category: that of the narrowest area, then the one that names the
/// category, then the one whose id comes first.
pub(super) fn rate<'a>(
    rates: &'a [TaxRate],
    area: Area<'_>,
    category: &str,
) -> Option<&'a TaxRate> {
    let fitting = rates.iter().filter_map(|rate| Some((rate.fits(area, category)?, rate)));
    let best = fitting.max_by(|(a, left), (b, right)| a.cmp(b).then(right.id.cmp(&left.id)));
    best.map(|(_, rate)| rate)
}
