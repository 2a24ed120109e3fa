//! Platforms as they describe themselves: the profile behind the address in `UCP-Agent`, with the
//! keys they sign with and the address that hears of their orders.
//!
//! **Owns:** fetching profiles, and for how long one is believed. **Invariant:** a profile is
//! fetched through the guard of [`outbound`](crate::outbound) alone, once at a time, within a
//! deadline, and not again for a minute, whatever it says; how many are kept is bounded.
//! **Not here:** whether a checkout needs one (see `http`), and what is sent there (see
//! [`outbox`](crate::outbox)).

mod cache;
mod profile;

pub use cache::{Platforms, ProfileFault};
pub use profile::Profile;
