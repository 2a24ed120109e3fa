//! Who buys again: the addresses that a storefront's customers had goods sent to.
//!
//! **Owns:** the addresses, each with the id it keeps. **Invariant:** what one storefront told is
//! shown to no other; an e-mail address is kept as a digest alone; who does not come back is
//! forgotten.
//! **Not here:** when an address is asked for or kept, which a protocol says, and the person of a
//! checkout, who stands with it.

mod addresses;
mod naming;
mod postgres;
mod sqlite;

pub use addresses::{ADDRESSES_MAX, Addresses, Customer, Known};
pub use naming::{Named, Sent, name};
