//! The Universal Commerce Protocol, version 2026-04-08, over REST: discovery, checkout, orders.
//!
//! **Owns:** its routes and wire formats. **Invariant:** business outcomes are 200 with messages.
//! **Not here:** carts, catalogue, discounts and fulfillment, which are not announced either.

pub mod agent;
pub mod block;
pub mod cancel;
pub mod checkout_request;
pub mod checkout_sessions;
pub mod checkout_wire;
pub mod complete;
pub mod discovery;
pub mod extension_wire;
pub mod fulfillment_request;
pub mod order_wire;
pub mod orders;

use actix_web::web::{self, ServiceConfig};

/// The version we speak.
pub const VERSION: &str = "2026-04-08";

/// Where the profile says the service is.
pub const BASE_PATH: &str = "/ucp";

/// Mounts the routes below [`BASE_PATH`].
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/checkout-sessions").post(checkout_sessions::create))
        .service(
            web::resource("/checkout-sessions/{id}")
                .get(checkout_sessions::get)
                .put(checkout_sessions::update),
        )
        .service(web::resource("/checkout-sessions/{id}/complete").post(complete::complete))
        .service(web::resource("/checkout-sessions/{id}/cancel").post(cancel::cancel))
        .service(web::resource("/orders/{id}").get(orders::get));
}
