//! Discounts, as both versions of the Universal Commerce Protocol show them.

use serde::Serialize;

use crate::pricing::{Allotment, Applied, Priced, Target};

/// The codes that were sent, and the discounts that count.
#[derive(Debug, Serialize)]
pub struct DiscountsWire<'a> {
    codes: &'a [String],
    applied: Vec<AppliedWire<'a>>,
}

#[derive(Debug, Serialize)]
struct AppliedWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    title: &'a str,
    amount: i64,
    automatic: bool,
    method: &'static str,
    priority: u32,
    allocations: Vec<AllocationWire>,
}

#[derive(Debug, Serialize)]
struct AllocationWire {
    path: String,
    amount: i64,
}

impl<'a> DiscountsWire<'a> {
    /// What a session says of discounts, if anything.
    pub fn of(priced: Option<&'a Priced>) -> Option<Self> {
        let priced = priced?;
        let silent = priced.codes.is_empty() && priced.applied.is_empty();
        let applied = || priced.applied.iter().map(applied_wire).collect();
        (!silent).then(|| Self { codes: &priced.codes, applied: applied() })
    }
}

fn applied_wire(applied: &Applied) -> AppliedWire<'_> {
    let allocation = |part: &Allotment| AllocationWire {
        path: match part.target {
            Target::Line(at) => format!("$.line_items[{at}]"),
            Target::Shipping => "$.totals.fulfillment".to_owned(),
        },
        amount: part.minor,
    };
    AppliedWire {
        code: applied.code.as_deref(),
        title: &applied.title,
        amount: applied.minor,
        automatic: applied.code.is_none(),
        method: if applied.each { "each" } else { "across" },
        priority: applied.priority,
        allocations: applied.allotments.iter().map(allocation).collect(),
    }
}
