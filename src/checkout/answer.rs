//! What a caller asks for and what it gets: the border between protocols and the checkout.

use super::session::{Instrument, Notice, Session};
use crate::{
    base::{CheckoutId, Currency, Money, Origin, Person, Protocol, Sku, Timestamp},
    ledger::{
        entry::{KeyWrite, StoredAnswer},
        store::LedgerFault,
    },
    payment::Credential,
    pricing::Wish,
};

/// Who asks, and under which name for the attempt.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The caller (an API key's id, or `anonymous`).
    pub caller: String,
    /// The idempotency key.
    pub key: String,
    /// Hash of method, path and canonical body.
    pub fingerprint: String,
    /// The request, as its answer and the log name it. None where nobody sent one.
    pub request: Option<Box<str>>,
    /// How the answer is to be written, and where a checkout that begins here comes from.
    pub origin: Origin,
}

impl Asked {
    /// The key as the ledger keeps it.
    pub fn write(&self, answer: Option<StoredAnswer>, now: Timestamp) -> KeyWrite {
        KeyWrite {
            caller: self.caller.clone(),
            key: self.key.clone(),
            fingerprint: self.fingerprint.clone(),
            dialect: self.origin.protocol.as_str().to_owned(),
            answer,
            now,
        }
    }
}

/// What a buyer wants, before anything is checked against the catalogue.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The currency; the first product's when missing.
    pub currency: Option<Currency>,
    /// Currencies that would suit, the best first, where none is asked for: the first counts in
    /// which anything wanted is sold.
    pub prefers: Vec<Currency>,
    /// The lines, in the request's order.
    pub lines: Vec<DraftLine>,
    /// Who buys.
    pub person: Person,
    /// Discount codes, in the request's order.
    pub codes: Vec<String>,
    /// How the goods are to come, where it was said. A destination is the name of one of the
    /// person's, or of a pickup location.
    pub delivery: Option<Wish>,
    /// The buyer's country, where nothing else tells it.
    pub country: Option<String>,
    /// Whether it is to be a cart, which holds nothing.
    pub is_cart: bool,
    /// What its protocol demands beside.
    pub demands: Demands,
}

/// In which ways a protocol takes a draft more, or less, strictly than is usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demands {
    /// All of it or nothing: a line that cannot be sold as it was asked for refuses the request,
    /// rather than being cut.
    pub whole: bool,
    /// How the goods come has to be chosen, wherever the tariff can send them.
    pub delivery: bool,
    /// Nobody has to say who buys.
    pub nameless: bool,
}

impl Demands {
    /// What this protocol demands.
    pub const fn of(protocol: Protocol) -> Self {
        match protocol {
            // Business failures refuse the request, a way for the goods to come has to be chosen,
            // and nobody has to say who buys.
            Protocol::Ucp202601 => Self { whole: true, delivery: true, nameless: true },
            Protocol::V1 | Protocol::Ucp | Protocol::Acp => {
                Self { whole: false, delivery: false, nameless: false }
            }
        }
    }
}

/// One wanted line.
#[derive(Debug, Clone)]
pub struct DraftLine {
    /// The platform's name for the line.
    pub id: Option<String>,
    /// The item's id as sent; one that is no SKU is an unavailable item.
    pub item: String,
    /// How many: at least 1, at most the limit.
    pub quantity: u32,
}

/// What a buyer pays with.
#[derive(Debug, Clone)]
pub struct Means {
    /// What may be shown of it.
    pub instrument: Instrument,
    /// What the gateway needs of it.
    pub credential: Credential,
}

/// How the buyer pays.
#[derive(Debug, Clone)]
pub struct Tender {
    /// With what. Needed where there is something to pay; else it has no effect.
    pub means: Option<Means>,
    /// The total the buyer agreed to, when said.
    pub expected_total: Option<Money>,
    /// Fields of the person that came with the payment (billing address, buyer, IP).
    pub person: Person,
}

/// What to show.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// A session, after this operation.
    Session {
        /// The session.
        session: &'a Session,
        /// What was asked.
        operation: Operation,
    },
    /// Nothing of a create can be sold: there is no session.
    Nothing {
        /// Why.
        notices: &'a [Notice],
        /// The currency asked for, when known.
        currency: Option<Currency>,
        /// Which payment it was that came to nothing, where one did.
        declined: Option<Declined<'a>>,
    },
}

/// A payment that was declined and left nothing but its judgement: how it is found again.
#[derive(Debug, Clone, Copy)]
pub struct Declined<'a> {
    /// Its checkout.
    pub checkout: CheckoutId,
    /// The request that asked for it.
    pub request: Option<&'a str>,
}

/// What was asked of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Create.
    Create,
    /// Read.
    Get,
    /// Replace.
    Update,
    /// Pay.
    Complete,
    /// Give up.
    Cancel,
    /// Create and pay in one.
    Express,
}

/// Writes answers in a protocol's words. Implemented by `http`, handed down by `app`, because the
/// answer is rendered before the commit that makes it true.
pub trait Render: Send + Sync + 'static {
    /// The answer in this protocol.
    fn render(&self, protocol: Protocol, shown: Shown<'_>) -> StoredAnswer;
}

/// What a command came to.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It was done, and this is what was stored as its answer.
    Done(StoredAnswer),
    /// It was done before under this key.
    Replay(StoredAnswer),
}

impl Reply {
    /// What was stored as its answer.
    pub const fn answer(&self) -> &StoredAnswer {
        match self {
            Self::Done(answer) | Self::Replay(answer) => answer,
        }
    }
}

/// The command was not carried out, and nothing was stored under its key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CheckoutRefused {
    /// No such checkout, or not this caller's.
    #[error("no checkout {0}")]
    NotFound(CheckoutId),
    /// It was opened over another protocol, which alone goes on with it.
    #[error("the checkout was opened over {0} and goes on there")]
    OtherProtocol(Protocol),
    /// The checkout has ended.
    #[error("the checkout is {0} and can no longer change")]
    Ended(&'static str),
    /// A payment is under way.
    #[error("the checkout is completing")]
    Completing,
    /// There is something to pay, and nothing to pay it with was sent.
    #[error("there is something to pay: send a payment instrument")]
    MeansMissing,
    /// `If-Match` named another version.
    #[error("the checkout is at version {current}")]
    VersionMismatch {
        /// The version that stands.
        current: u32,
    },
    /// The key was used with another body, path or method.
    #[error("the idempotency key was used for another request")]
    KeyConflict,
    /// The request with this key is still under way.
    #[error("the request with this key is still being worked on")]
    KeyInFlight,
    /// The total leaves the range of 63 bits.
    #[error("the total is too large")]
    TotalTooLarge,
    /// A buyer, or a storefront, would hold more units than it may without paying.
    #[error(
        "at most {most} units of {sku} may be held unpaid at once; pay for what is held, give it \
         back, or wait until it lapses"
    )]
    HeldTooMuch {
        /// Of what.
        sku: Sku,
        /// How many.
        most: u32,
    },
    /// Too many requests for this one checkout wait already.
    #[error("too many requests for this checkout")]
    Busy,
    /// The ledger cannot be reached. What was begun may still be done: ask again with the same key.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}
