//! What payment gateways answer. Each is a label: configuration names a handful.

use metrics::{counter, gauge, histogram};
use std::time::Duration;

use super::{GatewayCall, Label, METERS};

pub(super) const GATEWAY_CALLS: &str = "gateway_calls_total";
pub(super) const GATEWAY_DURATION: &str = "gateway_call_duration_seconds";
pub(super) const GATEWAY_OPEN: &str = "gateway_breaker_open";
pub(super) const GATEWAY_BREAKS: &str = "payment_breaks_open";

/// A call to a gateway ended, or was spared.
pub fn gateway_call(gateway: &str, outcome: GatewayCall, took: Duration) {
    if METERS.get().is_none() {
        return;
    }
    let (gateway, word) = (gateway.to_owned(), outcome.text());
    if outcome != GatewayCall::Spared {
        histogram!(GATEWAY_DURATION, "gateway" => gateway.clone()).record(took);
    }
    counter!(GATEWAY_CALLS, "gateway" => gateway, "outcome" => word).increment(1);
}

/// Whether a gateway is left alone.
pub fn gateway_open(gateway: &str, is_open: bool) {
    if METERS.get().is_none() {
        return;
    }
    gauge!(GATEWAY_OPEN, "gateway" => gateway.to_owned()).set(if is_open { 1.0 } else { 0.0 });
}

/// So many payments differ between a gateway's list and the ledger.
pub fn payment_breaks(open: u64) {
    if METERS.get().is_none() {
        return;
    }
    gauge!(GATEWAY_BREAKS).set(open as f64);
}
