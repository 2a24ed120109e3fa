//! The values metrics are split by: closed enums, so that no id or free text becomes a series.

/// A label with a fixed set of values.
pub(super) trait Label: Copy + 'static {
    /// The label's name.
    const NAME: &'static str;
    /// Every value, in order of [`index`](Self::index).
    const ALL: &'static [Self];
    /// The value as exported.
    fn text(self) -> &'static str;
    /// Its place in [`ALL`](Self::ALL).
    fn index(self) -> usize;
}

macro_rules! label {
    ($(#[$doc:meta])* $type:ident as $label:literal {
        $($(#[$value_doc:meta])* $value:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$value_doc])* $value,)+
        }

        impl Label for $type {
            const NAME: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$value),+];

            fn text(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)+
                }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

label! {
    /// A step of a checkout.
    Step as "step" {
        /// Prices and availability looked up.
        Quote = "quote",
        /// Holds and session committed (T0).
        Hold = "hold",
        /// The payment judged.
        Assess = "assess",
        /// Payment attempt committed, holds pinned (T1).
        Attempt = "attempt",
        /// The gateway asked for an authorization.
        Authorize = "authorize",
        /// Order committed (T2).
        Place = "place",
        /// The gateway asked to capture.
        Capture = "capture",
        /// A capture, void or refund recorded (T3).
        Record = "record",
        /// The gateway asked to void.
        Void = "void",
    }
}
label! {
    /// What a payment was judged to be.
    JudgedAs as "outcome" {
        /// To be trusted.
        Approve = "approve",
        /// To be proven.
        Challenge = "challenge",
        /// To be looked at.
        Review = "review",
        /// Not to be trusted.
        Decline = "decline",
    }
}
label! {
    /// How far a figure has drifted, as risk teams draw the line.
    DriftBar as "bar" {
        /// Worth a look.
        Watch = "0.1",
        /// Another population.
        Act = "0.25",
    }
}
label! {
    /// How a watched model's outcome stands to the live one's.
    Verdict as "verdict" {
        /// The same.
        Agree = "agree",
        /// More careful.
        Stricter = "stricter",
        /// Less so.
        Milder = "milder",
    }
}
label! {
    /// What was missing when a payment was judged.
    Missing as "missing" {
        /// The counts of the past.
        Velocity = "velocity",
        /// The score.
        Model = "model",
        /// Time.
        Deadline = "deadline",
    }
}
label! {
    /// How a step ended.
    StepOutcome as "outcome" {
        /// As wished.
        Done = "done",
        /// An expected no.
        Refused = "refused",
        /// Nobody knows yet.
        Unknown = "unknown",
        /// Something broke.
        Fault = "fault",
    }
}
label! {
    /// What became of a hold.
    HoldResult as "result" {
        /// Taken from a grant in memory.
        Granted = "granted",
        /// Taken from the stock row.
        Direct = "direct",
        /// Fewer left than asked.
        NotEnough = "not_enough",
        /// None left.
        SoldOut = "sold_out",
        /// Given back by the buyer.
        Released = "released",
        /// Given back by time.
        Expired = "expired",
        /// Became an order.
        Sold = "sold",
    }
}
label! {
    /// Why a caller was refused.
    Refusal as "reason" {
        /// Fewer left than asked.
        NotEnough = "not_enough",
        /// None left.
        SoldOut = "sold_out",
        /// The item is not sold here.
        ItemUnavailable = "item_unavailable",
        /// The gateway declined.
        PaymentDeclined = "payment_declined",
        /// The payment's outcome is not known yet.
        PaymentUnknown = "payment_unknown",
        /// The buyer agreed to another total.
        TotalChanged = "total_changed",
        /// The request does not parse or breaks a limit.
        Invalid = "invalid",
        /// A card number where none may be.
        CardNumber = "card_number",
        /// No such checkout or order.
        NotFound = "not_found",
        /// The checkout has ended.
        Ended = "ended",
        /// A payment is under way.
        Completing = "completing",
        /// `If-Match` named another version.
        VersionMismatch = "version_mismatch",
        /// The idempotency key stands for another request.
        KeyConflict = "key_conflict",
        /// The request with this key is under way.
        KeyInFlight = "key_in_flight",
        /// The caller may not do this.
        Access = "access",
        /// Too much at once.
        Overloaded = "overloaded",
        /// The ledger cannot be reached.
        LedgerUnreachable = "ledger_unreachable",
    }
}
label! {
    /// The class of an HTTP status.
    StatusClass as "status_class" {
        /// 1xx.
        Informational = "1xx",
        /// 2xx.
        Success = "2xx",
        /// 3xx.
        Redirection = "3xx",
        /// 4xx.
        ClientError = "4xx",
        /// 5xx.
        ServerError = "5xx",
    }
}
label! {
    /// An HTTP method.
    Method as "method" {
        /// GET and HEAD.
        Get = "GET",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
        /// Any other.
        Other = "other",
    }
}
label! {
    /// A kind of actor.
    ActorKind as "kind" {
        /// One live cart.
        Cart = "cart",
        /// One live SKU.
        Sku = "sku",
        /// Judges the payments of one thread.
        Fraud = "fraud",
    }
}
label! {
    /// What a batch was judged on.
    JudgedOn as "on" {
        /// Rows as this process last wrote them, checked by the commit.
        Known = "known",
        /// The same, and a row had moved: judged again under lock.
        Refuted = "refuted",
        /// Rows read under lock.
        Locked = "locked",
    }
}
label! {
    /// What a pooled connection is doing.
    PoolState as "state" {
        /// At work.
        Busy = "busy",
        /// Waiting for work.
        Idle = "idle",
    }
}
label! {
    /// Why a connection was closed from here.
    ConnectionEnd as "reason" {
        /// Its address has as many as it may have.
        TooMany = "too_many",
        /// Nobody read the answer.
        SlowReader = "slow_reader",
    }
}
label! {
    /// What the sweeper removes or ends.
    Swept as "what" {
        /// Holds whose time is over.
        Holds = "holds",
        /// Sessions whose time is over.
        ExpiredSessions = "expired_sessions",
        /// Ended sessions kept long enough.
        Sessions = "sessions",
        /// Idempotency keys kept long enough.
        Keys = "keys",
        /// Sent events kept long enough.
        Events = "events",
        /// People whose raw signals were kept long enough.
        RawSignals = "raw_signals",
        /// Authorizations that nobody captured, told that they expire.
        ExpiringAuthorizations = "expiring_authorizations",
        /// Authorizations that nobody captured, let go when they lapsed.
        LapsedAuthorizations = "lapsed_authorizations",
    }
}
label! {
    /// How the reconciler settled an unknown outcome.
    Settlement as "result" {
        /// The gateway had authorized; the order stands.
        Sold = "sold",
        /// The gateway had declined.
        Declined = "declined",
        /// The gateway never heard of it.
        Unheard = "unheard",
        /// An authorization nobody waits for was voided.
        Voided = "voided",
        /// The gateway did not answer; asked again later.
        Unanswered = "unanswered",
    }
}

impl StatusClass {
    /// The class of a status.
    pub const fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

impl Method {
    /// The method of this name.
    pub fn of(name: &str) -> Self {
        match name {
            "GET" | "HEAD" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }
}

label! {
    /// What an attempt to deliver a webhook came to.
    Delivered as "outcome" {
        /// The endpoint has it.
        Confirmed = "confirmed",
        /// It is tried again.
        Failed = "failed",
        /// The endpoint wants no more.
        Gone = "gone",
        /// It was the last attempt.
        Parked = "parked",
    }
}

label! {
    /// What came of a call to a gateway.
    GatewayCall as "outcome" {
        /// It was answered, whatever the answer was.
        Answered = "answered",
        /// No answer, or one that says that the gateway is broken or overloaded.
        Failed = "failed",
        /// It was not sent: the gateway had failed too often.
        Spared = "spared",
    }
}
