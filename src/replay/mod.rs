//! Replays a real shop's invoices against a running service, as buyers would.
//!
//! **Owns:** reading the file, the plan made from it, the buyers, the report.
//! **Invariant:** every row of the file is counted under exactly one [`Kind`].
//! **Not here:** whether the books add up afterwards (see [`audit`](crate::audit)).
//!
//! The file has the columns of the UCI Online Retail data: `InvoiceNo`, `StockCode`,
//! `Description`, `Quantity`, `InvoiceDate`, `UnitPrice`, `CustomerID`, `Country`; those of its
//! second edition (`Invoice`, `Price`, `Customer ID`) are read too.

pub mod plan;
pub mod read;
pub mod returns;
pub mod row;

pub use plan::Plan;
pub use row::{Kind, Tally};
