//! Stripe: PaymentIntents that are confirmed on the server and captured apart.
//!
//! **Owns:** what we say to Stripe, what its answers mean, its notifications.
//! **Invariant:** one attempt, one PaymentIntent: it is created under a key made of the attempt,
//! names the attempt in its metadata, and an answer about another attempt, amount or currency is
//! never taken for ours. A status that nobody here knows is an unknown outcome, not a failure.
//! **Not here:** when to pay (see [`checkout`](crate::checkout)).
//!
//! | what Stripe says | what it is |
//! |---|---|
//! | `requires_capture`, `succeeded` | approved |
//! | `requires_action` with an address | challenged |
//! | `card_error`; `requires_payment_method` after an error | declined |
//! | `canceled` | let go |
//! | `processing`, 409, 5xx, a timeout, anything unknown | unknown: looked up later |
//! | 401, 403, 429 | it cannot have acted |

mod answers;
mod calls;
mod declines;
mod form;
mod gateway;
mod webhook;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use super::line::Line;
use crate::{base::Clock, outbound::Client};

/// The version of Stripe's API that this client speaks, whatever the account's default is.
pub const API_VERSION: &str = "2022-11-15";

/// Where Stripe is.
pub const API_BASE: &str = "https://api.stripe.com";

/// How an account of Stripe is reached.
#[derive(Clone)]
pub struct StripeSettings {
    /// The configured name of this gateway.
    pub name: String,
    /// Where Stripe is; another address for tests.
    pub base: String,
    /// The account's secret key (`sk_live_…`, `sk_test_…`, or a restricted `rk_…`).
    pub secret_key: String,
    /// Signing secrets of its notifications: the one in force, and while it is changed the next.
    pub webhook_secrets: Vec<String>,
    /// How long each call waits.
    pub timeout: Duration,
}

impl StripeSettings {
    /// Whether the key is one for trying things out.
    fn is_test(&self) -> bool {
        self.secret_key.starts_with("sk_test_") || self.secret_key.starts_with("rk_test_")
    }
}

/// Never prints a secret.
impl fmt::Debug for StripeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A client of one account of Stripe.
pub struct Stripe {
    settings: StripeSettings,
    line: Line,
    clock: Arc<dyn Clock>,
}

impl Stripe {
    /// A client of this account.
    pub fn new(settings: StripeSettings, client: Client, clock: Arc<dyn Clock>) -> Self {
        let base = settings.base.trim_end_matches('/').to_owned();
        let line = Line::new(&settings.name, client, clock.clone(), settings.timeout);
        Self { settings: StripeSettings { base, ..settings }, line, clock }
    }
}
