//! Everything that needs more than one slice, or a server: one binary, so that it links once.

mod access_contract;
mod ledger_contract;
mod sessions_contract;
mod support;
