//! The discount extension: codes that were said, discounts that count, codes that do not.

use serde::Serialize;

use crate::{
    checkout::{Notice, Session},
    http::notices,
    pricing::{Allotment, Applied, Target},
};

/// `discounts` of a session.
#[derive(Debug, Serialize)]
pub struct DiscountsWire<'a> {
    codes: &'a [String],
    applied: Vec<AppliedWire<'a>>,
    rejected: Vec<RejectedWire<'a>>,
}

#[derive(Debug, Serialize)]
struct AppliedWire<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    coupon: CouponWire<'a>,
    amount: i64,
    automatic: bool,
    method: &'static str,
    priority: u32,
    allocations: Vec<AllocationWire>,
}

#[derive(Debug, Serialize)]
struct CouponWire<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct AllocationWire {
    path: String,
    amount: i64,
}

#[derive(Debug, Serialize)]
struct RejectedWire<'a> {
    code: &'a str,
    reason: &'static str,
    message: &'a str,
}

impl<'a> DiscountsWire<'a> {
    /// What a session says of discounts, if anything.
    pub fn of(session: &'a Session) -> Option<Self> {
        let priced = session.priced.as_deref()?;
        if priced.codes.is_empty() && priced.applied.is_empty() {
            return None;
        }
        let rejected = |notice: &'a Notice| {
            let code = priced.codes.get(notice.discount?)?;
            Some(RejectedWire {
                code,
                reason: notices::row(notice.code).code,
                message: &notice.text,
            })
        };
        Some(Self {
            codes: &priced.codes,
            applied: priced.applied.iter().map(applied).collect(),
            rejected: session.notices.iter().filter_map(rejected).collect(),
        })
    }
}

fn applied(applied: &Applied) -> AppliedWire<'_> {
    let allocation = |part: &Allotment| AllocationWire {
        path: match part.target {
            Target::Line(at) => format!("$.line_items[{at}]"),
            Target::Shipping => "$.totals.shipping".to_owned(),
        },
        amount: part.minor,
    };
    AppliedWire {
        id: &applied.id,
        code: applied.code.as_deref(),
        coupon: CouponWire { id: &applied.id, name: &applied.title },
        amount: applied.minor,
        automatic: applied.code.is_none(),
        method: if applied.each { "each" } else { "across" },
        priority: applied.priority,
        allocations: applied.allotments.iter().map(allocation).collect(),
    }
}
