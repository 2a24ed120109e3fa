//! What the service says about itself: logs and metrics.
//!
//! **Owns:** the log format, the declaration of every metric, and what [saturation](mod@saturation)
//! means.
//! **Invariant:** no other file names a metric, and no label carries an id.
//! **Not here:** when something is worth recording (each slice knows that of itself).

mod labels;
pub mod logs;
pub mod metrics;
pub mod saturation;

pub use logs::LogFormat;
pub use saturation::{Readings, saturation};
