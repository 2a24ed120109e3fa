//! What a session tells, in this protocol's codes.

use serde::Serialize;

use crate::{
    checkout::{Notice, NoticeCode},
    http::notices,
};

/// A message.
#[derive(Debug, Serialize)]
pub struct MessageWire<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    content_type: &'static str,
    content: &'a str,
}

/// What kind of message a notice is, with the code where its kind has one.
enum Word {
    Error(&'static str),
    Warning(&'static str),
    Info,
}

impl<'a> MessageWire<'a> {
    /// A notice as a message.
    pub fn of(notice: &'a Notice) -> Self {
        let (word, place) = row(notice.code);
        let (kind, code) = match word {
            Word::Error(code) => ("error", Some(code)),
            Word::Warning(code) => ("warning", Some(code)),
            Word::Info => ("info", None),
        };
        let line = notice.line.map(|line| format!("$.line_items[{line}]"));
        let discount = || notice.discount.map(|at| format!("$.discounts.codes[{at}]"));
        Self {
            r#type: kind,
            code,
            resolution: match notice.code {
                NoticeCode::PaymentChallenged => Some("requires_buyer_input"),
                _ if kind == "error" => Some("recoverable"),
                _ => None,
            },
            param: line.or_else(discount).or_else(|| place.map(str::to_owned)),
            content_type: "plain",
            content: &notice.text,
        }
    }

    /// Something the agent should know.
    pub const fn info(content: &'a str) -> Self {
        let content_type = "plain";
        Self { r#type: "info", code: None, resolution: None, param: None, content_type, content }
    }
}

/// The row of a notice: its word, and the field it is about when it is about no line.
const fn row(code: NoticeCode) -> (Word, Option<&'static str>) {
    const PAYMENT: Option<&str> = Some("$.payment_data");
    match code {
        NoticeCode::OutOfStock => (Word::Error("out_of_stock"), None),
        NoticeCode::QuantityAdjusted | NoticeCode::OrderLimit | NoticeCode::HoldLapsed => {
            (Word::Warning("limited_availability"), None)
        }
        NoticeCode::ItemUnavailable => (Word::Error("not_found"), None),
        NoticeCode::CurrencyMismatch => (Word::Error("unsupported"), None),
        NoticeCode::LinesMissing => (Word::Error("missing"), Some("$.line_items")),
        NoticeCode::EmailMissing => (Word::Error("missing"), Some("$.buyer.email")),
        NoticeCode::PaymentDeclined | NoticeCode::PaymentUnavailable => {
            (Word::Error("payment_declined"), PAYMENT)
        }
        NoticeCode::PaymentChallenged => {
            (Word::Error("requires_3ds"), Some("$.authentication_result"))
        }
        NoticeCode::PaymentPending => (Word::Info, PAYMENT),
        NoticeCode::PaymentMissing => (Word::Error("missing"), PAYMENT),
        NoticeCode::TotalChanged => (Word::Error("conflict"), Some("$.totals")),
        NoticeCode::DiscountLost => (Word::Error("conflict"), Some("$.discounts.codes")),
        NoticeCode::DiscountExpired
        | NoticeCode::DiscountInvalid
        | NoticeCode::DiscountRepeated
        | NoticeCode::DiscountNotCombined
        | NoticeCode::DiscountNeedsBuyer
        | NoticeCode::DiscountIneligible => (Word::Warning(notices::row(code).code), None),
        NoticeCode::DeliveryOpen => {
            (Word::Error("missing"), Some("$.selected_fulfillment_options"))
        }
        NoticeCode::Undeliverable => {
            (Word::Error("region_restricted"), Some("$.fulfillment_details.address"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blocks_is_an_error_and_says_who_resolves_it() {
        for code in NoticeCode::ALL {
            let notice = Notice::of(code, String::new());
            let message = MessageWire::of(&notice);
            assert!(!code.blocks() || message.r#type == "error", "{code:?}");
            assert_eq!(message.r#type == "error", message.resolution.is_some(), "{code:?}");
        }
    }
}
