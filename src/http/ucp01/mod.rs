//! The Universal Commerce Protocol, version 2026-01-11, over REST: discovery, checkout with
//! discounts, fulfillment and buyer consent, orders that are told of, the bodies of its webhooks.
//!
//! **Owns:** its routes, wire formats and errors. **Invariant:** what the shop cannot do as it was
//! asked is an error of the 400s, and leaves the session as it was; what is not announced in the
//! profile is not done.
//! **Not here:** what may be done, which [`cart`](crate::cart) decides, and what it costs, which
//! [`pricing`](crate::pricing) does.

pub mod agent;
pub mod block;
pub mod cancel;
pub mod checkout_sessions;
pub mod complete;
pub mod delivery;
pub mod discovery;
pub mod error_wire;
pub mod extension_wire;
pub mod fulfillment_request;
pub mod order_request;
pub mod order_wire;
pub mod orders;
pub mod payment_request;
pub mod root;
pub mod session_request;
pub mod session_wire;
pub mod simulation;
pub mod webhook;

use actix_web::web::{self, ServiceConfig};

/// The version we speak.
pub const VERSION: &str = "2026-01-11";

/// Where the profile says the service is.
pub const BASE_PATH: &str = "/ucp/2026-01-11";

/// Where the profile stands, whichever version stands at `/.well-known/ucp`.
pub const PROFILE_PATH: &str = "/.well-known/ucp/2026-01-11";

/// Mounts the routes below [`BASE_PATH`].
pub fn routes(config: &mut ServiceConfig) {
    sessions(config);
    config.service(web::resource("/orders/{id}").get(orders::get).put(orders::update));
}

/// Mounts the routes of checkouts.
fn sessions(config: &mut ServiceConfig) {
    config
        .service(web::resource("/checkout-sessions").post(checkout_sessions::create))
        .service(
            web::resource("/checkout-sessions/{id}")
                .get(checkout_sessions::get)
                .put(checkout_sessions::update),
        )
        .service(web::resource("/checkout-sessions/{id}/complete").post(complete::complete))
        .service(web::resource("/checkout-sessions/{id}/cancel").post(cancel::cancel));
}
