//! What can be asked of a fraud actor.

use actix::Message;
use std::sync::Arc;

use super::{bench::Judged, setup::Told, signals::Signals};
use crate::base::Timestamp;

/// Judges a payment. Instruments tried before in this cart, with the time of each, tell retries.
#[derive(Debug, Message)]
#[rtype(result = "Judged")]
pub struct Judge {
    /// What is known.
    pub signals: Arc<Signals>,
    /// What was tried.
    pub tried: Vec<(u64, Timestamp)>,
}

/// A payment that counted has come to nothing.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Failed {
    /// The attempt, as memories were told of it.
    pub told: Vec<Told>,
    /// The storefront it came through.
    pub storefront: Box<str>,
}
