//! Who may do what.
//!
//! A storefront owns checkouts, orders and idempotency keys; it speaks through any of its keys, so
//! that one key can take over from another and nothing is lost.
//!
//! **Owns:** API keys, their scopes, and who a request comes from. **Invariant:** a secret is shown
//! once, at its creation, and is nowhere kept; what is kept cannot be turned back into it.
//! **Not here:** which route needs which scope (see the routes themselves).

pub mod caller;
pub mod key;
pub mod keys;
mod postgres;
mod sqlite;

pub use caller::{Access, AccessRefused, Caller};
pub use key::{KeyRecord, KeyWish, NewKey, Scope, UnknownScope, check_label};
pub use keys::{Keys, KeysRefused};
