//! The outbox: events that were committed with their change, on their way to those who want them.
//!
//! **Owns:** the tables `webhook_endpoints`, who hears of what, `deliveries`: one event to one
//! receiver, its body, its attempts, its end, and `webhooks_gone`: addresses that want no more; the
//! [`Relay`], and what each form of delivery is signed with.
//! **Invariant:** no event is marked sent before its deliveries are kept; a delivery is sent with
//! the same id and body each time, signed at the time it is sent; an order's later event waits, for
//! each receiver, until its earlier one is settled. No transaction spans a call.
//! **Not here:** the table `events`, which the ledger writes with each change; what an event looks
//! like in each form ([`Tells`], which `http` does); where platforms listen (see
//! [`platforms`](crate::platforms)); the call itself (see [`outbound`](crate::outbound)).
//!
//! # Why nothing is lost and nothing overtakes
//!
//! Numbers of events commit out of order, so there is no "last number handed on": an event is due
//! while it is not marked sent, however late it appears. An event that follows from another one
//! (captured after placed) is written only after that one was committed. Who sees the later one
//! therefore sees the earlier one too, and as the oldest are taken first, keeps both in one
//! commit or finds the earlier one kept. Two that happened to an order at the same moment (shipped
//! and captured) have no order between them; each body shows the order as it stood when it was
//! written, which is when the event was taken.
//!
//! An event nobody wants to hear of is forgotten. Of an order that a platform placed over UCP the
//! platform always hears, where its profile says. Endpoints are looked up after the events, so
//! that one which stood when an event was committed is seen.

mod delivery;
mod endpoint;
mod endpoints;
mod postgres;
mod receiver;
mod relay;
mod retry;
mod sender;
mod signature;
mod sqlite;
mod store;
mod telling;

pub use delivery::{Delivery, DeliveryState, NewDelivery, Outcome, UnsentEvent};
pub use endpoint::{Endpoint, KINDS, TimedSecret};
pub use endpoints::{ENDPOINTS_MAX, Endpoints, EndpointsRefused};
pub use receiver::{Platform, Receiver};
pub use relay::Relay;
pub use retry::{ATTEMPTS, Settlement, WAITS, settle};
pub use sender::Sender;
pub use signature::{Secret, signature};
pub use store::{Backlog, Deliveries, DeliveryFilter, LEASE};
pub use telling::{Form, Opened, Tells};
