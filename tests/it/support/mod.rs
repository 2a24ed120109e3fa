//! What tests share: servers of their own, and facts in few words.

pub mod bench;
pub mod servers;
