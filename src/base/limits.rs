//! Every limit on what a caller may send: a name, a unit and a reason each.

use serde::{Deserialize, Serialize};

/// Limits on requests. All configurable under `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Lines per cart. The largest real invoice we know has 705 lines.
    pub lines_per_cart: usize,
    /// Units per line. Wholesale orders reach tens of thousands; beyond is a typing mistake.
    pub quantity_per_line: u32,
    /// Bytes per request body. A 1,000-line checkout takes about 120 KiB.
    pub body_bytes: usize,
    /// Items per page of a list.
    pub page_size: u32,
    /// Bytes of the idempotency key.
    pub key_bytes: usize,
    /// Bytes of a name, street or other one-line text.
    pub text_bytes: usize,
    /// Bytes of attributes and metadata per record, as JSON.
    pub metadata_bytes: usize,
    /// Seconds a body may take to arrive; slower is an attack or a dead line.
    pub body_seconds: u64,
    /// Seconds a request's headers may take to arrive.
    pub header_seconds: u64,
    /// Seconds a request may take in all before it is answered 503 (its work goes on).
    pub request_seconds: u64,
    /// Requests worked on at once; more are refused within milliseconds, so that those inside
    /// finish.
    pub in_flight: usize,
    /// Connections of one network address; more are closed as they come. A proxy that speaks for
    /// all buyers has one address: set it to what the proxy opens.
    pub connections_per_address: usize,
    /// Bytes of answers that wait for their readers, of all connections together. Beyond, whoever
    /// reads nothing is closed within a second.
    pub unsent_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lines_per_cart: 1000,
            quantity_per_line: 100_000,
            body_bytes: 512 * 1024,
            page_size: 200,
            key_bytes: 255,
            text_bytes: 512,
            metadata_bytes: 16 * 1024,
            body_seconds: 10,
            header_seconds: 5,
            request_seconds: 30,
            in_flight: 1024,
            connections_per_address: 2048,
            unsent_bytes: 128 * 1024 * 1024,
        }
    }
}

/// A trained model, packed, as its upload: a hundred trees of a year of a shop have some megabytes.
const MODEL_BODY_BYTES: usize = 32 * 1024 * 1024;

/// So much comes in a minute over a slow line.
const MODEL_BODY_SECONDS: u64 = 60;

impl Limits {
    /// The same for the upload of a model, which only who may change models sends.
    #[must_use]
    pub fn for_a_model(&self) -> Self {
        Self {
            body_bytes: self.body_bytes.max(MODEL_BODY_BYTES),
            body_seconds: self.body_seconds.max(MODEL_BODY_SECONDS),
            ..self.clone()
        }
    }
}
