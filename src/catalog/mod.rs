//! The catalogue: what is sold and for how much.
//!
//! **Owns:** products, their import, their cache. **Invariant:** a price has a currency and is not negative.
//! **Not here:** how many there are (see [`stock`](crate::stock)) and what a cart costs (see [`pricing`](crate::pricing)).

pub mod demo;
pub mod import;
mod import_columns;
pub mod product;

pub use product::{Product, StockPolicy};
