//! Load.
pub mod commands;
pub mod contend;
pub mod drive;
