//! The cart: one actor per live cart, which takes one command at a time.
//!
//! **Owns:** the order in which commands reach a session, and who is alive.
//! **Invariant:** a command is run by the actor, never by the request's future.
//! **Not here:** what a command does (see [`checkout`](crate::checkout)).

pub mod carts;
pub mod messages;

pub use carts::Carts;
pub use messages::{Ask, Command, Show};
