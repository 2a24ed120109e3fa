//! The comparison: Doorbuster and the baselines take turns on one machine, one PostgreSQL, one
//! driver.
//!
//! **Owns:** the races, and what is computed of them. **Invariant:** everybody gets the same: a fresh
//! filled database, the same load, the same seconds; turns are interleaved, and medians are told
//! with their spread. **Not here:** the baselines (see `contend`) and the driver (see `drive`).

pub mod cpu;
pub mod house;
pub mod options;
pub mod race;
pub mod sql;
pub mod turn;

use std::sync::Arc;

use crate::drive::window::Live;
use options::Options;

/// Races.
///
/// # Errors
/// When something is missing, fails or is interrupted.
pub fn run(options: &Options, live: &Arc<Live>) -> anyhow::Result<()> {
    let mut house = house::House::open(options)?;
    for race in options.races() {
        race::run(&mut house, race, options, live)?;
    }
    Ok(())
}
