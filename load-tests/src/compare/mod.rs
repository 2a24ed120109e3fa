//! The comparison: Doorbuster and the baselines take turns on one machine, one PostgreSQL, one
//! driver.
//!
//! **Owns:** the races, and what is computed of them. **Invariant:** everybody gets the same: a
//! fresh filled database, the same load, the same seconds; turns are interleaved, and medians are
//! told with their spread. **Not here:** the baselines (see `contend`) and the driver (see
//! `drive`).

pub mod cpu;
pub mod crowd;
pub mod express;
pub mod house;
pub mod judging;
pub mod last_units;
pub mod latency;
pub mod many_skus;
pub mod options;
pub mod overload;
pub mod race;
pub mod replicas;
pub mod report;
pub mod setup;
pub mod spread;
pub mod sql;
pub mod turn;
pub mod two_ways;
pub mod wal;

use std::{io::Write, sync::Arc};

use crate::{drive::window::Live, servers::pgbouncer::find_program};
use options::{Contender, Options, Race};
use report::Findings;

/// Races, and prints what came of it.
///
/// # Errors
/// When something is missing, fails or is interrupted.
pub fn run(options: &Options, live: &Arc<Live>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut house = house::House::open(options)?;
    let setup = options.json.as_ref().map(|_| setup::describe(&house, options));
    let (mut ours_at_most, mut n2_at_most) = (None, None);
    for race in options.races() {
        if race == Race::Pooled && options.races.is_empty() && find_program().is_none() {
            eprintln!("pooled: left out, since there is no PgBouncer on this machine");
            continue;
        }
        eprintln!("{}", race.key());
        let found: Findings = match race {
            Race::HotSku | Race::Zipf | Race::Basket => {
                let turns = race::run(&mut house, race, options, live)?;
                if race == Race::HotSku {
                    let rate = |contender| report::rate(&turns, contender).map(|rate| rate.median);
                    (ours_at_most, n2_at_most) = (rate(Contender::Ours), rate(Contender::N2));
                }
                writeln!(out, "{}", report::table(race, &turns))?;
                report::findings(race, &turns)
            }
            Race::Express => express::run(&mut house, options, live)?,
            Race::Latency => latency::run(&mut house, options, n2_at_most, live)?,
            Race::Overload => overload::run(&mut house, options, ours_at_most, live)?,
            Race::Replicas => replicas::run(&mut house, options, live)?,
            Race::LastUnits => last_units::run(&mut house, options, live)?,
            Race::ManySkus => many_skus::run(&mut house, options, live)?,
            Race::Pooled => two_ways::run(&mut house, options, live, two_ways::POOLED)?,
            Race::Judged => two_ways::run(&mut house, options, live, two_ways::JUDGED)?,
            Race::Told => two_ways::run(&mut house, options, live, two_ways::TOLD)?,
        };
        writeln!(out, "{}\n", serde_json::to_string_pretty(&found)?)?;
        if let (Some(file), Some(setup)) = (&options.json, &setup) {
            // After each race: an interruption takes only the one under way.
            report::save(file, &found, setup)?;
        }
    }
    Ok(())
}
