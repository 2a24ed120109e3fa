//! Payments: what a gateway must do, and the one we bring for trying things out.
//!
//! **Owns:** the [`Gateway`] trait, the sandbox, its book and its client.
//! **Invariant:** one reference, one authorization; a gateway is asked only for what the ledger
//! already records as attempted or owed.
//! **Not here:** when to pay and what an answer means for the order
//! (see [`checkout`](crate::checkout)).

pub mod gateway;
pub mod remote;
pub mod sandbox;

pub use gateway::{
    AuthorizeRequest, Authorized, Credential, Found, Gateway, GatewayFault, MoneyRequest,
};
pub use remote::RemoteSandbox;
pub use sandbox::{BookFault, Charge, Sandbox, SandboxSettings, read_book};
