//! The Agentic Commerce Protocol, version 2026-04-17, over REST: discovery, carts, checkout
//! sessions with discounts and fulfillment, orders, and the bodies of its webhooks.
//!
//! **Owns:** its routes, wire formats and errors. **Invariant:** a key stands for one request at
//! one place; an error is flat, wherever it arose; what is not announced is not done.
//! **Not here:** what may be done, which [`cart`](crate::cart) decides, and what it costs, which
//! [`pricing`](crate::pricing) does; delegated payments, whose tokens come from elsewhere.

pub mod address_wire;
pub mod attempt;
pub mod block;
pub mod cancel;
pub mod carts;
pub mod checkout_sessions;
pub mod complete;
pub mod discounts_wire;
pub mod discovery;
pub mod error_wire;
pub mod fulfillment_request;
pub mod fulfillment_wire;
pub mod message_wire;
pub mod order_wire;
pub mod orders;
pub mod payment_request;
pub mod session_request;
pub mod session_wire;
pub mod totals_wire;
pub mod webhook;

use actix_web::web::{self, ServiceConfig};

/// The version we speak.
pub const VERSION: &str = "2026-04-17";

/// Where discovery says the service is.
pub const BASE_PATH: &str = "/acp";

/// Mounts the routes below [`BASE_PATH`].
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/checkout_sessions").post(checkout_sessions::create))
        .service(
            web::resource("/checkout_sessions/{id}")
                .get(checkout_sessions::get)
                .post(checkout_sessions::update),
        )
        .service(web::resource("/checkout_sessions/{id}/complete").post(complete::complete))
        .service(web::resource("/checkout_sessions/{id}/cancel").post(cancel::cancel))
        .service(web::resource("/carts").post(carts::create))
        .service(web::resource("/carts/{id}").get(carts::get).put(carts::update))
        .service(web::resource("/carts/{id}/cancel").post(carts::cancel))
        .service(web::resource("/orders/{id}").get(orders::get));
}
