//! The catalogue: what is sold and for how much.
//!
//! **Owns:** products and their groups, the index to search them by, their import, their cache.
//! **Invariant:** a price has a currency and is not negative; what is kept is what is found.
//! **Not here:** how many there are (see [`stock`](crate::stock)) and what a cart costs (see
//! [`pricing`](crate::pricing)).

pub mod amend;
pub mod cache;
pub mod demo;
pub mod find;
pub mod group;
pub mod import;
#[cfg(test)]
mod import_tests;
mod index;
pub mod listing;
pub mod patch;
mod postgres;
pub mod price_list;
pub mod product;
mod record;
pub mod remove;
pub mod search;
pub mod selection;
pub mod shelf;
mod sqlite;
pub mod texts;

pub use cache::Catalog;
pub use demo::demo;
pub use group::{Group, GroupId};
pub use import::ImportRow;
pub use listing::Listing;
pub use patch::{Change, GroupPatch, ProductPatch};
pub use product::{Choice, Product, StockPolicy};
pub use search::Search;
pub use shelf::Shelf;
