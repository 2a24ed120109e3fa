//! `doorbuster check-config`: what is in force, or everything there is to set.

use clap::Args;
use std::io::Write;

use crate::config::{self, Config};

/// Arguments of `check-config`.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// Print every setting with its default and its meaning instead (docs/CONFIGURATION.md)
    #[arg(long)]
    markdown: bool,
}

/// Prints what is in force, in the form of a configuration file, and what should be known of it.
///
/// # Errors
/// When the output is closed, or nothing is to be served this way.
pub fn run(arguments: &CheckConfig, config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    if arguments.markdown {
        return Ok(out.write_all(config::markdown().as_bytes())?);
    }
    write!(out, "{}", config.effective())?;
    for key in config.unset() {
        writeln!(out, "# not set: {key}")?;
    }
    for notice in config.notices() {
        writeln!(out, "# note: {notice}")?;
    }
    match config.refusal_to_serve() {
        Some(refusal) => anyhow::bail!("{refusal}"),
        None => Ok(()),
    }
}
