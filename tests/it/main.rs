//! Everything that needs more than one slice, or a server: one binary, so that it links once.

#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected ends there")]

mod access_contract;
mod acp_schema;
mod audit;
mod catalog;
mod checkout;
mod customers_contract;
mod fraud;
mod http_acp;
mod http_acp_errors;
mod http_acp_keys;
mod http_door;
mod http_fairness;
mod http_fraud;
mod http_keys;
mod http_learning;
mod http_limits;
mod http_rule_life;
mod http_rules;
mod http_shop;
mod http_storefront;
mod http_ucp;
mod http_ucp01;
mod http_ucp01_buyers;
mod http_ucp01_errors;
mod http_ucp01_orders;
mod http_v1;
mod http_webhooks;
mod learning_contract;
mod ledger_contract;
mod model;
mod outbox_contract;
mod process;
mod replay;
mod rules_contract;
mod sessions_contract;
mod shop;
mod simulation;
mod support;
mod tariff_contract;
mod ucp01_schema;
mod ucp_schema;
mod velocity;
