//! Doorbuster: takes a checkout, holds the stock, places the order, loses nothing.

pub mod access;
pub mod base;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod commands;
pub mod config;
pub mod ledger;
pub mod payment;
pub mod pricing;
pub mod sessions;
pub mod telemetry;
