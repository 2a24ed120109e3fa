//! The one table of what a session tells: each notice's words in UCP, and the problem it becomes
//! where a request is either carried out or refused.

use serde::Serialize;

use super::kinds::Kind;
use crate::checkout::{Notice, NoticeCode};

/// What a notice does to the status of an open session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The session can be completed all the same.
    Informs,
    /// The session is incomplete until it is resolved.
    Blocks,
    /// The buyer has to act somewhere else.
    Escalates,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// `error`, `warning` or `info`.
    pub kind: &'static str,
    /// UCP's code, or ours where it has none.
    pub code: &'static str,
    /// Who can resolve it; errors only.
    pub severity: Option<&'static str>,
    /// The field it is about when it is about no line.
    pub path: Option<&'static str>,
    /// What it does to the status.
    pub weight: Weight,
    /// What it is where there is no session to show.
    pub problem: Kind,
}

const fn error(
    code: &'static str,
    path: Option<&'static str>,
    weight: Weight,
    problem: Kind,
) -> Row {
    Row { kind: "error", code, severity: Some("recoverable"), path, weight, problem }
}

const fn warning(code: &'static str, problem: Kind) -> Row {
    let weight = Weight::Informs;
    Row { kind: "warning", code, severity: None, path: None, weight, problem }
}

/// The row of a notice.
pub const fn row(code: NoticeCode) -> Row {
    use Weight::{Blocks, Escalates, Informs};
    const PAYMENT: Option<&str> = Some("$.payment.instruments");
    match code {
        NoticeCode::OutOfStock => error("out_of_stock", None, Blocks, Kind::OutOfStock),
        NoticeCode::QuantityAdjusted => warning("quantity_adjusted", Kind::OutOfStock),
        NoticeCode::OrderLimit => warning("quantity_adjusted", Kind::LimitExceeded),
        NoticeCode::ItemUnavailable => {
            error("item_unavailable", None, Blocks, Kind::ItemUnavailable)
        }
        NoticeCode::CurrencyMismatch => {
            error("item_unavailable", None, Blocks, Kind::CurrencyMismatch)
        }
        NoticeCode::LinesMissing => error("missing", Some("$.line_items"), Blocks, Kind::Invalid),
        NoticeCode::EmailMissing => error("missing", Some("$.buyer.email"), Blocks, Kind::Invalid),
        NoticeCode::HoldLapsed => warning("hold_lapsed", Kind::OutOfStock),
        NoticeCode::PaymentDeclined => {
            error("payment_failed", PAYMENT, Informs, Kind::PaymentDeclined)
        }
        NoticeCode::PaymentChallenged => Row {
            severity: Some("requires_buyer_input"),
            ..error("payment_challenged", PAYMENT, Escalates, Kind::PaymentChallenged)
        },
        NoticeCode::PaymentPending => warning("payment_pending", Kind::CheckoutCompleting),
        NoticeCode::PaymentUnavailable => {
            error("payment_unavailable", PAYMENT, Informs, Kind::PaymentUnavailable)
        }
        NoticeCode::TotalChanged => {
            error("total_changed", Some("$.totals"), Informs, Kind::TotalChanged)
        }
        NoticeCode::PaymentMissing => error("missing", PAYMENT, Informs, Kind::Invalid),
        NoticeCode::DiscountExpired => warning("discount_code_expired", Kind::DiscountRefused),
        NoticeCode::DiscountInvalid => warning("discount_code_invalid", Kind::DiscountRefused),
        NoticeCode::DiscountRepeated => {
            warning("discount_code_already_applied", Kind::DiscountRefused)
        }
        NoticeCode::DiscountNotCombined => {
            warning("discount_code_combination_disallowed", Kind::DiscountRefused)
        }
        NoticeCode::DiscountNeedsBuyer => {
            warning("discount_code_user_not_logged_in", Kind::DiscountRefused)
        }
        NoticeCode::DiscountIneligible => {
            warning("discount_code_user_ineligible", Kind::DiscountRefused)
        }
        NoticeCode::DiscountLost => {
            error("total_changed", Some("$.discounts.codes"), Blocks, Kind::TotalChanged)
        }
        NoticeCode::DeliveryOpen => {
            error("missing", Some("$.fulfillment.methods"), Blocks, Kind::DeliveryOpen)
        }
        NoticeCode::Undeliverable => error(
            "address_undeliverable",
            Some("$.fulfillment.methods[0]"),
            Blocks,
            Kind::Undeliverable,
        ),
    }
}

/// A message in UCP.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    r#type: &'static str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    content: &'a str,
}

impl<'a> Message<'a> {
    /// A notice as a message.
    pub fn of(notice: &'a Notice) -> Self {
        let row = row(notice.code);
        let line = notice.line.map(|line| format!("$.line_items[{line}]"));
        let code = || notice.discount.map(|at| format!("$.discounts.codes[{at}]"));
        Self {
            r#type: row.kind,
            code: row.code,
            severity: row.severity,
            path: line.or_else(code).or_else(|| row.path.map(str::to_owned)),
            content: &notice.text,
        }
    }

    /// Something the platform should know.
    pub const fn info(code: &'a str, content: &'a str) -> Self {
        Self { r#type: "info", code, severity: None, path: None, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_has_a_row_that_holds_together() {
        for code in NoticeCode::ALL {
            let row = row(code);
            assert!(["error", "warning", "info"].contains(&row.kind), "{code:?}");
            assert_eq!(row.kind == "error", row.severity.is_some(), "{code:?}");
            assert!(row.weight == Weight::Informs || row.kind == "error", "{code:?}");
            assert!(row.path.is_none_or(|path| path.starts_with("$.")), "{code:?}");
        }
    }

    #[test]
    fn what_blocks_the_checkout_blocks_its_status() {
        for code in NoticeCode::ALL {
            assert_eq!(row(code).weight != Weight::Informs, code.blocks(), "{code:?}");
        }
    }

    #[test]
    fn what_escalates_is_for_the_buyer() {
        for code in NoticeCode::ALL {
            let row = row(code);
            let for_buyer = row.severity.is_some_and(|severity| severity.starts_with("requires_"));
            assert_eq!(row.weight == Weight::Escalates, for_buyer, "{code:?}");
        }
    }
}
