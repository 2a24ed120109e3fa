//! Pricing: what a session costs.
//!
//! **Owns:** totals. **Invariant:** integers, one subtotal, one total, the sum exact.
//! **Not here:** where prices come from (see [`catalog`](crate::catalog)). Pure: no clock, no I/O.

pub mod totals;

pub use totals::Totals;
