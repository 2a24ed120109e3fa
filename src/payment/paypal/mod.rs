//! PayPal: orders (v2) that are authorized, and captured apart.
//!
//! **Owns:** what we say to PayPal, what its answers mean, its notifications.
//! **Invariant:** one attempt, one order of PayPal's, which is the name of the payment everywhere:
//! it is made under a key of the attempt, by a body that can be made again from what the ledger
//! knows, and it carries the attempt as its `custom_id`. Nothing moves before the order has a name.
//! An order of another attempt, amount or currency is never taken for ours; a status that nobody
//! here knows is an unknown outcome, not a failure.
//! **Not here:** when to pay (see [`checkout`](crate::checkout)).
//!
//! | what PayPal says | what it is |
//! |---|---|
//! | an authorization `CREATED`, `CAPTURED`, `PARTIALLY_CAPTURED` | approved |
//! | an authorization `VOIDED` | let go |
//! | an authorization `DENIED`; a 422 | declined |
//! | an authorization of a status nobody knows | unknown: looked up later |
//! | an authorization `PENDING` | challenged: it waits for PayPal, under its order's name |
//! | an order `PAYER_ACTION_REQUIRED`, `APPROVED` | challenged: it waits for its buyer, or for us |
//! | 409, 5xx, a timeout | unknown: looked up later |
//! | 401, 403, 429 | it cannot have acted |

mod amount;
mod answers;
mod calls;
mod certificate;
mod declines;
mod events;
mod gateway;
mod money;
mod orders;
mod source;
mod token;
mod webhook;
mod wire;

use rustls::pki_types::CertificateDer;
use std::{fmt, sync::Arc, time::Duration};

use super::line::Line;
use crate::{
    base::Clock,
    outbound::{Client, OutboundFault},
};
use certificate::Certificates;
use token::Tokens;

/// Where PayPal is.
const API_BASE: &str = "https://api-m.paypal.com";

/// Where its sandbox is.
const SANDBOX_BASE: &str = "https://api-m.sandbox.paypal.com";

/// Where PayPal serves the certificates of its notifications, and whom they are issued to.
const CERTIFICATES: (&str, &str) =
    ("https://api.paypal.com", "messageverificationcerts.paypal.com");

/// The same for its sandbox.
const SANDBOX_CERTIFICATES: (&str, &str) =
    ("https://api.sandbox.paypal.com", "messageverificationcerts.sandbox.paypal.com");

/// How an account of PayPal is reached.
#[derive(Clone)]
pub struct PayPalSettings {
    /// The configured name of this gateway.
    pub name: String,
    /// Where PayPal is, where it is not where it always is: a fake, which serves its certificates
    /// too.
    pub url: Option<String>,
    /// Where buyers reach the shop.
    pub public_url: String,
    /// The app's client id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// The id of the webhook that is registered for this shop, by PayPal.
    pub webhook_id: Option<String>,
    /// Whether it is PayPal's sandbox.
    pub sandbox: bool,
    /// How long each call waits.
    pub timeout: Duration,
    /// Whom this machine trusts: PayPal's certificates lead up to one of them.
    pub roots: Vec<CertificateDer<'static>>,
}

/// Never prints a secret.
impl fmt::Debug for PayPalSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayPalSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A client of one account of PayPal.
pub struct PayPal {
    settings: PayPalSettings,
    base: String,
    line: Line,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    certificates: Certificates,
}

impl PayPal {
    /// A client of this account.
    ///
    /// # Errors
    /// When the system's root certificates cannot be loaded.
    pub fn new(
        settings: PayPalSettings,
        client: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OutboundFault> {
        let (always, (served_at, name)) = match settings.sandbox {
            true => (SANDBOX_BASE, SANDBOX_CERTIFICATES),
            false => (API_BASE, CERTIFICATES),
        };
        let url = settings.url.as_deref().map(|url| url.trim_end_matches('/'));
        let certificates = Certificates::new(url.unwrap_or(served_at), name, &settings.roots)?;
        let base = url.unwrap_or(always).to_owned();
        let line = Line::new(&settings.name, client, clock.clone(), settings.timeout);
        Ok(Self { settings, base, line, clock, tokens: Tokens::default(), certificates })
    }
}
