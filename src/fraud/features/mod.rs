//! The feature engine: declared once, computed by the same code in training, evaluation and
//! serving.
//!
//! ```text
//!  schema (TOML) ─► Layout: which features there are, in which order          (declared.rs)
//!  event ─► Layout::compute ◄─ Recall: what is remembered of its entities    (compute.rs)
//!        └► Engine::observe ─► InProcess: counts, partners, labels    (engine.rs, memory.rs)
//!                                        and payments one by one          (payments.rs)
//! ```
//! `compute` reads; nothing but `observe`, `failed` and labels whose time has come write. A store
//! elsewhere (one round trip per batch of checkouts) implements [`Recall`] over what it brought.

pub mod aggregate;
pub mod compute;
pub mod declared;
pub mod engine;
pub mod entity;
pub mod memory;
#[cfg(test)]
mod naive;
pub mod packed;
mod packed_payments;
pub mod payments;
#[cfg(test)]
mod property_tests;
pub mod window;

pub use aggregate::Aggregate;
pub use declared::{
    Acquaintance, AcquaintanceField, EntityKind, Feature, Layout, NumberField, Reads,
};
pub use engine::Engine;
pub use entity::Entity;
pub use memory::{InProcess, Recall};
pub use window::Window;

/// Stands for a feature whose value is not known. Known values below zero are given as they are,
/// but for this one, which is given as the next number above: a threshold can tell the two apart.
pub const MISSING: f32 = -1.0;
