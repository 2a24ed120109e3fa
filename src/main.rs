//! From arguments to a configuration to a subcommand.

use clap::Parser;
use doorbuster::{
    commands::{self, Cli},
    telemetry::logs,
};
use std::{io, process::ExitCode};

/// Many small objects come and go under load; the system's allocator is the slower one there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("doorbuster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let config = cli.settings.load()?;
    logs::install(config.log.format, &config.log.filter)?;
    let Some(command) = &cli.command else {
        anyhow::bail!("name a subcommand; `doorbuster --help` lists them");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(commands::run(command, &config, &mut io::stdout()))
}
