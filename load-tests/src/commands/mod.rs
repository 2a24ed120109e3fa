//! What can be asked of the binary.
pub mod contender;
