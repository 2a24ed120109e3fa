//! Everything that needs more than one slice, or a server: one binary, so that it links once.

mod audit;
mod catalog;
mod ledger_contract;
mod sessions_contract;
mod support;
