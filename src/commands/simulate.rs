//! `doorbuster simulate`: a shop's year, made up, attacks included.

use anyhow::Context;
use clap::{Args, ValueEnum};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
};

use super::{bars::Bars, train::write_file};
use crate::{
    base::SeededChance,
    fraud::simulate::{self, Mix, SCHEMA, SimulateOptions},
};

/// Makes up a shop's orders, to train and test fraud models on before there are labels of one's
/// own. Writes CSV, and the schema of its columns beside it (`.schema.toml`).
#[derive(Debug, Args)]
pub struct Simulate {
    /// The same seed gives the same file
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// About so many attempts to pay, attacks included
    #[arg(long, value_name = "N", default_value_t = SimulateOptions::default().orders)]
    pub orders: u32,
    /// In how many shops, each unlike the others
    #[arg(long, value_name = "N", default_value_t = SimulateOptions::default().worlds)]
    pub worlds: u16,
    /// How many days in each shop, the first one's from 2025-01-01 on
    #[arg(long, value_name = "N", default_value_t = SimulateOptions::default().days)]
    pub days: u16,
    /// Which kind of shops and attackers
    #[arg(long, value_enum, default_value_t = Attackers::Usual)]
    pub attackers: Attackers,
    /// Where it is written
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Which kind of shops and attackers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attackers {
    /// As the bundled model was trained
    Usual,
    /// Other habits; attackers slower, spread wider and better disguised
    Unseen,
}

/// Makes up orders and writes them.
///
/// # Errors
/// When a file cannot be written.
pub fn run(arguments: &Simulate, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let mix = match arguments.attackers {
        Attackers::Usual => Mix::Usual,
        Attackers::Unseen => Mix::Unseen,
    };
    let options = SimulateOptions {
        orders: arguments.orders,
        worlds: arguments.worlds.max(1),
        days: arguments.days.max(1),
        mix,
        ..SimulateOptions::default()
    };
    let orders = simulate::simulate(options, &SeededChance::new(arguments.seed));
    let path = &arguments.out;
    let name = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(name)?);
    let mut bars = Bars::default();
    simulate::write(&orders, &mut file, &mut bars).with_context(name)?;
    file.flush().with_context(name)?;
    bars.end();
    write_file(&path.with_extension("schema.toml"), SCHEMA.as_bytes())?;
    let frauds = orders.iter().filter(|order| order.attack.is_some()).count();
    let labeled = orders.iter().filter(|order| order.label).count();
    let count = orders.len();
    writeln!(out, "{count} attempts with {frauds} frauds, {labeled} labeled fraud")?;
    Ok(())
}
