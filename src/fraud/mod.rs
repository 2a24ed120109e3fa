//! Whether an order is to be trusted: features of the past, a model over them, reasons.
//!
//! ```text
//!  schema ─► which column is what, which features there are
//!  event ─► features (counts by card, e-mail, IP address, … and window) ─► model ─► score, reasons
//!  train · evaluate · simulate                     the same features, offline
//! ```
//!
//! **Owns:** [`event`] (one attempt to pay, as features see it), [`features`] (declared once,
//! computed by the same code offline and online), [`schema`] (which column of a file is what),
//! [`model`] (trees in flat arrays, calibration, reasons), [`velocity`] (what serving remembers of
//! the past), [`rules`] (what people write about orders, checked, versioned, asked in
//! microseconds), [`guard`] (against card testing), [`decide`] (from all of it to one outcome),
//! [`cases`] (orders that wait for a person); and, never asked while serving,
//! [`train`], [`evaluate`] and [`simulate`].
//! **Invariant:** features of an event come from its past alone: nothing of its outcome, nothing
//! of its label, no label before its delay; replaying a history gives the same features, bit by
//! bit. A score is its bias plus what each feature contributed. The same rows, options and seed
//! give the same model, byte by byte.
//! **Not here:** what a score leads to. No checkout is scored yet, and nothing here refuses
//! anybody. Nothing reads a clock, a database or the net; the library that grows trees is named in
//! `train` alone, and its own files are never read back.

pub mod actor;
pub mod assessment;
pub mod backtest;
pub mod bench;
pub mod cases;
pub mod columns;
pub mod decide;
pub mod evaluate;
pub mod event;
pub mod features;
pub mod guard;
pub mod history;
pub mod learning;
pub mod messages;
pub mod model;
pub mod models;
pub mod policy;
pub mod progress;
pub mod registry;
pub mod rules;
pub mod schema;
pub mod serving;
pub mod signals;
pub mod simulate;
pub mod train;
pub mod velocity;

pub use bench::{Bench, Judged};
pub use registry::Fraud;
