//! Replays a real shop's invoices against a running service, as buyers would.
//!
//! **Owns:** reading the file, the plan made from it, the buyers, the report.
//! **Invariant:** every row of the file is counted under exactly one [`Kind`].
//! **Not here:** whether the books add up afterwards (see [`audit`](crate::audit)).
//!
//! The file has the columns of the UCI Online Retail data: `InvoiceNo`, `StockCode`,
//! `Description`, `Quantity`, `InvoiceDate`, `UnitPrice`, `CustomerID`, `Country`; those of its
//! second edition (`Invoice`, `Price`, `Customer ID`) are read too.

mod buyers;
pub mod embedded;
#[cfg(test)]
mod fake_shop;
mod money;
pub mod plan;
pub mod read;
pub mod report;
pub mod returns;
pub mod row;
pub mod run;
mod setup;
pub mod shop;
mod wire;

pub use plan::Plan;
pub use report::{Outcome, Report};
pub use row::{Kind, Tally};
pub use run::{CONCURRENCY, replay};
pub use shop::{Shop, ShopFault};
