//! The front door: protocols in, answers out.
//!
//! **Owns:** routes, wire formats, problems, admission, and how answers are written.
//! **Invariant:** every answer that is not a success is a problem with a request id; card numbers
//! and bodies beyond their limits get no further than this.
//! **Not here:** what may happen to a checkout (see [`cart`](crate::cart)) and what it costs.
//!
//! A change comes in like this: [`admission`] reads the body and takes a place → [`asking`] says
//! who asks, under which key, and hashes what → the handler reads the fields ([`reading`]) and
//! asks the cart → [`render`] has written the answer before the commit → [`answer`] sends it.

pub mod acp;
pub mod admission;
pub mod answer;
pub mod asking;
pub mod body;
pub mod caller;
pub mod canonical;
pub mod connections;
pub mod contract;
pub mod control;
pub mod cors;
pub mod dialect;
pub mod discount_wire;
pub mod docs;
pub mod door;
pub mod free_text;
pub mod gate;
mod gateways;
pub mod head;
pub mod health;
pub mod hosts;
pub mod idempotency;
pub mod if_match;
pub mod kinds;
pub mod listening;
pub mod notices;
pub mod order_body;
pub mod order_history;
pub mod pages;
pub mod paying;
pub mod platform;
pub mod problem;
pub mod question;
pub mod reading;
pub mod refusal;
pub mod render;
pub mod request_id;
pub mod sandbox;
pub mod server;
pub mod signals;
pub mod signed;
pub mod sliced;
pub mod telling;
pub mod timer;
pub mod trace_context;
pub mod ucp;
pub mod ucp01;
pub mod v1;

pub use caller::Caller;
pub use door::{Browsers, Door, Draining, Site, Trust, Webhooks};
pub use gate::Gate;
pub use render::Answers;
pub use server::{routes, server};
pub use telling::Telling;
