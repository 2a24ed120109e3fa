//! The one table of refusals and faults: what each is called, its status, and its words in UCP.

use std::time::Duration;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The last part of the problem's `type`, and its `code`.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What it is, in words.
    pub title: &'static str,
    /// The code of a UCP message.
    pub ucp_code: &'static str,
    /// The severity of a UCP message.
    pub ucp_severity: &'static str,
    /// When to come back, where that helps.
    pub retry_after: Option<Duration>,
}

/// The caller can mend the request and send it again.
const MEND: &str = "recoverable";
/// Nothing can be done with this resource.
const END: &str = "unrecoverable";
/// The buyer has to do something.
const BUYER: &str = "requires_buyer_input";

/// Declares the kinds and their rows at once, so that none can be without the other.
macro_rules! kinds {
    ($(#[doc = $doc:literal] $kind:ident: $status:literal $code:literal, $title:literal,
        ucp $ucp_code:literal $severity:ident $(, retry $millis:literal)?;)*) => {
        /// What can be wrong with a request, or with us.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $doc] $kind,)* }

        impl Kind {
            /// Every kind, for the page that explains them and for tests.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its row.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$kind => Row {
                        code: $code,
                        status: $status,
                        title: $title,
                        ucp_code: $ucp_code,
                        ucp_severity: $severity,
                        retry_after: retry!($($millis)?),
                    },)*
                }
            }
        }
    };
}

macro_rules! retry {
    () => {
        None
    };
    ($millis:literal) => {
        Some(Duration::from_millis($millis))
    };
}

