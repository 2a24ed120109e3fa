//! The checkout: quote, hold, pay, place the order; a table of steps with do beside undo.
//!
//! **Owns:** the session, and the order of the steps that turn it into an order.
//! **Invariant:** every step can be stopped, repeated or undone; nothing waits while holding
//! something.
//! **Not here:** who may ask next (see [`cart`](crate::cart)) and how answers look (see `http`).
//!
//! [`open`] is T0, [`saga`] the table after it: `assess` asks [`fraud`](crate::fraud), `begin` is
//! T1, authorize, `place` T2 and T3; [`recover`](Checkout::recover) finishes what a crash or a
//! silent gateway left behind, [`resolve`] what waited for a person; `change` is what happens
//! after the sale.

pub mod answer;
mod assess;
mod authorize;
pub mod backtest;
mod begin;
mod challenge;
mod change;
mod choose;
mod collect;
mod complete;
mod count;
mod crash;
mod desk;
mod dispute;
mod end;
mod hold;
mod lapse;
mod load;
mod notice;
mod open;
mod place;
pub mod quote;
pub mod record;
mod recover;
mod reopen;
pub mod resolve;
mod saga;
pub mod session;
mod settle;
mod unpaid;
mod uses;
mod warnings;
pub mod worth;

pub use answer::{
    Asked, CheckoutRefused, Declined, Demands, Draft, DraftLine, Means, Operation, Render, Reply,
    Shown, Tender,
};
pub use assess::signals_of;
pub use change::ChangeWish;
pub use collect::{Collection, Collector, Debt};
pub use crash::{CrashPoint, NoProbe, Probe};
pub use desk::{Capture, Checkout, Terms};
pub use lapse::{AuthorizedSpan, LOOK_BACK};
pub use session::{Challenged, Instrument, Line, Notice, NoticeCode, Risk, Session, Tried};
pub use unpaid::{Unpaid, UnpaidCaps};
pub use uses::{UsesRefused, count_uses};
pub use warnings::warnings;
