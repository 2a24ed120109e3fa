//! The catalogue: what is sold and for how much.
//!
//! **Owns:** products, their import, their cache. **Invariant:** a price has a currency and is not
//! negative.
//! **Not here:** how many there are (see [`stock`](crate::stock)) and what a cart costs (see
//! [`pricing`](crate::pricing)).

pub mod cache;
pub mod demo;
pub mod import;
mod import_columns;
mod postgres;
pub mod product;
mod record;
pub mod shelf;
mod sqlite;

pub use cache::Catalog;
pub use demo::demo;
pub use import::ImportRow;
pub use product::{Product, StockPolicy};
pub use shelf::Shelf;
