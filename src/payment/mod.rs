//! Payments: what a gateway must do, and the one we bring for trying things out.
//!
//! **Owns:** the [`Gateway`] trait, the choice between gateways, the sandbox, its book and its
//! client.
//! **Invariant:** one reference, one authorization; a gateway is asked only for what the ledger
//! already records as attempted or owed, and everything about an attempt is asked of the gateway it
//! went to.
//! **Not here:** when to pay and what an answer means for the order
//! (see [`checkout`](crate::checkout)).

pub mod adyen;
pub mod answer;
pub mod breaker;
pub mod decline;
pub mod gateway;
pub mod gateways;
pub mod inbox;
pub mod line;
pub mod listing;
pub mod notification;
pub mod paypal;
pub mod remote;
pub mod sandbox;
pub mod stripe;

pub use answer::{Authorized, Challenge, Found, GatewayFault, Moved};
pub use decline::{Decline, DeclineCode};
pub use gateway::{AuthorizeRequest, Credential, Gateway, Lookup, MoneyRequest};
pub use gateways::{Choosing, Gateways, Takes};
pub use listing::{Listed, Listing, Span};
pub use notification::{
    About, Dispute, DisputeState, GatewayEvent, Named, Notification, NotificationRefused, Notified,
    Warning,
};
pub use remote::RemoteSandbox;
pub use sandbox::{BookFault, Charge, Sandbox, SandboxSettings, read_book};
