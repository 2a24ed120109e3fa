//! `load-tests shelves`: a scenario's SKUs as CSV, for `doorbuster import`.

use clap::Args;
use std::io::Write;

use super::run::find;
use crate::{drive::request::sku, scenario::Scenario};

/// Prints a scenario's SKUs as CSV, to be imported into a service that runs already.
#[derive(Debug, Args)]
pub struct Shelves {
    /// A scenario's file, or its name in load-tests/scenarios
    scenario: String,
}

/// Prints them.
///
/// # Errors
/// When the scenario does not hold, or nobody reads.
pub fn run(arguments: &Shelves, out: &mut dyn Write) -> anyhow::Result<()> {
    let scenario = Scenario::read(&find(&arguments.scenario))?;
    catalogue(scenario.shelves.skus, scenario.shelves.units, out)
}

/// Writes so many SKUs with so many units each.
///
/// # Errors
/// When it cannot be written.
pub fn catalogue(skus: u32, units: u32, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "sku,title,price,currency,stock")?;
    for number in 0..skus {
        let sku = sku(number);
        writeln!(out, "{sku},The {sku},19.90,EUR,{units}")?;
    }
    Ok(())
}
