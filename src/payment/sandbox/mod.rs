//! A payment gateway for trying things out: moves no money, and remembers everything.
//!
//! **Owns:** the test tokens, and the book in which every call stands before it is answered.
//! **Invariant:** one reference is approved at most once, captured once in each part and never
//! beyond what was authorized; what was answered is in the book, through any crash.
//! **Not here:** its HTTP face (see `http/sandbox.rs`) and the client of that face
//! (see [`remote`](super::remote)).
//!
//! | token | what it does |
//! |---|---|
//! | `success_token` | approved |
//! | `fail_token` | declined, code `declined` |
//! | `insufficient_funds_token` | declined, code `insufficient_funds` |
//! | `challenge_token` | challenged: the buyer proves who they are at a URL, and it goes on |
//! | `challenge_passed_token` | approved, as if the buyer had proved who they are |
//! | `address_mismatch_token` | approved; the issuer knows another address (AVS) |
//! | `code_mismatch_token` | approved; the card's code was wrong (CVC) |
//! | `slow_token` | booked at once, answered after 2 s (`slow_ms`) |
//! | `lost_token` | booked as approved, never answered: the caller's deadline ends the call |
//! | `uncapturable_token` | approved, and every capture of it is refused |
//! | `flaky_token` | 500 without acting when a reference is new, approved the second time |
//! | anything else | declined, code `unknown_token` |
//!
//! The reference is the idempotency key: it keeps its first answer whatever token comes with it
//! later, and refuses another amount. Nothing new is authorized after a request's `not_after`.

/// The name of the book in the data folder.
pub const BOOK: &str = "sandbox-book.jsonl";

mod book;
mod challenged;
mod charge;
mod charges;
mod gateway;
mod reading;
mod tokens;
mod writing;

pub use book::Book;
pub use charge::{Charge, Op, Outcome, Record};
pub use charges::Charges;
pub use gateway::{Sandbox, SandboxSettings};
pub use reading::{BookFault, read_book};
pub use tokens::{Pace, TOKENS, Token, Verdict};

#[cfg(test)]
mod tests;
