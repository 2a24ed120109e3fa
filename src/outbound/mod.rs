//! The only HTTP client: every call out of the house has a deadline, and its failure says whether
//! the other side may have acted.
//!
//! **Owns:** connections to others, their pools, deadlines and the one TLS provider.
//! **Invariant:** a call ends by its deadline; no redirect is followed, no proxy is taken from the
//! environment, no answer is read beyond its limit.
//! **Not here:** what is said and to whom (see [`payment::remote`](crate::payment::remote)), and
//! trying again: only the caller knows whether that is safe.
//!
//! Today every address comes from the operator's configuration. Addresses that come from others
//! (webhook endpoints) need a guard against requests into our own network: resolve, check, connect
//! to the checked address. Its place is a `guard.rs` here, as the resolver that [`Client`] is built
//! with.

mod client;
mod exchange;
mod fault;
mod tls;

pub use client::{Client, OutboundSettings};
pub use exchange::{Answer, Exchange, Method};
pub use fault::OutboundFault;
pub use tls::install_tls_provider;
