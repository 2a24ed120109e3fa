//! Stock of one SKU as this replica sees it: the grants it may sell from without asking.
//!
//! **Owns:** the memory of each SKU's grants, one actor per live SKU, and who of them is alive.
//! **Invariant:** units in flight never exceed what a grant has left; a refusal here means "ask the
//! ledger", never "sold out".
//! **Not here:** how many there are (the [`ledger`](crate::ledger) knows), prices (see
//! [`catalog`](crate::catalog)) and when to reorder.

pub mod actor;
pub mod grants;
pub mod holder;
pub mod messages;
pub mod registry;

pub use grants::{GrantTerms, Grants};
pub use holder::Holder;
pub use registry::Stock;
