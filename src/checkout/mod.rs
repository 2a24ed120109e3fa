//! The checkout: quote, hold, pay, place the order; a table of steps with do beside undo.
//!
//! **Owns:** the session, and the order of the steps that turn it into an order.
//! **Invariant:** every step can be stopped, repeated or undone; nothing waits while holding something.
//! **Not here:** who may ask next (see [`cart`](crate::cart)) and how answers look (see `http`).

pub mod answer;
pub mod session;

pub use answer::{
    Asked, CheckoutRefused, Draft, DraftLine, Operation, Render, Reply, Shown, Tender,
};
pub use session::{Instrument, Line, Notice, NoticeCode, Session};
