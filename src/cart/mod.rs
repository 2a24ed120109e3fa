//! The cart: one actor per live cart, which takes one command at a time.
//!
//! **Owns:** the order in which commands reach a session, and who is alive.
//! **Invariant:** a command is run by the actor, never by the request's future: a client that goes
//! away changes nothing. A cart whose checkout has ended leaves memory at once.
//! **Not here:** what a command does (see [`checkout`](crate::checkout)).

pub mod actor;
mod carts;
pub mod keeper;
pub mod lapses;
pub mod messages;
pub mod notifications;
pub mod registry;
pub mod seat;

pub use keeper::Keeper;
pub use messages::{Ask, Command, Show, Tend};
pub use notifications::Notifications;
pub use registry::Carts;
