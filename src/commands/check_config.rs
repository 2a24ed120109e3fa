//! `doorbuster check-config`: what is in force.

use std::io::Write;

use crate::config::Config;

/// Prints what is in force, in the form of a configuration file, and what should be known of it.
///
/// # Errors
/// When the output is closed, or nothing is to be served this way.
pub fn run(config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
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
