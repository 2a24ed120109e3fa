//! Doorbuster: takes a checkout, holds the stock, places the order, loses nothing.

pub mod access;
pub mod audit;
pub mod base;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod commands;
pub mod config;
pub mod http;
pub mod ledger;
pub mod outbound;
pub mod payment;
pub mod pricing;
pub mod replay;
pub mod sessions;
pub mod stock;
pub mod telemetry;
