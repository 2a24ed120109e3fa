//! Whether an order is to be trusted: features of the past, a model over them, reasons.
//!
//! **Owns:** [`event`] (one attempt to pay, as features see it), [`features`] (declared once,
//! computed by the same code offline and online), [`schema`] (which column of a file is what).
//! **Invariant:** features of an event come from its past alone: nothing of its outcome, nothing
//! of its label, no label before its delay; replaying a history gives the same features, bit by
//! bit.
//! **Not here:** what a score leads to. No checkout is scored yet; nothing here refuses anybody.

pub mod evaluate;
pub mod event;
pub mod features;
pub mod model;
pub mod progress;
pub mod schema;
pub mod simulate;
pub mod train;
