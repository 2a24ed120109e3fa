//! From arguments to a configuration to a subcommand.

use clap::Parser;
use doorbuster::{
    base::Chain,
    commands::{self, Cli},
    outbound,
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
            eprintln!("doorbuster: {}", Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let config = cli.config()?;
    logs::install(config.log.format, &config.log.filter)?;
    outbound::install_tls_provider();
    commands::run(cli.command.as_ref(), &config, &mut io::stdout())
}
