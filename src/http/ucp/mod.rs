//! The Universal Commerce Protocol, version 2026-04-08, over REST: discovery, catalogue, carts,
//! checkout with discounts, fulfillment and buyer consent, orders.
//!
//! **Owns:** its routes and wire formats. **Invariant:** business outcomes are 200 with messages;
//! what is not announced in the profile is not done.
//! **Not here:** what may be done, which [`cart`](crate::cart) decides, and what it costs, which
//! [`pricing`](crate::pricing) does.

pub mod agent;
pub mod block;
pub mod cancel;
pub mod carts;
pub mod catalog;
pub mod catalog_request;
pub mod catalog_wire;
pub mod checkout_request;
pub mod checkout_sessions;
pub mod checkout_wire;
pub mod complete;
pub mod discovery;
pub mod extension_wire;
pub mod fulfillment_request;
pub mod order_events;
pub mod order_wire;
pub mod orders;
pub mod webhook;

use actix_web::web::{self, ServiceConfig};

/// The version we speak.
pub const VERSION: &str = "2026-04-08";

/// Where the profile stands, whichever version stands at `/.well-known/ucp`.
pub const PROFILE_PATH: &str = "/.well-known/ucp/2026-04-08";

/// Where the profile says the service is.
pub const BASE_PATH: &str = "/ucp";

/// Mounts the routes below [`BASE_PATH`].
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(catalog::routes)
        .service(web::resource("/checkout-sessions").post(checkout_sessions::create))
        .service(
            web::resource("/checkout-sessions/{id}")
                .get(checkout_sessions::get)
                .put(checkout_sessions::update),
        )
        .service(web::resource("/checkout-sessions/{id}/complete").post(complete::complete))
        .service(web::resource("/checkout-sessions/{id}/cancel").post(cancel::cancel))
        .service(web::resource("/carts").post(carts::create))
        .service(web::resource("/carts/{id}").get(carts::get).put(carts::update))
        .service(web::resource("/carts/{id}/cancel").post(carts::cancel))
        .service(web::resource("/orders/{id}").get(orders::get));
}
