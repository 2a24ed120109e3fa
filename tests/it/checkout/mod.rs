//! The checkout in one process: every step failed, repeated and crashed, and everybody at once.

mod actors;
mod carts;
mod challenges;
mod crashes;
mod crowds;
mod failures;
mod free;
mod gateways;
mod grants;
mod holds;
mod judged;
mod other_models;
mod replicas;
mod retention;
mod rivals;
mod tokens;
mod uses;
