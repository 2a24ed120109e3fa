//! Tests of the house as a whole, in one binary.

mod http_shop;
mod http_ucp;
mod sessions_contract;
mod ucp_schema;
