//! What differs about one payment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{
    base::{Currency, Money, OrderId},
    ledger::row::{AttemptRow, AttemptState, OperationState, OrderRow},
    payment::Listed,
};

/// What differs. Amounts are minor units of the payment's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Finding {
    /// The gateway has a payment under a name of ours that the ledger never asked for.
    Unrecorded,
    /// It was asked for another amount than the gateway has.
    OtherAmount {
        /// What the ledger asked for.
        ledger_minor: i64,
    },
    /// It came to nothing here, and money is reserved or taken there.
    Orphan {
        /// Reserved.
        capturable_minor: i64,
        /// Taken, and not given back.
        captured_minor: i64,
    },
    /// An order stands on it, and the gateway does not list it.
    Missing,
    /// More or less is taken there than here.
    Captured {
        /// Here.
        ledger_minor: i64,
        /// There.
        gateway_minor: i64,
    },
    /// More or less is given back there than here.
    Refunded {
        /// Here.
        ledger_minor: i64,
        /// There.
        gateway_minor: i64,
    },
    /// Less can be captured there than the order still wants: it was let go, or has lapsed.
    Lapsed {
        /// What the order wants.
        ledger_minor: i64,
        /// What can be captured.
        gateway_minor: i64,
    },
    /// It was let go here, and is still reserved there.
    StillReserved {
        /// What is reserved.
        gateway_minor: i64,
    },
    /// Nobody here knows its outcome, long after anybody waited for it.
    Unsettled,
}

impl Finding {
    /// The word in the database and in filters.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unrecorded => "unrecorded",
            Self::OtherAmount { .. } => "other_amount",
            Self::Orphan { .. } => "orphan",
            Self::Missing => "missing",
            Self::Captured { .. } => "captured",
            Self::Refunded { .. } => "refunded",
            Self::Lapsed { .. } => "lapsed",
            Self::StillReserved { .. } => "still_reserved",
            Self::Unsettled => "unsettled",
        }
    }
}

/// Something that differs about one payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Break {
    /// The gateway, as it is configured.
    pub gateway: String,
    /// Our name of the payment, where it has one; else the gateway's.
    pub payment: String,
    /// The gateway's name of it, where it lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_payment: Option<String>,
    /// The order it was to pay for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// What was asked for, in minor units.
    pub amount_minor: i64,
    /// In which currency (ISO 4217).
    pub currency: Currency,
    /// What differs.
    #[serde(flatten)]
    pub finding: Finding,
}

/// One line for people: what is so, and what to do.
impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let money = |minor: i64| Money::from_minor(minor, self.currency);
        let Self { gateway, payment, gateway_payment, .. } = self;
        write!(f, "{gateway}: {payment}")?;
        if let Some(known) = gateway_payment.as_ref().filter(|known| *known != payment) {
            write!(f, " ({known})")?;
        }
        if let Some(order) = self.order {
            write!(f, " of {order}")?;
        }
        f.write_str(": ")?;
        match &self.finding {
            Finding::Unrecorded => write!(
                f,
                "{} under a name of ours that this ledger never asked for; is another ledger \
                 connected to the account, or was this one restored?",
                money(self.amount_minor)
            ),
            Finding::OtherAmount { ledger_minor } => write!(
                f,
                "the ledger asked for {}, the gateway has {}",
                money(*ledger_minor),
                money(self.amount_minor)
            ),
            Finding::Orphan { capturable_minor, captured_minor } => write!(
                f,
                "came to no order; {} reserved and {} taken there: void or refund it there",
                money(*capturable_minor),
                money(*captured_minor)
            ),
            Finding::Missing => write!(
                f,
                "an order of {} stands on it, and the gateway does not list it: do not ship before \
                 you have looked there",
                money(self.amount_minor)
            ),
            Finding::Captured { ledger_minor, gateway_minor } => write!(
                f,
                "captured {} here and {} there",
                money(*ledger_minor),
                money(*gateway_minor)
            ),
            Finding::Refunded { ledger_minor, gateway_minor } => write!(
                f,
                "refunded {} here and {} there",
                money(*ledger_minor),
                money(*gateway_minor)
            ),
            Finding::Lapsed { ledger_minor, gateway_minor } => write!(
                f,
                "the order wants {} more and {} can be captured: it was let go or has lapsed there",
                money(*ledger_minor),
                money(*gateway_minor)
            ),
            Finding::StillReserved { gateway_minor } => write!(
                f,
                "let go here, and {} is still reserved there: void it there",
                money(*gateway_minor)
            ),
            Finding::Unsettled => f.write_str("nobody knows its outcome yet"),
        }
    }
}

/// What differs between a payment as the gateway lists it and the attempt that asked for it, with
/// the order that stands on it. What is owed and not done yet is no difference.
pub(super) fn differences(
    listed: &Listed,
    attempt: &AttemptRow,
    order: Option<&OrderRow>,
) -> Vec<Finding> {
    let asked = Money::from_minor(attempt.amount_minor, attempt.currency);
    if asked != listed.amount {
        return vec![Finding::OtherAmount { ledger_minor: attempt.amount_minor }];
    }
    let Listed { capturable_minor, captured_minor, refunded_minor, .. } = *listed;
    let order = order.filter(|order| order.attempt == attempt.id);
    let Some(order) = order else {
        let is_over = !matches!(attempt.state, AttemptState::Pending);
        let kept = captured_minor - refunded_minor;
        return match (is_over, capturable_minor > 0 || kept > 0) {
            (true, true) => vec![Finding::Orphan { capturable_minor, captured_minor: kept }],
            (false, _) => vec![Finding::Unsettled],
            (true, false) => Vec::new(),
        };
    };
    if order.operations.iter().any(|row| row.state == OperationState::Due) {
        return Vec::new();
    }
    let funds = order.funds();
    let mut found = Vec::new();
    if funds.captured != captured_minor {
        let (ledger_minor, gateway_minor) = (funds.captured, captured_minor);
        found.push(Finding::Captured { ledger_minor, gateway_minor });
    }
    if funds.refunding != refunded_minor {
        let (ledger_minor, gateway_minor) = (funds.refunding, refunded_minor);
        found.push(Finding::Refunded { ledger_minor, gateway_minor });
    }
    if funds.capturable() > capturable_minor {
        let (ledger_minor, gateway_minor) = (funds.capturable(), capturable_minor);
        found.push(Finding::Lapsed { ledger_minor, gateway_minor });
    }
    if funds.voided && capturable_minor > 0 {
        found.push(Finding::StillReserved { gateway_minor: capturable_minor });
    }
    found
}
