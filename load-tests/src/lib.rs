//! Load.
pub mod check;
pub mod commands;
pub mod compare;
pub mod contend;
pub mod drive;
pub mod servers;
