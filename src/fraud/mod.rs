//! Whether a payment is to be trusted: what is known, what was seen before, a model, rules.
//!
//! ```text
//!  checkout ─► Fraud ─► FraudActor, one on each thread that runs carts      (registry, actor)
//!     signals ─► event ─► velocity: what was remembered of those who take part
//!                          └─► features ─► model ─► score, reasons          (serving)
//!     rules · guard · score · what is missing ─► decide ─► Outcome          (bench)
//!     ◄─ Judged: the outcome, and the record of all it rested on            (assessment)
//!  reviewers ─► cases             train · evaluate · simulate: the same features, offline
//! ```
//!
//! **Owns:** [`signals`] (what is known), [`event`] and [`columns`] (the same as features see it),
//! [`features`] (declared once, computed by the same code offline and online), [`schema`] (which
//! column of a file is what), [`velocity`] (what serving remembers of the past), [`memory`] and
//! [`setup`] (which memories and models judge at one time), [`schemas`] and [`feature_set`] (so
//! that another schema forgets nobody), [`whereabouts`] (where network addresses are), [`model`]
//! (trees in flat arrays, calibration, reasons), [`rules`] (what people write about orders,
//! checked, versioned, asked in microseconds), [`guard`] and [`storefronts`] (against card
//! testing), [`policy`] and [`decide`] (from all of it to one outcome), [`cases`] (orders that wait
//! for a person), [`links`] (orders that share something), [`rates`] (amounts in one currency),
//! [`search`] (every judgement, found again), [`overview`] (what all of them came to),
//! [`label_table`] (what was found out, as a file), [`drift`] (whether orders still look like those
//! of the training); and, never asked while serving, [`train`], [`evaluate`] and [`simulate`].
//! **Invariant:** features of an event come from its past alone: nothing of its outcome, nothing
//! of its label, no label before its delay; replaying a history gives the same features, bit by
//! bit. A score is its bias plus what each feature contributed. What is missing makes an outcome
//! stricter and is said in the record, never a silent approval and never a fault of the checkout.
//! The same rows, options and seed give the same model, byte by byte.
//! **Not here:** what an outcome does to money and units (see [`checkout`](crate::checkout)), and
//! how a case ends (a fact of the [`ledger`](crate::ledger::review)). The library that grows trees
//! is named in `train` alone, and its own files are never read back.

pub mod actor;
mod after;
pub mod assessment;
pub mod backtest;
pub mod bench;
pub mod cases;
pub mod columns;
pub mod decide;
pub mod drift;
pub mod evaluate;
pub mod event;
pub mod feature_set;
pub mod features;
pub mod guard;
pub mod history;
pub mod judged;
pub mod label_table;
pub mod learning;
pub mod links;
pub mod memory;
pub mod messages;
pub mod model;
pub mod models;
pub mod overview;
pub mod past;
pub mod policy;
pub mod progress;
pub mod rates;
pub mod rebuild;
pub mod registry;
pub mod rules;
pub mod schema;
pub mod schemas;
pub mod search;
mod sentences;
pub mod serving;
pub mod setup;
pub mod signals;
pub mod simulate;
pub mod storefronts;
pub mod tend;
pub mod train;
pub mod velocity;
pub mod whereabouts;

pub use bench::{Bench, Judged};
pub use registry::Fraud;
