//! Everything that needs more than one slice, or a server: one binary, so that it links once.

mod http_shop;
mod http_ucp;
mod ledger_contract;
mod sessions_contract;
mod support;
mod ucp_schema;
