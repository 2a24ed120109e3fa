//! What stands in the way of a checkout, or what its buyer should know.

use serde::{Deserialize, Serialize};

/// Why a session cannot be completed as it stands, or what the buyer should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Which.
    pub code: NoticeCode,
    /// The index of the line in the **request** it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The index of the discount code in the request that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<usize>,
    /// A sentence for people.
    pub text: String,
}

/// The notices there are. `http` maps each to a protocol's code and severity, in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// No unit left.
    OutOfStock,
    /// Fewer units than wanted; the line was cut to what there is.
    QuantityAdjusted,
    /// More units than one order may have; the line was cut to that.
    OrderLimit,
    /// No such product, or not for sale.
    ItemUnavailable,
    /// The product is priced in another currency than the session.
    CurrencyMismatch,
    /// No lines.
    LinesMissing,
    /// No e-mail address.
    EmailMissing,
    /// The hold lapsed; units are taken again on completion if there are any.
    HoldLapsed,
    /// The gateway declined.
    PaymentDeclined,
    /// The buyer must prove who they are at the address in `Session::challenge_url`.
    PaymentChallenged,
    /// The gateway has not answered yet; the order may still be placed.
    PaymentPending,
    /// The gateway could not be reached; nothing was charged.
    PaymentUnavailable,
    /// The total is not what the buyer expected; nothing was charged.
    TotalChanged,
    /// No usable payment instrument.
    PaymentMissing,
    /// The discount has not begun, has ended, or is used up.
    DiscountExpired,
    /// No such discount, or nothing here that it counts for.
    DiscountInvalid,
    /// The same code twice.
    DiscountRepeated,
    /// The discount does not count together with another one.
    DiscountNotCombined,
    /// The discount counts once for each buyer, and nobody knows who buys.
    DiscountNeedsBuyer,
    /// This buyer has used the discount.
    DiscountIneligible,
    /// The discount was used up by others while the checkout lay still: it has to be quoted anew.
    DiscountLost,
    /// How the goods come, or where to, is not chosen.
    DeliveryOpen,
    /// The goods are not sent there.
    Undeliverable,
}

impl Notice {
    /// A notice about the session as a whole.
    pub const fn of(code: NoticeCode, text: String) -> Self {
        Self { code, line: None, discount: None, text }
    }
}

impl NoticeCode {
    /// Every code, for tables that must be complete.
    pub const ALL: [Self; 23] = [
        Self::OutOfStock,
        Self::QuantityAdjusted,
        Self::OrderLimit,
        Self::ItemUnavailable,
        Self::CurrencyMismatch,
        Self::LinesMissing,
        Self::EmailMissing,
        Self::HoldLapsed,
        Self::PaymentDeclined,
        Self::PaymentChallenged,
        Self::PaymentPending,
        Self::PaymentUnavailable,
        Self::TotalChanged,
        Self::PaymentMissing,
        Self::DiscountExpired,
        Self::DiscountInvalid,
        Self::DiscountRepeated,
        Self::DiscountNotCombined,
        Self::DiscountNeedsBuyer,
        Self::DiscountIneligible,
        Self::DiscountLost,
        Self::DeliveryOpen,
        Self::Undeliverable,
    ];

    /// Whether a session with this notice cannot be completed as it stands.
    pub const fn blocks(self) -> bool {
        match self {
            Self::OutOfStock
            | Self::ItemUnavailable
            | Self::CurrencyMismatch
            | Self::LinesMissing
            | Self::EmailMissing
            | Self::PaymentChallenged
            | Self::DiscountLost
            | Self::DeliveryOpen
            | Self::Undeliverable => true,
            Self::QuantityAdjusted
            | Self::OrderLimit
            | Self::HoldLapsed
            | Self::PaymentDeclined
            | Self::PaymentPending
            | Self::PaymentUnavailable
            | Self::TotalChanged
            | Self::PaymentMissing
            | Self::DiscountExpired
            | Self::DiscountInvalid
            | Self::DiscountRepeated
            | Self::DiscountNotCombined
            | Self::DiscountNeedsBuyer
            | Self::DiscountIneligible => false,
        }
    }
}
