//! What a tariff made of a session: kept with the session, and with the order it becomes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shipping::PickupLocation;
use crate::base::{Sku, Timestamp};

/// How goods reach the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// They are sent.
    Shipping,
    /// They are fetched.
    Pickup,
}

/// How the buyer wants the goods to come. Where to stands with the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// How.
    pub method: Method,
    /// The destination, or the pickup location; none while it is open.
    pub destination: Option<String>,
    /// The option; none while it is open.
    pub option: Option<String>,
}

/// Everything beyond the lines' own prices. A session without any of it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Priced {
    /// The codes that were sent, as they were sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// The discounts that count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Applied>,
    /// How the goods come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<Fulfillment>,
    /// Taxes, by rate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<Tax>,
    /// Uses of discounts that are held and sold with the goods: one unit each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Sku>,
}

/// A discount that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// The discount.
    pub id: String,
    /// The code it was asked for with; none when it came by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its name for people.
    pub title: String,
    /// What it takes off, in minor units: more than nothing.
    pub minor: i64,
    /// Its place in the order of discounts, from 1.
    pub priority: u32,
    /// Whether single units were taken off, rather than a part of all.
    #[serde(default)]
    pub each: bool,
    /// Where from: these sum to `minor`.
    pub allotments: Vec<Allotment>,
}

/// A part of a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allotment {
    /// What is cheaper by it.
    pub target: Target,
    /// By how much, in minor units.
    pub minor: i64,
}

/// What a discount makes cheaper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The line with this index in the session.
    Line(usize),
    /// Shipping.
    Shipping,
}

/// How the goods come, and how else they could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fulfillment {
    /// How.
    pub method: Method,
    /// Where to: the name of one of the person's destinations, or of a pickup location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Where the goods can be fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PickupLocation>,
    /// What there is to choose from, the cheapest first.
    #[serde(default)]
    pub options: Vec<DeliveryOption>,
    /// Which one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<String>,
    /// Whether a discount takes off whatever sending costs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub free: bool,
}

/// One way for the goods to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryOption {
    /// Its name among the options.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Who brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// What it costs before discounts, in minor units.
    pub minor: i64,
    /// Not before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<Timestamp>,
    /// Not after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Timestamp>,
}

/// What one rate comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tax {
    /// Its name for people.
    pub title: String,
    /// How much, in minor units.
    pub minor: i64,
    /// Whether prices contain it already: then it is told, and not added.
    #[serde(default)]
    pub included: bool,
    /// On what it is due: these sum to `minor`. None for a tax that prices contain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allotments: Vec<Allotment>,
}

impl Fulfillment {
    /// What choosing this option costs, in minor units.
    pub const fn cost_of(&self, option: &DeliveryOption) -> i64 {
        if self.free { 0 } else { option.minor }
    }

    /// The option that was chosen.
    pub fn chosen(&self) -> Option<&DeliveryOption> {
        let wanted = self.selected.as_deref()?;
        self.options.iter().find(|option| option.id == wanted)
    }
}

impl Priced {
    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.codes.is_empty()
            && self.applied.is_empty()
            && self.fulfillment.is_none()
            && self.taxes.is_empty()
    }

    /// What all discounts take off this.
    pub fn taken_off(&self, target: Target) -> i64 {
        let allotments = self.applied.iter().flat_map(|applied| &applied.allotments);
        allotments.filter(|part| part.target == target).map(|part| part.minor).sum()
    }

    /// The taxes added to this. Those of an order that was placed before taxes were told by what is
    /// taxed are on nothing in particular.
    pub fn tax_on(&self, target: Target) -> i64 {
        let allotments = self.taxes.iter().flat_map(|tax| &tax.allotments);
        allotments.filter(|part| part.target == target).map(|part| part.minor).sum()
    }

    /// What all discounts take off lines.
    pub fn off_lines(&self) -> i64 {
        let allotments = self.applied.iter().flat_map(|applied| &applied.allotments);
        let on_line = |part: &&Allotment| matches!(part.target, Target::Line(_));
        allotments.filter(on_line).map(|part| part.minor).sum()
    }

    /// What shipping costs before discounts; none while nothing was chosen.
    pub fn shipping(&self) -> Option<&DeliveryOption> {
        self.fulfillment.as_ref()?.chosen()
    }
}
