//! Adyen: payments that are captured apart, and told of by notifications.
//!
//! **Owns:** what we say to Adyen, what its answers mean, its notifications.
//! **Invariant:** one attempt, one payment: it is asked for under a key made of the attempt, and
//! the attempt is its `reference`. Adyen has no look-up, so what it has told (in a notification
//! that it signed, or in the answer to a call of ours) is kept, and is what is known of a payment.
//! An answer about another reference, amount or currency is never taken for ours. A result that
//! nobody here knows is an unknown outcome, not a failure.
//! **Not here:** when to pay (see [`checkout`](crate::checkout)).
//!
//! | what Adyen says | what it is |
//! |---|---|
//! | `Authorised` | approved |
//! | `RedirectShopper` | challenged |
//! | `Refused`, `Cancelled`, `Error` | declined |
//! | `Pending`, `Received`, 5xx, a timeout, anything unknown | unknown: a notification tells, or it is canceled by its reference when its time is over |
//! | 401, 403, 429 | it cannot have acted |
//! | `received` of a capture, cancel or refund | taken note of: a notification tells how it ended |

mod amounts;
mod answers;
mod calls;
mod credential;
mod declines;
mod gateway;
mod known;
mod webhook;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use super::{inbox::Inbox, line::Line};
use crate::{base::Clock, outbound::Client};

/// The version of Adyen's Checkout API that this client speaks. It is a part of every address.
pub const API_VERSION: &str = "v72";

/// How a merchant account of Adyen is reached.
#[derive(Clone)]
pub struct AdyenSettings {
    /// The configured name of this gateway.
    pub name: String,
    /// Where Adyen is, up to the version.
    pub base: String,
    /// The API key of the web service user.
    pub api_key: String,
    /// The merchant account.
    pub merchant_account: String,
    /// HMAC keys of its notifications, in hexadecimal: the one in force, and while it is changed
    /// the next.
    pub hmac_keys: Vec<String>,
    /// Whether it is the live platform.
    pub is_live: bool,
    /// How long each call waits.
    pub timeout: Duration,
}

/// Never prints a secret.
impl fmt::Debug for AdyenSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdyenSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where the API is: the test platform, or the live endpoints of a company by their prefix.
pub fn base(live_prefix: Option<&str>) -> String {
    match live_prefix {
        Some(prefix) => format!("https://{prefix}-checkout-live.adyenpayments.com/checkout"),
        None => "https://checkout-test.adyen.com".to_owned(),
    }
}

/// A client of one merchant account of Adyen.
pub struct Adyen {
    settings: AdyenSettings,
    line: Line,
    clock: Arc<dyn Clock>,
    inbox: Inbox,
}

impl Adyen {
    /// A client of this account, which keeps what it is told in this inbox.
    pub fn new(
        settings: AdyenSettings,
        client: Client,
        clock: Arc<dyn Clock>,
        inbox: Inbox,
    ) -> Self {
        let base = settings.base.trim_end_matches('/').to_owned();
        let line = Line::new(&settings.name, client, clock.clone(), settings.timeout);
        Self { settings: AdyenSettings { base, ..settings }, line, clock, inbox }
    }
}
