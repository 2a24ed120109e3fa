//! What a session costs: discounts, shipping and tax.
//!
//! **Owns:** the merchant's tariff (discounts, shipping rates, pickup locations, tax rates), the
//! one place where it is applied ([`price()`]), and the totals that come of it.
//!
//! **Invariant:** [`price()`] is a pure function: the same goods, wishes, tariff and moment give
//! the same totals. `total = subtotal − discounts + shipping + added taxes`, exactly; what a
//! discount takes is allotted to lines and shipping without a rest; no line and no shipping goes
//! below zero. Amounts are whole minor units: what a percentage takes off is truncated once, on the
//! whole amount that the discounts before it left, and then split by largest remainder; a tax is
//! rounded half up once for each rate. One rule for every protocol: UCP 2026-01-11 asks for it.
//!
//! A discount that may be used so many times is counted like stock: each use is a unit of a SKU of
//! its own ([`Sku::of_uses`](crate::base::Sku::of_uses)) that is held, sold, released and restocked
//! with the goods beside it.
//!
//! **Not here:** what is bought and who buys it (see [`checkout`](crate::checkout)), and what a
//! product costs, which the catalogue says.

mod areas;
mod asking;
pub mod demo;
mod discount;
mod postgres;
mod price;
mod priced;
#[cfg(test)]
mod property_tests;
mod share;
mod shipping;
mod sqlite;
mod store;
mod tariff;
mod tariffs;
mod tax;
mod totals;

pub use asking::{Asking, Finding, FindingCode, Goods, Price};
pub use discount::{Benefit, Discount};
pub use price::price;
pub use priced::{
    Allotment, Applied, DeliveryOption, Fulfillment, Method, Priced, Target, Tax, Wish,
};
pub use shipping::{PickupLocation, ShippingRate};
pub use store::TariffRow;
pub use tariff::{ITEMS_MAX, Invalid, Item, ItemKind, Tariff};
pub use tariffs::{Tariffs, TariffsRefused};
pub use tax::TaxRate;
pub use totals::{Entry, EntryKind, Totals};
