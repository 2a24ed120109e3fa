//! The only HTTP client: every call out of the house has a deadline, and its failure says whether
//! the other side may have acted.
//!
//! **Owns:** connections to others, their pools, deadlines and the one TLS provider.
//! **Invariant:** a call ends by its deadline; no redirect is followed, no proxy is taken from the
//! environment, no answer is read beyond its limit.
//! **Not here:** what is said and to whom (see [`payment::remote`](crate::payment::remote)), and
//! trying again: only the caller knows whether that is safe.
//!
//! Addresses from the operator's configuration go through [`Client`]; those that come from others
//! (webhook endpoints) through [`GuardedClient`], which reaches nothing private.

mod client;
mod exchange;
mod fault;
mod guard;
mod tls;

pub use client::{Client, OutboundSettings};
pub use exchange::{Answer, Exchange, Method};
pub use fault::OutboundFault;
pub use guard::{GuardedClient, Lookup, Reach, Target, TargetRefused};
pub use tls::install_tls_provider;
