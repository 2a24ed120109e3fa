//! `load-tests`: drives load, serves baselines, races them, lets chaos in.

use clap::{Parser, Subcommand};
use load_tests::{
    chaos,
    commands::{contender, run, shelves},
    compare,
    drive::window::Live,
};
use std::sync::{Arc, atomic::Ordering};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Drives load at Doorbuster on this machine, and races it against baselines.
#[derive(Parser)]
#[command(name = "load-tests", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario, and check what came of it
    Run(run::Run),
    /// Print a scenario's SKUs, for `doorbuster import`
    Shelves(shelves::Shelves),
    /// Race Doorbuster against the baselines
    Compare(compare::options::Options),
    /// Kill, freeze and cut off replicas under load, and audit what was promised
    Chaos(chaos::Options),
    /// Serve one of the baselines
    Contender(contender::Contender),
}

fn main() -> anyhow::Result<()> {
    let out = &mut std::io::stdout();
    match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments, &interruptible(), out),
        Command::Shelves(arguments) => shelves::run(&arguments, out),
        Command::Contender(arguments) => contender::run(&arguments),
        Command::Chaos(options) => chaos::run(&options, &interruptible(), out),
        Command::Compare(options) => compare::run(&options, &interruptible(), out),
    }
}

/// What ends early when the user presses Ctrl-C: whoever runs sees it, stops and cleans up.
fn interruptible() -> Arc<Live> {
    let live = Arc::new(Live::default());
    let heard = live.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            heard.stop.store(true, Ordering::Relaxed);
            eprintln!("interrupted; ending what was started");
        });
    });
    live
}