kinds! {
    /// The request cannot be read.
    MalformedRequest: 400 "malformed_request", "The request cannot be read",
        ucp "invalid" MEND;
    /// An idempotency key is required.
    KeyRequired: 400 "idempotency_key_required", "An idempotency key is required",
        ucp "missing" MEND;
    /// The idempotency key is malformed.
    KeyInvalid: 400 "idempotency_key_invalid", "The idempotency key is malformed",
        ucp "invalid" MEND;
    /// Who is asking?.
    Unauthorized: 401 "unauthorized", "Who is asking?",
        ucp "unauthorized" END;
    /// The body is not what its digest says.
    DigestMismatch: 400 "digest_mismatch", "The body is not what its digest says",
        ucp "digest_mismatch" MEND;
    /// The signature's algorithm is not spoken here.
    AlgorithmUnsupported: 400 "algorithm_unsupported",
        "The signature's algorithm is not spoken here",
        ucp "algorithm_unsupported" END;
    /// The request must be signed.
    SignatureMissing: 401 "signature_missing", "The request must be signed",
        ucp "signature_missing" MEND;
    /// The signature is not believed.
    SignatureInvalid: 401 "signature_invalid", "The signature is not believed",
        ucp "signature_invalid" MEND;
    /// The signature's key is not in the profile.
    KeyNotFound: 401 "key_not_found", "The signature's key is not in the profile",
        ucp "key_not_found" MEND;
    /// The payment was declined.
    PaymentDeclined: 402 "payment_declined", "The payment was declined",
        ucp "payment_failed" MEND;
    /// The buyer must confirm the payment.
    PaymentChallenged: 402 "payment_challenged", "The buyer must confirm the payment",
        ucp "payment_failed" BUYER;
    /// This key may not do that.
    Forbidden: 403 "forbidden", "This key may not do that",
        ucp "forbidden" END;
    /// There is nothing here.
    NotFound: 404 "not_found", "There is nothing here",
        ucp "not_found" END;
    /// This method is not for this resource.
    MethodNotAllowed: 405 "method_not_allowed", "This method is not for this resource",
        ucp "invalid" END;
    /// The checkout can no longer be canceled.
    NotCancelable: 405 "not_cancelable", "The checkout can no longer be canceled",
        ucp "checkout_ended" END;
    /// The body took too long to arrive.
    BodyTimeout: 408 "body_timeout", "The body took too long to arrive",
        ucp "timeout" MEND;
    /// It was opened over another protocol.
    OtherProtocol: 409 "other_protocol", "It was opened over another protocol",
        ucp "other_protocol" END;
    /// The checkout can no longer change.
    CheckoutEnded: 409 "checkout_ended", "The checkout can no longer change",
        ucp "checkout_ended" END;
    /// A payment is under way.
    CheckoutCompleting: 409 "checkout_completing", "A payment is under way",
        ucp "checkout_completing" MEND, retry 1000;
    /// The request with this key is still worked on.
    KeyInFlight: 409 "idempotency_in_flight", "The request with this key is still worked on",
        ucp "idempotency_in_flight" MEND, retry 1000;
    /// The idempotency key was used for another request.
    KeyConflictUcp: 409 "idempotency_conflict", "The idempotency key was used for another request",
        ucp "idempotency_conflict" END;
    /// The idempotency key was used for another request.
    KeyConflict: 422 "idempotency_conflict", "The idempotency key was used for another request",
        ucp "idempotency_conflict" END;
    /// There are not enough units.
    OutOfStock: 409 "out_of_stock", "There are not enough units",
        ucp "out_of_stock" MEND;
    /// The total is not the expected one.
    TotalChanged: 409 "total_changed", "The total is not the expected one",
        ucp "total_changed" MEND;
    /// The units are promised to buyers.
    StockPromised: 409 "stock_promised", "The units are promised to buyers",
        ucp "stock_promised" END;
    /// The order line has too few units for this.
    LineShort: 409 "line_short", "The order line has too few units for this",
        ucp "line_short" END;
    /// Somebody has decided this case.
    CaseEnded: 409 "case_ended", "Somebody has decided this case",
        ucp "case_ended" END;
    /// The order waits for a review.
    InReview: 409 "order_in_review", "The order waits for a review",
        ucp "order_in_review" MEND;
    /// The order's money was not taken.
    NotCaptured: 409 "not_captured", "The order's money was not taken",
        ucp "not_captured" END;
    /// More would be given back than was taken.
    RefundTooLarge: 409 "refund_too_large", "More would be given back than was taken",
        ucp "refund_too_large" END;
    /// Everything has left; there is nothing to cancel.
    AlreadyShipped: 409 "already_shipped", "Everything has left; there is nothing to cancel",
        ucp "already_shipped" END;
    /// The goods are not paid.
    Unpaid: 409 "unpaid", "The goods are not paid",
        ucp "unpaid" MEND;
    /// Nothing of the authorization is left.
    NothingAuthorized: 409 "nothing_authorized", "Nothing of the authorization is left",
        ucp "nothing_authorized" END;
    /// More would be captured than was authorized.
    CaptureTooLarge: 409 "capture_too_large", "More would be captured than was authorized",
        ucp "capture_too_large" END;
    /// The case is another reviewer's.
    CaseClaimed: 409 "case_claimed", "The case is another reviewer's",
        ucp "case_claimed" MEND;
    /// A rule looks values up in the list.
    ListInUse: 409 "list_in_use", "A rule looks values up in this list",
        ucp "list_in_use" MEND;
    /// Nobody could make keys any more.
    LastAdminKey: 409 "last_admin_key", "It is the last key that can make keys",
        ucp "last_admin_key" END;
    /// The ledger refuses the fact.
    CannotRecord: 409 "cannot_record", "The ledger refuses the fact",
        ucp "cannot_record" END;
    /// More was asked for at once than is answered.
    BatchTooLarge: 400 "request_too_large", "More was asked for at once than is answered",
        ucp "request_too_large" MEND;
    /// The resource has changed.
    VersionMismatch: 412 "version_mismatch", "The resource has changed",
        ucp "version_mismatch" MEND;
    /// The body is too large.
    BodyTooLarge: 413 "body_too_large", "The body is too large",
        ucp "limit_exceeded" MEND;
    /// The body's encoding is not read here.
    EncodingUnsupported: 415 "encoding_unsupported", "The body's encoding is not read here",
        ucp "invalid" MEND;
    /// The platform's profile does not read.
    ProfileMalformed: 422 "profile_malformed", "The platform's profile does not read",
        ucp "profile_malformed" END;
    /// A field is missing or wrong.
    Invalid: 422 "invalid_request", "A field is missing or wrong",
        ucp "invalid" MEND;
    /// A limit was passed.
    LimitExceeded: 422 "limit_exceeded", "A limit was passed",
        ucp "limit_exceeded" MEND;
    /// This name is not served here.
    HostNotServed: 421 "host_not_served", "This name is not served here",
        ucp "invalid" END;
    /// The platform's profile cannot be fetched.
    ProfileUnreachable: 424 "profile_unreachable", "The platform's profile cannot be fetched",
        ucp "profile_unreachable" MEND;
    /// Card numbers are not accepted here.
    CardNumber: 422 "card_number_refused", "Card numbers are not accepted here",
        ucp "invalid" MEND;
    /// This protocol version is not spoken here.
    VersionUnsupported: 422 "version_unsupported", "This protocol version is not spoken here",
        ucp "version_unsupported" END;
    /// An item is not for sale.
    ItemUnavailable: 422 "item_unavailable", "An item is not for sale",
        ucp "item_unavailable" MEND;
    /// An item is priced in another currency.
    CurrencyMismatch: 422 "currency_mismatch", "An item is priced in another currency",
        ucp "item_unavailable" MEND;
    /// A discount does not count.
    DiscountRefused: 422 "discount_refused", "A discount does not count",
        ucp "invalid" MEND;
    /// How the goods come is not chosen.
    DeliveryOpen: 422 "delivery_open", "How the goods come is not chosen",
        ucp "missing" MEND;
    /// The goods are not sent there.
    Undeliverable: 422 "address_undeliverable", "The goods are not sent there",
        ucp "address_undeliverable" MEND;
    /// The total is too large.
    TotalTooLarge: 422 "total_too_large", "The total is too large",
        ucp "limit_exceeded" MEND;
    /// Something broke on our side.
    Internal: 500 "internal_error", "Something broke on our side",
        ucp "internal_error" END;
    /// Too many requests at once.
    Overloaded: 503 "overloaded", "Too many requests at once",
        ucp "unavailable" MEND, retry 1000;
    /// Too many requests for this checkout.
    Busy: 503 "checkout_busy", "Too many requests for this checkout",
        ucp "unavailable" MEND, retry 1000;
    /// This replica is shutting down.
    Draining: 503 "draining", "This replica is shutting down",
        ucp "unavailable" MEND, retry 1000;
    /// The answer took too long.
    DeadlinePassed: 503 "deadline_passed", "The answer took too long",
        ucp "unavailable" MEND, retry 2000;
    /// The ledger cannot be reached.
    LedgerUnreachable: 503 "ledger_unreachable", "The ledger cannot be reached",
        ucp "unavailable" MEND, retry 2000;
    /// The payment gateway cannot be reached.
    PaymentUnavailable: 402 "payment_unavailable", "The payment gateway cannot be reached",
        ucp "payment_failed" MEND;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_is_listed_once_and_has_a_whole_row() {
        assert_eq!(Kind::ALL.iter().collect::<HashSet<_>>().len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let row = kind.row();
            assert!((400..600).contains(&row.status), "{kind:?}");
            let texts = [row.code, row.title, row.ucp_code];
            assert!(texts.iter().all(|text| !text.is_empty()), "{kind:?}");
            assert!([MEND, END, BUYER].contains(&row.ucp_severity), "{kind:?}");
        }
    }

    #[test]
    fn one_code_means_one_thing_whatever_the_protocol() {
        for (index, left) in Kind::ALL.iter().enumerate() {
            for right in &Kind::ALL[index + 1..] {
                let same = left.row().code == right.row().code;
                assert!(!same || left.row().title == right.row().title, "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn what_may_pass_by_itself_says_when_to_come_back() {
        for kind in Kind::ALL {
            assert!(kind.row().status != 503 || kind.row().retry_after.is_some(), "{kind:?}");
        }
    }
}
